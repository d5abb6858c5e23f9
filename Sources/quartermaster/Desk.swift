import ArgumentParser
import Operations

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the events of the log, and put right what was published of them.",
        subcommands: [List.self, Tail.self, ResetStream.self], defaultSubcommand: List.self)

    /// Which events.
    struct Filter: ParsableArguments {
        @Option(
            help: "Only events of this type, such as BookingPlaced; may be there several times.")
        var type: [String] = []

        @Option(help: "Only what concerns this: a UUID, or a booking's code.")
        var entity: String?

        @Option(help: "How many to print at most.")
        var limit: Int?

        @Flag(help: "Print one JSON object a line.")
        var json = false

        func validate() throws {
            guard limit.map({ $0 >= 1 }) ?? true else {
                throw ValidationError("--limit is 1 or more")
            }
        }

        func selection(from position: Int64?, follows: Bool) -> EventSelection {
            var selection = EventSelection()
            selection.from = position
            selection.limit = limit
            selection.types = type
            selection.entity = entity
            selection.follows = follows
            selection.isJSON = json
            return selection
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print events, one a line. (default)")

        @Option(help: "The position to begin at.")
        var from: Int64 = 1

        @Flag(help: "Go on with what is appended, until Ctrl-C.")
        var follow = false

        @OptionGroup var filter: Filter

        func run() async throws {
            try await perform {
                try await Verbs($0, logger: $1)
                    .events(filter.selection(from: from, follows: follow))
            }
        }
    }

    struct Tail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print events as they are appended, until Ctrl-C.")

        @Option(help: "The position to begin at; without it, what comes next.")
        var from: Int64?

        @OptionGroup var filter: Filter

        func run() async throws {
            try await perform {
                try await Verbs($0, logger: $1).events(filter.selection(from: from, follows: true))
            }
        }
    }

    struct ResetStream: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on after the log was restored to an earlier moment.",
            discussion: """
                The stream EVENTS then has events that the log has lost, and nothing is published. \
                Without --reason this says how the two stand, and what to think of first. With it, \
                a new epoch of the log begins, and EVENTS and VIEWS are published anew.
                """)

        @Option(help: "Why; kept in the log.")
        var reason: String?

        func run() async throws {
            try await perform { try await Verbs($0, logger: $1).resetStream(because: reason) }
        }
    }
}

struct Projections: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show projections, why one stands still, and let it go on.",
        subcommands: [List.self, Why.self, Retry.self, SkipEvent.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all projections, and what they do without. (default)")

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await perform { try await Verbs($0, logger: $1).projections(isJSON: json) }
        }
    }

    struct Why: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say why a projection stands still, and before which event.")

        @Argument(help: "The projection, as 'status' names it.")
        var name: String

        func run() async throws {
            try await perform { try await Verbs($0, logger: $1).why(name) }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a projection try again, and say how it went.")

        @Argument(help: "The projection, as 'status' names it.")
        var name: String

        func run() async throws {
            try await perform { try await Verbs($0, logger: $1).retry(name) }
        }
    }

    struct SkipEvent: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a read model do without the event that it stands before, for ever.",
            discussion: "Who decided so, and why, is an event of the log.")

        @Argument(help: "The projection, as 'status' names it.")
        var name: String

        @Argument(help: "The position that it stopped at.")
        var position: Int64

        @Option(help: "Why; kept in the log.")
        var reason: String

        func run() async throws {
            try await perform {
                try await Verbs($0, logger: $1).skipEvent(name, at: position, because: reason)
            }
        }
    }
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how everything stands, on one screen.",
        discussion: "A projection that stopped is shown with the event it stopped at, and why.")

    @Flag(help: "Show it again every second, until Ctrl-C.")
    var watch = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await perform {
            try await Verbs($0, logger: $1).status(isWatched: watch, isJSON: json)
        }
    }
}

public import ArgumentParser
import Operations
public import ProjectionEngine

/// The moment that a question is about.
struct MomentOption: ParsableArguments {
    @Option(
        help: """
            A position, or a time with its zone, such as 2026-11-20T18:05-05:00; without it, now.
            """)
    var asOf: Moment = .position(.max)
}

extension Moment: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public var defaultValueDescription: String { "now" }
}

struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show anything as it was known at any moment.",
        discussion: """
            The rows of all read models of which it is the key, folded from its events up to the \
            moment.

              quartermaster show K7QX2MPA --as-of 2026-11-20T18:05-05:00
              quartermaster show booking K7QX2MPA
            """)

    @Argument(help: "What it is, for the reader only, and its UUID; or a booking's code.")
    var name: [String]

    @OptionGroup var moment: MomentOption

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...2).contains(name.count) else { throw ValidationError("name one thing") }
    }

    func run() async throws {
        try await perform {
            try await Verbs($0, logger: $1).show(
                name[name.count - 1], asOf: moment.asOf, isJSON: json)
        }
    }
}

struct ShowManifest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifest", abstract: "Show who is on a sailing, now or at any moment.",
        discussion: """
            Bookings with their passengers, who of them is aboard, and what is to be handed over.

              quartermaster manifest 0190b2a4-5c3e-7d2a-9f11-2b7c6d1e0f3a --as-of 2026-11-20T18:05-05:00
            """)

    @Argument(help: "The sailing's UUID.")
    var sailing: String

    @OptionGroup var moment: MomentOption

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await perform {
            try await Verbs($0, logger: $1).manifest(sailing, asOf: moment.asOf, isJSON: json)
        }
    }
}

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say why a figure is what it is.", subcommands: [Availability.self])

    struct Availability: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say how many seats of a sailing are free, and which events made it so.",
            discussion: """
                  quartermaster explain availability 0190b2a4-5c3e-7d2a-9f11-2b7c6d1e0f3a
                """)

        @Argument(help: "The sailing's UUID.")
        var sailing: String

        @OptionGroup var moment: MomentOption

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await perform {
                try await Verbs($0, logger: $1)
                    .explainAvailability(sailing, asOf: moment.asOf, isJSON: json)
            }
        }
    }
}

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what has changed of a thing between two moments, and what changed it.",
        discussion: """
              quartermaster diff K7QX2MPA 1200 2026-11-20T18:05-05:00
            """)

    @Argument(help: "Its UUID; or a booking's code.")
    var name: String

    @Argument(help: "A position, or a time with its zone.")
    var from: Moment

    @Argument(help: "The same, later.")
    var to: Moment = .position(.max)

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await perform {
            try await Verbs($0, logger: $1).diff(name, from: from, to: to, isJSON: json)
        }
    }
}

struct PrintTable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table", abstract: "Print a whole read model as it was at any moment, as CSV.",
        discussion: """
            It is built from the first event beside everything else and thrown away. Two read \
            models may be built so at the same time.
            """)

    @Argument(help: "The read model, as 'status' names it.")
    var readModel: String

    @OptionGroup var moment: MomentOption

    func run() async throws {
        try await perform { try await Verbs($0, logger: $1).table(readModel, asOf: moment.asOf) }
    }
}

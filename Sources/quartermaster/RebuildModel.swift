import ArgumentParser
import Operations

struct RebuildModel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Build read models anew from the first event.",
        discussion: """
            New tables are built beside the live ones while sales go on, all of them in one reading \
            of the log, compared with the live ones, and put in their place when they have caught \
            up. What was interrupted, whatever the reason, goes on where it was when the same is \
            asked again.

              quartermaster rebuild manifest booking_search
              quartermaster rebuild --all --keep-old
              quartermaster rebuild manifest --undo
            """)

    @Argument(help: "Read models, as 'status' names them.")
    var names: [String] = []

    @Flag(help: "All read models.")
    var all = false

    @Option(help: "Build up to this position and leave the tables beside the live ones.")
    var until: Int64?

    @Flag(help: "Keep the tables that are replaced, and keep them up to date, for --undo.")
    var keepOld = false

    @Flag(help: "Do not compare the new tables with the live ones.")
    var noCompare = false

    @Option(help: "Read events from a file that 'export' has written.")
    var archive: String?

    @Option(help: "Read events from another PostgreSQL: a standby.")
    var from: String?

    @Flag(help: "Let the rebuild that is under way stop where it is, in another process.")
    var pause = false

    @Flag(help: "Go on with what was paused or interrupted.")
    var resume = false

    @Flag(help: "Give up the rebuild that is under way, and what it has built.")
    var cancel = false

    @Flag(help: "Put the tables that --keep-old has kept back in their place.")
    var undo = false

    @Flag(help: "Let go of the tables that --keep-old has kept.")
    var dropOld = false

    @Flag(help: "Print one JSON object a line: progress, then what has become of each.")
    var json = false

    private var orders: [RebuildOrder] {
        [
            pause ? .pause : nil, resume ? .resume : nil, cancel ? .cancel : nil,
            undo ? .undo : nil, dropOld ? .dropOld : nil,
        ].compactMap { $0 }
    }

    func validate() throws {
        guard orders.count <= 1 else {
            throw ValidationError("one of --pause, --resume, --cancel, --undo and --drop-old")
        }
        guard all || !names.isEmpty || !orders.isEmpty else {
            throw ValidationError("name read models, or say --all")
        }
        guard names.isEmpty || !all else {
            throw ValidationError("name read models, or say --all, not both")
        }
        guard !undo || !names.isEmpty else {
            throw ValidationError("--undo needs the read models' names")
        }
        let builds = orders.isEmpty || resume
        guard builds || (until == nil && archive == nil && from == nil && !keepOld && !noCompare)
        else {
            throw ValidationError(
                "--until, --archive, --from, --keep-old and --no-compare say how to build, "
                    + "and go with no order but --resume")
        }
        guard archive == nil || from == nil else {
            throw ValidationError("events come from --archive or --from, not from both")
        }
        guard until.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--until is a position: 1 or more")
        }
    }

    func run() async throws {
        try await perform { settings, logger in
            let verbs = try Verbs(settings, logger: logger)
            var request = RebuildRequest(names)
            request.until = until
            request.keepsOld = keepOld
            request.compares = !noCompare
            request.archive = archive
            request.standbyURL = from
            request.isJSON = json
            if let order = orders.first {
                return try await verbs.order(order, request)
            }
            try await verbs.rebuild(request)
        }
    }
}

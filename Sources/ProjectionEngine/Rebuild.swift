public import EventLog
internal import Domain
internal import EventCodec
internal import Logging
public import Postgres

/// Builds read models anew from the first event, beside the live tables, and swaps them.
///
/// The same folds as live, all of them in one reading of the log. Sales and the live projections go on
/// meanwhile; only the swap takes a checkpoint's lock for a moment. Nothing is published. What was interrupted
/// goes on where it was.
public struct Rebuild: Sendable {
    /// Events that a table lacks, above which it catches up once more before its checkpoint is locked.
    public static let swapLimit: Int64 = 1_000
    /// How often the swap is tried while somebody reads the live table.
    static let swapAttempts = 120

    /// Begins a transaction that takes tables from those who read them, and waits for them no longer than readers may
    /// wait behind: "lock_not_available" else. First it takes them from what nobody waits for, PostgreSQL's own tidying
    /// up, which gives way after `deadlock_timeout`.
    static func beginSwap(of tables: [String]) -> String {
        let locks = tables.map { table in
            """
            IF to_regclass('\(table)') IS NOT NULL THEN
                LOCK TABLE \(table) IN SHARE UPDATE EXCLUSIVE MODE;
            END IF;
            """
        }
        return """
            BEGIN; SET LOCAL lock_timeout = '3s';
            DO $$ BEGIN \(locks.joined(separator: "\n")) END $$;
            SET LOCAL lock_timeout = '500ms';
            """
    }
    /// Times that a table catches up before its swap in the part of the time that is left to it.
    static let pacedRounds = 5
    /// How often an operator's wishes are asked for.
    static let controlInterval = Duration.milliseconds(500)
    /// Events a second that others append, above which a rebuild stands back, and the part of its time that it
    /// then works.
    static let busyRate = 200.0
    static let shareWhenBusy = 0.15
    /// How long live tables may take to come as far as the new ones, to be compared with them.
    static let comparisonWait = Duration.seconds(5)

    /// Where events are read; the log itself, unless it is another: a standby, or an archive.
    public var events: any LoggedEvents {
        didSet { readsElsewhere = true }
    }
    private var readsElsewhere = false
    /// Up to here; then the new table stays beside the live one, and the next rebuild goes on from it.
    public var until: Int64?
    /// The log is read up to here at first, because the live tables may never come further; each is then followed to
    /// where it is.
    public var foldsUpTo: Int64?
    /// The table that is replaced is kept, and kept up to date.
    public var keepsOld = false
    /// The new tables are compared with the live ones, and that is all: they go away again.
    public var onlyCompares = false
    /// The new table is compared with the live one, where that is of the same version.
    public var compares = true

    private let models: [any ReadModel.Type]
    private let log: EventLog
    private let client: PostgresClient

    /// How far a rebuild has come.
    public struct Progress: Sendable {
        public enum Step: String, Sendable {
            case reading
            case indexing
            case comparing
            case swapping
        }

        public var step: Step
        public var names: [String]
        /// The position that it began after: 0, or where it was interrupted.
        public var start: Int64
        public var position: Int64
        public var head: Int64
    }

    /// What has become of one read model.
    public struct Outcome: Sendable {
        public enum End: String, Sendable {
            case swapped
            /// Built up to where it was to be, and not swapped.
            case built
            /// Compared and thrown away.
            case compared
            case paused
            case cancelled
        }

        public var name: String
        public var end: End
        public var position: Int64
        public var rowCount = 0
        /// Nil when there was nothing to compare with.
        public var difference: TableDifference?
    }

    /// Builds `models` from `log`; `configuration` names the database that they stand in.
    public init(
        _ models: [any ReadModel.Type], from log: EventLog, configuration: PostgresConfiguration
    ) {
        var configuration = configuration
        configuration.statementTimeout = .zero
        self.models = models
        self.log = log
        events = log
        client = PostgresClient(
            configuration, connectionCount: 2, logger: Logger(label: "quartermaster.rebuild"))
    }

    /// Rebuilds and swaps, one read model after the other has been built.
    ///
    /// Throws ``RebuildError`` when one of them is being rebuilt already, and what went wrong with an event that
    /// can't be read: a rebuild is of the whole log or not at all.
    ///
    /// `ended` hears of each as it ends: those that have are in their places, whatever becomes of the others.
    public func run(
        progress: @Sendable (Progress) -> Void = { _ in },
        ended: @Sendable (Outcome) -> Void = { _ in }
    ) async throws -> [Outcome] {
        do {
            let outcomes = try await build(progress, ended)
            await client.close()
            return outcomes
        } catch {
            await client.close()
            throw error
        }
    }

    private func build(
        _ progress: @Sendable (Progress) -> Void, _ ended: @Sendable (Outcome) -> Void
    ) async throws -> [Outcome] {
        let last = min(try await events.head(), until ?? .max, foldsUpTo ?? .max)
        try await checkHead(last)
        var builders: [any Building] = []
        for model in models { builders.append(try await begin(model, upTo: last)) }
        let names = builders.map { $0.model.name }
        let start = try await start(of: builders)
        func tell(_ step: Progress.Step, _ position: Int64) {
            progress(
                Progress(step: step, names: names, start: start, position: position, head: last))
        }
        var outcomes: [Outcome] = []
        func end(_ more: [Outcome]) {
            outcomes += more
            for outcome in more { ended(outcome) }
        }
        var nextControl = ContinuousClock.now
        var pace = Pace(of: log)
        try await scan(events).pages(after: start, upTo: last) { page in
            try await forAll(builders) { try await $0.take(page) }
            tell(.reading, page.end)
            try await pace.rest()
            guard .now >= nextControl else { return true }
            nextControl = .now + Self.controlInterval
            // What is of another history must not be gone on with, should it be interrupted now.
            if readsElsewhere { try await checkHistory(upTo: page.end, builders) }
            end(try await heed(&builders))
            return !builders.isEmpty
        }
        if !builders.isEmpty { try await checkHistory(upTo: last, builders) }
        try await forAll(builders) { try await $0.write() }
        guard until == nil else {
            end(try await leave(builders, at: last))
            return outcomes
        }
        if !builders.isEmpty {
            tell(.indexing, last)
            try await pace.look()
        }
        try await makeIndexes(of: builders, oneByOne: pace.isBusy)
        let deadline = ContinuousClock.now + Self.comparisonWait
        for builder in builders {
            guard try await isWanted(builder, end) else { continue }
            tell(.comparing, await builder.position)
            let difference = compares ? try await compare(builder, until: deadline, &pace) : nil
            if onlyCompares {
                end([try await finish(builder, difference)])
                continue
            }
            guard try await isWanted(builder, end) else { continue }
            tell(.swapping, await builder.position)
            end([try await swap(builder, difference, pace)])
        }
        return outcomes
    }

    /// What was to be built so far and no further waits until somebody lets it go on.
    private func leave(
        _ builders: [any Building], at position: Int64
    ) async throws -> [Outcome] {
        var rest = builders
        let told = try await heed(&rest)
        for builder in rest {
            // Before others may go on with it.
            try await RebuildControl.rest(builder.model.name, client)
            try await builder.release()
        }
        return told + rest.map { Outcome(name: $0.model.name, end: .built, position: position) }
    }

    private func begin<Model: ReadModel>(
        _ model: Model.Type, upTo end: Int64
    ) async throws -> any Building {
        try await TableBuilder<Model>.begin(
            ReadModelTable(onlyCompares ? .check : .building), client, upTo: end,
            keepsOld: keepsOld)
    }

    private func scan(_ events: any LoggedEvents) -> EventScan {
        EventScan(events, keysOf: log, for: models)
    }

    /// The position that the one has reached that is furthest back; the others skip what they have seen.
    private func start(of builders: [any Building]) async throws -> Int64 {
        var start = Int64.max
        for builder in builders { start = min(start, await builder.position) }
        return start
    }

    private func forAll(
        _ builders: [any Building], _ body: @escaping @Sendable (any Building) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for builder in builders { group.addTask { try await body(builder) } }
            try await group.waitForAll()
        }
    }

    /// All at once, with all processors; or, where others sell, with one, which PostgreSQL does not rest in between.
    private func makeIndexes(of builders: [any Building], oneByOne: Bool) async throws {
        guard oneByOne else {
            return try await forAll(builders) { try await $0.makeIndexes(atOnce: true) }
        }
        for builder in builders { try await builder.makeIndexes(atOnce: false) }
    }

    /// Does what operators want, and leaves those that go on.
    private func heed(_ builders: inout [any Building]) async throws -> [Outcome] {
        guard !onlyCompares else { return [] }
        let wishes = try await RebuildControl.wishes(of: builders.map { $0.model.name }, client)
        var (outcomes, rest): ([Outcome], [any Building]) = ([], [])
        for builder in builders {
            let name = builder.model.name
            switch wishes[name] ?? .cancel {
            case .run: rest.append(builder)
            case .pause:
                try await builder.write()
                try await builder.release()
                outcomes.append(
                    Outcome(name: name, end: .paused, position: await builder.position))
            case .cancel:
                try await builder.discard()
                try await builder.release()
                outcomes.append(
                    Outcome(name: name, end: .cancelled, position: await builder.position))
            }
        }
        builders = rest
        return outcomes
    }

    private func isWanted(
        _ builder: any Building, _ end: ([Outcome]) -> Void
    ) async throws -> Bool {
        var one = [builder]
        end(try await heed(&one))
        return !one.isEmpty
    }

    /// What comes from a file or another database may know more than the log, or something else: a log that was
    /// restored to an earlier moment and has gone on from there.
    private func checkHead(_ end: Int64) async throws {
        let head = try await log.head()
        guard end <= head else {
            throw RebuildError(
                description: "the events end at position \(end), and the log at \(head): they are "
                    + "of a time that the log was restored to before")
        }
    }

    private func checkHistory(upTo end: Int64, _ builders: [any Building]) async throws {
        let (position, hash) = try await events.hash(from: end)
        guard position > 0, try await log.hash(at: position) != hash else { return }
        // What was built of them is worth nothing, and must not be gone on with.
        try await forAll(builders) {
            try await $0.discard()
            try await $0.release()
        }
        throw RebuildError(
            description: "the events have another hash at position \(position) than the log: they "
                + "are of another history, and nothing was swapped")
    }

    /// Brings both tables to the same position and compares them; nil when the live one does not come that far.
    private func compare(
        _ builder: any Building, until deadline: ContinuousClock.Instant, _ pace: inout Pace
    ) async throws -> TableDifference? {
        try await pace.look()
        while let live = try await builder.holdLive() {
            if live >= (await builder.position) {
                try await catchUp(builder, to: live, pace)
                try await builder.write()
                return try await builder.compareWithLive(atOnce: !pace.isBusy)
            }
            guard .now < deadline else { return nil }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    private func finish(
        _ builder: any Building, _ difference: TableDifference?
    ) async throws -> Outcome {
        let position = await builder.position
        try await builder.discard()
        try await builder.release()
        return Outcome(
            name: builder.model.name, end: .compared, position: position, difference: difference)
    }

    private func swap(
        _ builder: any Building, _ difference: TableDifference?, _ pace: Pace
    ) async throws -> Outcome {
        var attempt = 1
        var round = 0
        while true {
            let head = try await log.head()
            guard head - (await builder.position) <= Self.swapLimit else {
                // Who sells comes first here too, unless so much is sold that this would never come to an end.
                round += 1
                try await catchUp(builder, to: head, round <= Self.pacedRounds ? pace : nil)
                continue
            }
            if try await builder.beginSwap() { break }
            // Who waits for long may be told that he need not.
            var one = [builder]
            if let outcome = try await heed(&one).first { return outcome }
            attempt += 1
            guard attempt <= Self.swapAttempts else {
                throw RebuildError(
                    description:
                        "\(builder.model.name) is built and waits beside the live table, which "
                        + "somebody has been reading all the time: ask for the rebuild again")
            }
            try await Task.sleep(for: .seconds(1))
        }
        try await catchUp(builder, to: try await log.head())
        let rowCount = try await builder.swap()
        try await builder.release()
        return Outcome(
            name: builder.model.name, end: .swapped, position: await builder.position,
            rowCount: rowCount, difference: difference)
    }

    private func catchUp(
        _ builder: any Building, to end: Int64, _ pace: Pace? = nil
    ) async throws {
        var pace = pace
        pace?.begin()
        let scan = EventScan(log, keysOf: log, for: [builder.model])
        try await scan.pages(after: await builder.position, upTo: end) { page in
            try await builder.take(page)
            try await pace?.rest()
            return true
        }
    }
}

/// A rebuild can't be done now.
public struct RebuildError: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }
}

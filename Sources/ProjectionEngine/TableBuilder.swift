internal import Domain
internal import Postgres

/// Builds the new table of one read model beside the live one.
///
/// Rows are kept in memory until there are many; then those that changed are written with COPY, in one
/// transaction with the position reached, so that a rebuild that is interrupted goes on from there.
actor TableBuilder<Model: ReadModel>: Building {
    /// Rows in memory after a page, above which those that changed are written and all let go.
    private static var rowLimit: Int { 4_000 }
    /// What has changed is written after this long, however little it is.
    private static var writeInterval: Duration { .seconds(5) }

    nonisolated let model: any ReadModel.Type = Model.self
    let table: ReadModelTable<Model>
    let client: PostgresClient
    let session: PostgresSession
    private var memory = RowMemory<Model>()
    /// Of the last event that was folded.
    private(set) var position: Int64
    /// The writing under way.
    private var writing: Task<Void, any Error>?
    private var lastWrite = ContinuousClock.now
    /// Inside the transaction that swaps, nothing is written until its end.
    private var isSwapping = false
    /// Sees the live table as it was when it was held still.
    var liveSession: PostgresSession?

    /// Whether the table that is replaced stays beside it.
    private let keepsOld: Bool

    private init(
        _ table: ReadModelTable<Model>, _ client: PostgresClient, _ session: PostgresSession,
        position: Int64, keepsOld: Bool
    ) {
        self.table = table
        self.client = client
        self.session = session
        self.position = position
        self.keepsOld = keepsOld
    }

    /// Begins, or goes on where a rebuild of the same version was interrupted.
    ///
    /// `client` reads rows; the builder's own connection, to the same database, writes them. Throws
    /// ``RebuildError`` when somebody else is at it.
    static func begin(
        _ table: ReadModelTable<Model>, _ client: PostgresClient, upTo end: Int64,
        keepsOld: Bool = false
    ) async throws -> TableBuilder<Model> {
        let session = try await PostgresSession.connect(to: client.configuration)
        let lock = try await session.execute(RebuildControl.lock(table.control))
        guard lock.text(0, 0) == "t" else {
            throw RebuildError(
                description: table.generation == .asOf
                    ? "\(Model.name) is being built as of a moment already: wait for that to end"
                    : "\(table.control) is being built already")
        }
        var begun: (position: Int64, keepsOld: Bool)?
        // What is to check the live table is made anew.
        if table.generation != .check {
            begun = try await RebuildControl.resume(
                table.control, version: Model.version, keepsOld: keepsOld, table.name, on: session)
        }
        if let reached = begun?.position, reached > end { begun = nil }
        if begun == nil {
            let start = RebuildControl.start(
                table.control, version: Model.version, keepsOld: keepsOld)
            try await session.execute(
                """
                BEGIN; DROP TABLE IF EXISTS \(table.name); \(table.creation);
                \(table.primaryKey); \(start); COMMIT
                """)
        }
        try await session.execute(table.staging.joined(separator: ";"))
        return TableBuilder(
            table, client, session, position: begun?.position ?? 0,
            keepsOld: begun?.keepsOld ?? keepsOld)
    }

    /// Folds a page. Rows that are not in memory are read from the table.
    func take(_ page: EventPage) async throws {
        guard page.end > position else { return }
        let events = try page.events(for: Model.self, after: position)
        let missing = Model.missing(for: events, in: &memory)
        if !missing.isEmpty {
            memory.take(try await client.run([table.load(missing)])[0])
        }
        Model.fold(into: &memory)
        position = page.end
        guard !isSwapping else { return }
        let isDue = lastWrite + Self.writeInterval < .now
        if memory.count > Self.rowLimit || isDue { try await beginWriting() }
    }

    /// Writes all that has changed.
    func write() async throws {
        try await beginWriting()
        try await writing?.value
        writing = nil
    }

    private func beginWriting() async throws {
        let (changes, reached) = (Model.takeChanges(of: &memory), position)
        try await writing?.value
        memory.leave()
        lastWrite = .now
        let (session, table) = (session, table)
        writing = Task {
            try await session.execute("BEGIN")
            try await Self.put(changes, into: table, through: session)
            try await session.execute(
                "\(RebuildControl.advance(table.control, to: reached)); COMMIT")
        }
    }

    private static func put(
        _ changes: RowChanges, into table: ReadModelTable<Model>, through session: PostgresSession
    ) async throws(PostgresError) {
        if !changes.inserts.isEmpty {
            try await session.copyIn(
                table.copyInserts, columnCount: table.columnCount, changes.inserts)
        }
        if !changes.updates.isEmpty {
            try await session.copyIn(
                table.copyUpdates, columnCount: table.columnCount, changes.updates)
            try await session.execute(table.updateFromStaging)
        }
        if !changes.deletions.isEmpty {
            try await session.copyIn(
                table.copyDeletions, columnCount: table.keyCount, changes.deletions)
            try await session.execute(table.deleteFromStaging)
        }
    }

    /// Makes the indexes, unless they are there: at once, the last one, which is one of the dearest where they differ,
    /// beside the others; or one after the other. Then looks at what the table holds, so that the first query that meets it is planned well.
    func makeIndexes(atOnce: Bool) async throws {
        try await makeMissingIndexes(atOnce)
        try await session.execute("ANALYZE \(table.name)")
    }

    private func makeMissingIndexes(_ atOnce: Bool) async throws {
        guard let last = table.indexes.last else { return }
        let made = try await session.execute(
            """
            SELECT indexrelid::regclass FROM pg_index
            WHERE indrelid = '\(table.name)'::regclass AND NOT indisprimary
            """)
        if made.count == table.indexes.count { return }
        for row in 0..<made.count { try await session.execute("DROP INDEX \(made.text(row, 0))") }
        guard atOnce else {
            try await session.execute("SET max_parallel_maintenance_workers = 0")
            for index in table.indexes { try await session.execute(index) }
            return
        }
        async let others = client.run(table.indexes.dropLast().map { PostgresCall($0) })
        try await session.execute(last)
        _ = try await others
    }

    // MARK: Swapping

    /// Locks the live table and its checkpoint until ``swap()``; what is taken meanwhile is written there.
    ///
    /// False when somebody reads the live table for so long that everybody else would have to wait behind.
    func beginSwap() async throws -> Bool {
        try await write()
        do throws(PostgresError) {
            try await session.execute(SwapScript<Model>.lock(keepsOld: keepsOld))
        } catch {
            guard error.isOfHeldLock else { throw error }
            try await session.execute("ROLLBACK")
            return false
        }
        isSwapping = true
        return true
    }

    /// Puts the new table in the live one's place, which is kept or goes. Returns the number of rows.
    func swap() async throws -> Int {
        try await Self.put(Model.takeChanges(of: &memory), into: table, through: session)
        let swap = SwapScript<Model>.replace(at: position, keepsOld: keepsOld)
        try await session.execute("\(swap); COMMIT")
        isSwapping = false
        let rows = try await session.execute(
            "SET enable_seqscan = on; SELECT count(*) FROM reading.\(Model.name)")
        return Int(rows.text(0, 0)) ?? 0
    }

    /// Lets others build it.
    func release() async throws {
        try await session.execute("SELECT pg_advisory_unlock_all()")
    }

    /// Throws away what was built.
    func discard() async throws {
        try await writing?.value
        writing = nil
        try await session.execute(RebuildControl.discard(table.control, table.name))
    }
}

/// A builder, whatever it builds.
protocol Building: Actor {
    nonisolated var model: any ReadModel.Type { get }
    var position: Int64 { get }
    func take(_ page: EventPage) async throws
    func write() async throws
    func makeIndexes(atOnce: Bool) async throws
    func holdLive() async throws -> Int64?
    func compareWithLive(atOnce: Bool) async throws -> TableDifference
    func beginSwap() async throws -> Bool
    func swap() async throws -> Int
    func discard() async throws
    func release() async throws
}

public import EventLog
internal import Domain
internal import EventCodec
public import Postgres

/// Builds a read model anew from the first event, beside the live table, and swaps the two.
///
/// The same fold as live. Rows are kept in memory until there are many, and then written with COPY;
/// while they are, the next events are read and folded. Sales and the live projection go on meanwhile; only the
/// swap takes the checkpoint's lock for a moment.
public struct Rebuild<Model: ReadModel>: Sendable {
    public static var pageLimit: Int { 10_000 }
    /// Rows in memory after a page, above which those that changed are written and all let go.
    public static var rowLimit: Int { 4_000 }
    /// The swap catches up with this many events at most; before it, it catches up without a lock.
    public static var swapLimit: Int { 1_000 }

    /// How far a rebuild has come.
    public struct Progress: Sendable {
        public var position: Int64
        public var head: Int64
    }

    private let log: EventLog
    private let source: EventSource
    private let configuration: PostgresConfiguration

    public init(_ model: Model.Type, from log: EventLog, configuration: PostgresConfiguration) {
        self.log = log
        source = EventSource(log: log)
        self.configuration = configuration
    }

    /// Rebuilds and swaps; returns the position of the new table and its number of rows.
    public func run(
        progress: @Sendable (Progress) -> Void = { _ in }
    ) async throws -> (position: Int64, rowCount: Int) {
        var configuration = configuration
        configuration.statementTimeout = .zero
        let connection = try await PostgresConnection.connect(to: configuration)
        guard try await Leadership.take("rebuild." + Model.name, on: connection) else {
            throw RebuildError(description: "\(Model.name) is being rebuilt already")
        }
        let building = try await TableInTheMaking<Model>(
            on: connection, copyingWith: try await PostgresSession.connect(to: configuration))
        var position = try await fold(into: building, progress)
        while try await log.head() - position > Self.swapLimit {
            position = try await catchUp(building, after: position)
        }
        position = try await swap(building, after: position, on: connection)
        let count = try await connection.run("SELECT count(*) FROM reading.\(Model.name)")
        return (position, count.integer(0, 0))
    }

    /// Folds the log up to its head of now, and makes the indexes.
    ///
    /// A pipeline: while the rows of one page are written, the next is folded, the one after that is
    /// decoded, and the one after that is read.
    private func fold(
        into building: TableInTheMaking<Model>, _ progress: @Sendable (Progress) -> Void
    ) async throws -> Int64 {
        let head = try await log.head()
        var memory = RowMemory<Model>()
        var stored = try await read(after: 0, to: head)
        var page: [SourceEvent] = []
        var changes = RowChanges()
        while !stored.isEmpty || !page.isEmpty {
            let (last, taken) = (stored, changes)
            async let following = read(after: last.last?.position ?? head, to: head)
            async let next = decoded(last)
            async let written: Void = building.copy(taken)
            try await apply(page, to: &memory, from: building)
            let isFull = memory.count > Self.rowLimit
            changes = isFull ? Model.takeChanges(of: &memory) : RowChanges()
            try await written
            if isFull { memory.leave() }
            if let position = page.last?.position {
                progress(Progress(position: position, head: head))
            }
            page = try await next
            stored = try await following
        }
        try await building.copy(changes)
        try await building.copy(Model.takeChanges(of: &memory))
        try await building.makeIndexes()
        return head
    }

    /// Decodes the two halves of a page at the same time: no other step takes as long.
    private func decoded(_ page: [LoggedEvent]) async throws -> [SourceEvent] {
        let middle = page.count / 2
        async let first = source.decoded(page[..<middle], opensContacts: Model.opensContacts)
        async let second = source.decoded(page[middle...], opensContacts: Model.opensContacts)
        return try await first + second
    }

    /// Folds a page; rows that are not in memory are read from the table.
    private func apply(
        _ page: [SourceEvent], to memory: inout RowMemory<Model>,
        from building: TableInTheMaking<Model>
    ) async throws {
        let events = try readable(page)
        let missing = Model.missing(for: events, in: &memory)
        if !missing.isEmpty { memory.take(try await building.load(missing)) }
        Model.fold(events, into: &memory)
    }

    /// A rebuild is of the whole log or not at all.
    private func readable(_ page: [SourceEvent]) throws(ProjectionFault) -> [ProjectedEvent] {
        let (events, fault) = ProjectionFault.wanted(by: Model.self, of: page)
        if let fault { throw fault }
        return events
    }

    private func read(
        after position: Int64, to head: Int64
    ) async throws(PostgresError) -> [LoggedEvent] {
        guard position < head else { return [] }
        return try await log.read(
            after: position, limit: Self.pageLimit, types: Set(Model.types.map(\.rawValue))
        ).filter { $0.position <= head }
    }

    /// Folds what has come since, and writes the changed rows; returns the position reached.
    private func catchUp(
        _ building: TableInTheMaking<Model>, after position: Int64
    ) async throws -> Int64 {
        let events = try await source.read(
            after: position, limit: Self.pageLimit, opensContacts: Model.opensContacts)
        guard let last = events.last else { return position }
        var memory = RowMemory<Model>()
        try await apply(events, to: &memory, from: building)
        try await building.write(Model.takeChanges(of: &memory))
        return last.position
    }

    /// Locks the checkpoint, catches up to the head, and puts the new table in the old one's place.
    ///
    /// The epoch is raised, so the live leader finds itself replaced and begins again.
    private func swap(
        _ building: TableInTheMaking<Model>, after position: Int64,
        on connection: PostgresConnection
    ) async throws -> Int64 {
        try await connection.run("BEGIN")
        do {
            try await connection.run(
                "SELECT FROM reading.projection WHERE name = $1::text FOR UPDATE",
                [.text(Model.name)])
            var reached = position
            while true {
                let next = try await catchUp(building, after: reached)
                if next == reached { break }
                reached = next
            }
            let live = ReadModelTable<Model>().name
            try await connection.run([
                PostgresCall("DROP TABLE IF EXISTS \(live)"),
                PostgresCall("ALTER TABLE \(building.name) RENAME TO \(Model.name)"),
                PostgresCall(
                    """
                    INSERT INTO reading.projection (name, version, position, epoch, updated_at)
                    VALUES ($1::text, $2::int, $3::bigint, 1, clock_timestamp())
                    ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version,
                        position = EXCLUDED.position, epoch = reading.projection.epoch + 1,
                        stopped_at_position = NULL, stopped_because = NULL,
                        updated_at = EXCLUDED.updated_at
                    """, [.text(Model.name), .int32(Model.version), .int64(reached)]),
                PostgresCall("COMMIT"),
            ])
            return reached
        } catch {
            _ = try? await connection.run("ROLLBACK")
            throw error
        }
    }
}

/// The new table of a rebuild.
private struct TableInTheMaking<Model: ReadModel>: Sendable {
    private let table = ReadModelTable<Model>(isBuilding: true)
    private let connection: PostgresConnection
    private let session: PostgresSession

    init(
        on connection: PostgresConnection, copyingWith session: PostgresSession
    ) async throws(PostgresError) {
        self.connection = connection
        self.session = session
        try await connection.run(
            ["DROP TABLE IF EXISTS \(table.name)", table.creation, table.primaryKey].map {
                PostgresCall($0)
            })
    }

    var name: String { table.name }

    func load(_ keys: [Model.Key]) async throws(PostgresError) -> Rows {
        try await connection.run([table.load(keys)])[0]
    }

    /// Writes changed rows, new ones with COPY.
    func copy(_ changes: RowChanges) async throws(PostgresError) {
        var rest = changes
        if !changes.inserts.isEmpty {
            try await session.copyIn(
                table.copyStatement, columnCount: table.columnCount, changes.inserts)
            rest.inserts = PostgresFields()
        }
        try await write(rest)
    }

    /// Writes changed rows with plain statements, in the transaction under way.
    func write(_ changes: RowChanges) async throws(PostgresError) {
        guard !changes.isEmpty else { return }
        try await connection.run(table.write(changes))
    }

    /// On both connections at the same time: the last index, the dearest where they differ, and the others.
    func makeIndexes() async throws {
        guard let last = table.indexes.last else { return }
        async let made = session.execute(last)
        try await connection.run(table.indexes.dropLast().map { PostgresCall($0) })
        _ = try await made
    }
}

/// A rebuild can't be done now.
public struct RebuildError: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }
}

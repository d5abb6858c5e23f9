public import EventLog
internal import Domain
internal import EventCodec
public import Postgres

/// Builds a read model anew from the first event, beside the live table, and swaps the two.
///
/// The same fold as live, kept in memory and written with COPY at the end. Sales and the live
/// projection go on meanwhile; only the swap takes the checkpoint's lock for a moment.
public struct Rebuild<Model: ReadModel>: Sendable {
    public static var pageLimit: Int { 10_000 }
    /// The swap catches up with this many events at most; before it, it catches up without a lock.
    public static var swapLimit: Int { 1_000 }

    /// How far a rebuild has come.
    public struct Progress: Sendable {
        public var position: Int64
        public var head: Int64
        public var rowCount: Int
    }

    private let log: EventLog
    private let source: EventSource
    private let configuration: PostgresConfiguration
    private let table = ReadModelTable<Model>(isBuilding: true)

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
        var (rows, position) = try await foldAll(progress)
        try await connection.run(
            (["DROP TABLE IF EXISTS \(table.name)"] + table.creation).map { PostgresCall($0) })
        let session = try await PostgresSession.connect(to: configuration)
        let table = table
        try await session.copyIn(
            table.copyStatement,
            rows: rows.lazy.compactMap { key, change in change.map { table.values(key, $0) } })
        try await connection.run(table.indexes.map { PostgresCall($0) })
        while try await log.head() - position > Self.swapLimit {
            position = try await catchUp(&rows, after: position, on: connection)
        }
        position = try await swap(&rows, after: position, on: connection)
        return (position, rows.count { $0.value != nil })
    }

    /// Folds the whole log in memory; while one page is folded, the next is read.
    private func foldAll(
        _ progress: @Sendable (Progress) -> Void
    ) async throws -> (rows: ReadModelTable<Model>.Rows, position: Int64) {
        let head = try await log.head()
        var rows: ReadModelTable<Model>.Rows = [:]
        var position: Int64 = 0
        var page = try await read(after: position, to: head)
        while !page.isEmpty {
            let last = page[page.count - 1].position
            async let next = read(after: last, to: head)
            _ = Model.fold(try readable(page), into: &rows)
            position = last
            progress(Progress(position: position, head: head, rowCount: rows.count))
            page = try await next
        }
        return (rows, head)
    }

    /// A rebuild is of the whole log or not at all.
    private func readable(_ page: [SourceEvent]) throws(ProjectionFault) -> [ProjectedEvent] {
        let (events, fault) = ProjectionFault.wanted(by: Model.self, of: page)
        if let fault { throw fault }
        return events
    }

    private func read(after position: Int64, to head: Int64) async throws -> [SourceEvent] {
        guard position < head else { return [] }
        return try await source.read(
            after: position, limit: Self.pageLimit, types: Model.types,
            opensContacts: Model.opensContacts
        ).filter { $0.position <= head }
    }

    /// Folds what has come since, and writes the changed rows; returns the position reached.
    private func catchUp(
        _ rows: inout ReadModelTable<Model>.Rows, after position: Int64,
        on connection: PostgresConnection
    ) async throws -> Int64 {
        let events = try await source.read(
            after: position, limit: Self.pageLimit, opensContacts: Model.opensContacts)
        guard let last = events.last else { return position }
        let changed = Model.fold(
            try readable(events), into: &rows)
        let changes = rows.subset(of: changed)
        if !changes.isEmpty { try await connection.run(table.write(changes)) }
        return last.position
    }

    /// Locks the checkpoint, catches up to the head, and puts the new table in the old one's place.
    ///
    /// The epoch is raised, so the live leader finds itself replaced and begins again.
    private func swap(
        _ rows: inout ReadModelTable<Model>.Rows, after position: Int64,
        on connection: PostgresConnection
    ) async throws -> Int64 {
        try await connection.run("BEGIN")
        do {
            try await connection.run(
                "SELECT FROM reading.projection WHERE name = $1::text FOR UPDATE",
                [.text(Model.name)])
            var reached = position
            while true {
                let next = try await catchUp(&rows, after: reached, on: connection)
                if next == reached { break }
                reached = next
            }
            let live = ReadModelTable<Model>().name
            try await connection.run([
                PostgresCall("DROP TABLE IF EXISTS \(live)"),
                PostgresCall("ALTER TABLE \(table.name) RENAME TO \(Model.name)"),
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

/// A rebuild can't be done now.
public struct RebuildError: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }
}

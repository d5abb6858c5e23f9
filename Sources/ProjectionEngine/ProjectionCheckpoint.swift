public import Postgres

/// How far a projection has come, held by its leader.
struct ProjectionCheckpoint: Sendable {
    let name: String
    let epoch: Int64
    var position: Int64

    /// Begins a new leadership; makes the live table when there is none.
    ///
    /// Throws when the stored table is of another version: then it is to be rebuilt. Nil when a table that was
    /// kept is not kept any more.
    static func lead<Model: ReadModel>(
        _ table: ReadModelTable<Model>, on connection: PostgresConnection
    ) async throws -> ProjectionCheckpoint? {
        if table.generation == .live { try await prepare(Model.self, on: connection) }
        let rows = try await connection.run(
            """
            UPDATE reading.projection SET epoch = epoch + 1 WHERE name = $1::text
            RETURNING version, position, epoch
            """, [.text(table.plainName)])
        guard rows.count > 0 else { return nil }
        let version = rows.integer(0, 0)
        guard version == Model.version else {
            throw ProjectionVersionError(
                name: table.plainName, stored: version, expected: Model.version)
        }
        return ProjectionCheckpoint(
            name: table.plainName, epoch: Int64(rows.integer(0, 2)),
            position: Int64(rows.integer(0, 1)))
    }

    private static func prepare<Model: ReadModel>(
        _ model: Model.Type, on connection: PostgresConnection
    ) async throws(PostgresError) {
        let known = try await connection.run(
            "SELECT FROM reading.projection WHERE name = $1::text", [.text(Model.name)])
        guard known.count == 0 else { return }
        let table = ReadModelTable<Model>()
        let statements =
            ["DROP TABLE IF EXISTS \(table.name)", table.creation, table.primaryKey]
            + table.indexes
        try await connection.run(
            statements.map { PostgresCall($0) } + [
                PostgresCall(
                    """
                    INSERT INTO reading.projection (name, version, position, epoch, updated_at)
                    VALUES ($1::text, $2::int, 0, 0, clock_timestamp())
                    """, [.text(Model.name), .int32(Model.version)])
            ])
    }

    func advance(to position: Int64) -> PostgresCall {
        PostgresCall(
            "SELECT reading.advance($1::text, $2::bigint, $3::bigint, $4::bigint)",
            [.text(name), .int64(epoch), .int64(self.position), .int64(position)])
    }

    /// Throws where the table is not at this position any more, or somebody else leads it: a server that has stopped hard
    /// may have lost what it had not flushed, and who has nothing to write would never find out.
    func checkLead(on connection: PostgresConnection) async throws {
        let rows = try await connection.run(
            """
            SELECT FROM reading.projection
            WHERE name = $1::text AND epoch = $2::bigint AND position = $3::bigint
            """, [.text(name), .int64(epoch), .int64(position)])
        guard rows.count == 1 else { throw LeadLost(name: name) }
    }

    /// Records why it does not go on; the position it has reached stays.
    func stop(
        at position: Int64, because reason: String, on connection: PostgresConnection
    ) async throws(PostgresError) {
        try await Self.stop(name, epoch: epoch, at: position, because: reason, on: connection)
    }

    /// The same, also for a table that nobody leads, because it is of another version: it has no epoch. Without a position,
    /// it stands before whatever comes next.
    static func stop(
        _ name: String, epoch: Int64? = nil, at position: Int64? = nil, because reason: String,
        on connection: PostgresConnection
    ) async throws(PostgresError) {
        try await connection.run(
            """
            UPDATE reading.projection
            SET stopped_at_position = coalesce($3::bigint, position + 1), stopped_because = $4::text,
                updated_at = clock_timestamp()
            WHERE name = $1::text AND ($2::bigint IS NULL OR epoch = $2::bigint)
            """,
            [
                .text(name), .optional(epoch) { .int64($0) }, .optional(position) { .int64($0) },
                .text(reason),
            ])
    }
}

/// A leader has found that he leads no more, or elsewhere.
struct LeadLost: Error, CustomStringConvertible {
    let name: String

    var description: String { "\(name) is led by somebody else, or from another position" }
}

/// The table was made by another version of the program.
public struct ProjectionVersionError: Error, CustomStringConvertible {
    public let name: String
    public let stored: Int
    public let expected: Int

    public var description: String {
        "the table of \(name) is of version \(stored) and this program's is \(expected): "
            + "quartermaster rebuild \(name)"
    }
}

/// What is known of a projection from outside.
public struct ProjectionStatus: Hashable, Sendable {
    public var name: String
    public var version: Int
    public var position: Int64
    public var stoppedAtPosition: Int64?
    public var stoppedBecause: String?
    /// Microseconds since 1970.
    public var updatedAt: Int64

    /// A table that a rebuild has replaced and kept: it answers nothing, and nobody waits for it.
    public var isKept: Bool { name.hasSuffix(TableGeneration.old.suffix) }

    /// One row with the position that all of these projections have reached.
    public static func reached(by names: [String]) -> PostgresCall {
        PostgresCall(
            "SELECT coalesce(min(position), 0) FROM reading.projection WHERE name = ANY ($1::text[])",
            [.array(of: .text, names.map { .text($0) })])
    }

    /// One row with the position that the furthest of these projections has reached.
    public static func furthest(of names: [String]) -> PostgresCall {
        PostgresCall(
            "SELECT coalesce(max(position), 0) FROM reading.projection WHERE name = ANY ($1::text[])",
            [.array(of: .text, names.map { .text($0) })])
    }

    /// How far a projection is behind.
    public struct Lag: Sendable {
        public var name: String
        public var position: Int64
        /// Since the first event that it has not seen was recorded; 0 when it has seen all.
        public var seconds: Double
        public var isStopped: Bool
    }

    /// The head of the log, and how far all projections are behind it; without tables that are only kept.
    public static func lags(
        _ client: PostgresClient
    ) async throws(PostgresError) -> (head: Int64, projections: [Lag]) {
        let rows = try await client.run([
            PostgresCall(
                """
                SELECT p.name, p.position, p.stopped_at_position IS NOT NULL,
                    (extract(epoch FROM clock_timestamp() - e.recorded_at) * 1000)::bigint
                FROM reading.projection p LEFT JOIN log.event e ON e.position = p.position + 1
                WHERE NOT starts_with(reverse(p.name), reverse($1::text))
                ORDER BY p.name
                """, [.text(TableGeneration.old.suffix)]),
            // Last, or what has happened since would look like something that the log has lost.
            PostgresCall("SELECT coalesce(max(position), 0) FROM log.event"),
        ])
        let lags = (0..<rows[0].count).map { row in
            Lag(
                name: rows[0].text(row, 0), position: Int64(rows[0].integer(row, 1)),
                seconds: Double(rows[0].optionalInteger(row, 3) ?? 0) / 1000,
                isStopped: rows[0].bool(row, 2))
        }
        return (Int64(rows[1].integer(0, 0)), lags)
    }

    /// All projections that have ever run, by name.
    public static func all(_ client: PostgresClient) async throws(PostgresError) -> [Self] {
        let rows = try await client.run(
            """
            SELECT name, version, position, stopped_at_position, stopped_because, updated_at
            FROM reading.projection ORDER BY name
            """)
        return (0..<rows.count).map { row in
            ProjectionStatus(
                name: rows.text(row, 0), version: rows.integer(row, 1),
                position: Int64(rows.integer(row, 2)),
                stoppedAtPosition: rows.optionalInteger(row, 3).map(Int64.init),
                stoppedBecause: rows.optionalText(row, 4), updatedAt: rows.timestamp(row, 5))
        }
    }
}

internal import Postgres

extension TableBuilder {
    /// Parts of a table whose sums are compared, so that only those that differ are read.
    private static var partCount: Int { 1024 }

    /// Holds the live table still for the comparison alone, which hinders nobody; returns the position that it
    /// shows. Nil when there is none of this version, it has stopped, or somebody has dropped the table.
    func holdLive() async throws -> Int64? {
        let live = try await PostgresSession.connect(to: client.configuration)
        let rows = try await live.execute(
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_seqscan = on;
            SELECT position FROM reading.projection
            WHERE name = '\(Model.name)' AND version = \(Model.version)
                AND stopped_at_position IS NULL
                AND to_regclass('\(ReadModelTable<Model>(.live).name)') IS NOT NULL
            """)
        liveSession = rows.count > 0 ? live : nil
        return rows.count > 0 ? Int64(rows.text(0, 0)) : nil
    }

    /// Compares what was built, all of it written, with what was held still at the same position: both sums at once,
    /// with all processors, or one after the other with one.
    func compareWithLive(atOnce: Bool) async throws -> TableDifference {
        guard let live = liveSession else { preconditionFailure("nothing is held still") }
        defer { liveSession = nil }
        let liveTable = ReadModelTable<Model>(.live)
        try await session.execute("SET enable_seqscan = on")
        if !atOnce {
            for session in [live, session] {
                try await session.execute("SET max_parallel_workers_per_gather = 0")
            }
        }
        async let liveSum = live.execute(liveTable.checksum())
        if !atOnce { _ = try await liveSum }
        let sum = try await session.execute(table.checksum())
        let (before, after) = (try await Sum(liveSum, 0, 0), Sum(sum, 0, 0))
        var difference = TableDifference(liveRowCount: before.count, rowCount: after.count)
        guard before != after else { return difference }
        let parts = try await (
            Self.parts(live, liveTable.checksum(parts: Self.partCount)),
            Self.parts(session, table.checksum(parts: Self.partCount))
        )
        for part in 0..<Self.partCount where parts.0[part] != parts.1[part] {
            let old = try await Self.rows(live, liveTable.rowSums(part: part, of: Self.partCount))
            let new = try await Self.rows(session, table.rowSums(part: part, of: Self.partCount))
            for key in Set(old.keys).union(new.keys) where old[key]?.sum != new[key]?.sum {
                difference.add(key, at: (new[key] ?? old[key])?.position ?? 0)
            }
        }
        return difference
    }

    /// A number of rows, and the sum over them.
    private struct Sum: Equatable {
        var count: Int
        var sum: String

        init(_ rows: Rows, _ row: Int, _ column: Int) {
            count = Int(rows.text(row, column)) ?? 0
            sum = rows.text(row, column + 1)
        }
    }

    private static func parts(
        _ session: PostgresSession, _ query: String
    ) async throws(PostgresError) -> [Int: Sum] {
        let rows = try await session.execute(query)
        var parts: [Int: Sum] = [:]
        for row in 0..<rows.count {
            parts[Int(rows.text(row, 0)) ?? 0] = Sum(rows, row, 1)
        }
        return parts
    }

    private static func rows(
        _ session: PostgresSession, _ query: String
    ) async throws(PostgresError) -> [String: (sum: String, position: Int64)] {
        let rows = try await session.execute(query)
        var sums: [String: (sum: String, position: Int64)] = [:]
        for row in 0..<rows.count {
            sums[rows.text(row, 0)] = (rows.text(row, 1), Int64(rows.text(row, 2)) ?? 0)
        }
        return sums
    }
}

/// What a comparison of a rebuilt table with the live one at the same position has found.
public struct TableDifference: Hashable, Sendable {
    /// Rows beyond this many are counted only.
    public static let rowLimit = 1000

    /// A row that differs, or that one of them only has, and the last event that changed it.
    public struct Row: Hashable, Sendable {
        public var key: String
        public var position: Int64
    }

    public var liveRowCount: Int
    public var rowCount: Int
    /// The first of them, by key.
    public private(set) var rows: [Row] = []
    /// How many there are.
    public private(set) var count = 0

    init(liveRowCount: Int, rowCount: Int) {
        self.liveRowCount = liveRowCount
        self.rowCount = rowCount
    }

    public var isNone: Bool { count == 0 && liveRowCount == rowCount }

    mutating func add(_ key: String, at position: Int64) {
        count += 1
        guard rows.count < Self.rowLimit || key < rows[rows.count - 1].key else { return }
        let place = rows.firstIndex { $0.key > key } ?? rows.count
        rows.insert(Row(key: key, position: position), at: place)
        if rows.count > Self.rowLimit { rows.removeLast() }
    }
}

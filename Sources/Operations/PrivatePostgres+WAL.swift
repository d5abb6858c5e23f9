public import LocalServers
public import Logging
internal import Postgres

extension PrivatePostgres {
    /// Of 16 MB each: room for a first rush of a hundred thousand bookings.
    public static let reservedSegmentCount = 32

    /// Has a new cluster make its write-ahead log before anybody waits for it; an old one has it.
    ///
    /// Each switch to a new segment makes one, and a checkpoint keeps them for later: "As long as WAL
    /// disk usage stays below [min_wal_size], old WAL files are always recycled for future use at a
    /// checkpoint" (PostgreSQL, Write Ahead Log).
    public func reserveLog(
        segments count: Int = reservedSegmentCount, logger: Logger
    ) async throws {
        guard isNew else { return }
        let session = try await PostgresSession.connect(
            to: Connections(url: url, logger: logger).administrative)
        try await session.execute(
            """
            DO $$ BEGIN
                FOR segment IN 1 .. \(count) LOOP
                    PERFORM pg_logical_emit_message(false, 'quartermaster', 'reserved');
                    PERFORM pg_switch_wal();
                END LOOP;
            END $$
            """)
        try await session.execute("CHECKPOINT")
    }
}

public import Postgres

/// Stands before the log and lets nobody append until it is told to.
public struct Warden {
    private let lock: PostgresSession
    private let witness: PostgresSession

    public init(at configuration: PostgresConfiguration) async throws {
        lock = try await PostgresSession.connect(to: configuration)
        witness = try await PostgresSession.connect(to: configuration)
        try await lock.execute("SELECT pg_advisory_lock(7305804402)")
    }

    /// Waits until so many appenders stand before the log, each with what it has decided.
    public func wait(for appenders: Int) async throws {
        try await eventually("\(appenders) have decided") {
            let waiting = try await witness.execute(
                """
                SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
                    AND (l.classid::bigint << 32 | l.objid::bigint) = 7305804402
                """)
            return waiting.text(0, 0) == "\(appenders)"
        }
    }

    public func leave() async throws {
        try await lock.execute("SELECT pg_advisory_unlock(7305804402)")
    }
}

/// Lets the log take whatever it is given: what a decision was made on is not looked at.
public let guardOff = """
    CREATE OR REPLACE FUNCTION log.failed_items(
        item_after bigint[], item_tag_ends int[], item_tags uuid[],
        item_type_ends int[], item_types smallint[]) RETURNS int[]
    LANGUAGE sql AS 'SELECT NULL::int[]'
    """

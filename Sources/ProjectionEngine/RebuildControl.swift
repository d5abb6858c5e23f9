public import Postgres

/// The table in which rebuilds under way stand, and what operators want of them.
public enum RebuildControl {
    public enum Wish: String, Sendable {
        case run
        case pause
        case cancel
    }

    /// A rebuild that is under way, or was interrupted.
    public struct Status: Hashable, Sendable {
        public var name: String
        public var version: Int
        public var position: Int64
        public var wish: Wish
        /// Whether a process is at it.
        public var isRunning: Bool
        /// Whether it waits because somebody has said so, or asked for no more.
        public var isPaused: Bool { !isRunning && wish == .pause }
        /// Whether what is built takes nothing's place: it is compared, or read, and thrown away.
        public var isThrowAway: Bool {
            [TableGeneration.check, .asOf].contains { name.hasSuffix($0.suffix) }
        }
    }

    /// All rebuilds that are not finished, by name.
    public static func all(_ client: PostgresClient) async throws(PostgresError) -> [Status] {
        let rows = try await client.run(
            """
            SELECT name, version, position, wanted, EXISTS (
                SELECT FROM pg_locks
                WHERE locktype = 'advisory' AND granted AND database =
                        (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND (classid::bigint << 32 | objid::bigint)
                        = hashtextextended('quartermaster.rebuild.' || name, 0))
            FROM reading.rebuild ORDER BY name
            """)
        return (0..<rows.count).map { row in
            Status(
                name: rows.text(row, 0), version: rows.integer(row, 1),
                position: Int64(rows.integer(row, 2)),
                wish: Wish(rawValue: rows.text(row, 3)) ?? .run,
                isRunning: rows.bool(row, 4))
        }
    }

    /// Says what is wanted of a rebuild; false when there is none. It is heard within a second. One that is
    /// to be cancelled while no process is at it goes at once.
    public static func want(
        _ wish: Wish, of name: String, _ client: PostgresClient
    ) async throws(PostgresError) -> Bool {
        let rows = try await client.run(
            "UPDATE reading.rebuild SET wanted = $2::text WHERE name = $1::text RETURNING name",
            [.text(name), .text(wish.rawValue)])
        guard rows.count > 0 else { return false }
        if wish == .cancel,
            try await all(client).contains(where: { $0.name == name && !$0.isRunning })
        {
            try await removeLeft(name, name + TableGeneration.building.suffix, client)
        }
        return true
    }

    /// Says of one that nobody wants otherwise that it waits.
    static func rest(_ name: String, _ client: PostgresClient) async throws(PostgresError) {
        try await client.run(
            "UPDATE reading.rebuild SET wanted = 'pause' WHERE name = $1::text AND wanted = 'run'",
            [.text(name)])
    }

    /// Removes what an interrupted 'verify' or 'table' has left: nothing goes on from there.
    public static func sweep(_ client: PostgresClient) async throws(PostgresError) {
        for status in try await all(client) where !status.isRunning && status.isThrowAway {
            try await removeLeft(status.name, status.name, client)
        }
    }

    /// Removes what nobody builds any more; others may do so as well, and one of them have begun anew.
    private static func removeLeft(
        _ name: String, _ table: String, _ client: PostgresClient
    ) async throws(PostgresError) {
        try await client.run(
            """
            DO $$ BEGIN
                IF pg_try_advisory_xact_lock(\(lockKey(name))) THEN
                    DROP TABLE IF EXISTS reading.\(table);
                    DELETE FROM reading.rebuild WHERE name = '\(name)';
                END IF;
            END $$
            """)
    }

    // MARK: For those who build

    /// Takes the name for as long as the connection lives.
    static func lock(_ name: String) -> String { "SELECT pg_try_advisory_lock(\(lockKey(name)))" }

    private static func lockKey(_ name: String) -> String {
        "hashtextextended('quartermaster.rebuild.\(name)', 0)"
    }

    static func start(_ name: String, version: Int, keepsOld: Bool) -> String {
        """
        DELETE FROM reading.rebuild WHERE name = '\(name)';
        INSERT INTO reading.rebuild (
            name, version, position, wanted, keeps_old, started_at, updated_at)
        VALUES (
            '\(name)', \(version), 0, 'run', \(keepsOld), clock_timestamp(), clock_timestamp())
        """
    }

    /// Where one of the same version was interrupted, whose table is there, and whether what it replaces is kept, because
    /// that was asked for then or is now; nil when there is none.
    static func resume(
        _ name: String, version: Int, keepsOld: Bool, _ table: String, on session: PostgresSession
    ) async throws(PostgresError) -> (position: Int64, keepsOld: Bool)? {
        let rows = try await session.execute(
            """
            UPDATE reading.rebuild SET wanted = 'run', keeps_old = keeps_old OR \(keepsOld)
            WHERE name = '\(name)' AND version = \(version) AND to_regclass('\(table)') IS NOT NULL
            RETURNING position, keeps_old
            """)
        guard rows.count > 0, let position = Int64(rows.text(0, 0)) else { return nil }
        return (position, rows.text(0, 1) == "t")
    }

    static func advance(_ name: String, to position: Int64) -> String {
        """
        UPDATE reading.rebuild SET position = \(position), updated_at = clock_timestamp()
        WHERE name = '\(name)'
        """
    }

    static func discard(_ name: String, _ table: String) -> String {
        """
        BEGIN; DROP TABLE IF EXISTS \(table);
        DELETE FROM reading.rebuild WHERE name = '\(name)'; COMMIT
        """
    }

    static func wishes(
        of names: [String], _ client: PostgresClient
    ) async throws(PostgresError) -> [String: Wish] {
        let rows = try await client.run(
            "SELECT name, wanted FROM reading.rebuild WHERE name = ANY ($1::text[])",
            [.array(of: .text, names.map { .text($0) })])
        var wishes: [String: Wish] = [:]
        for row in 0..<rows.count { wishes[rows.text(row, 0)] = Wish(rawValue: rows.text(row, 1)) }
        return wishes
    }
}

extension PostgresError {
    /// Somebody else has held a lock for longer than was to be waited: "lock_not_available".
    var isOfHeldLock: Bool { kind == .other(sqlState: "55P03") }
}

/// What puts tables of a read model in each other's place.
enum SwapScript<Model: ReadModel> {
    private static var live: String { Model.name }
    private static var old: String { Model.name + TableGeneration.old.suffix }
    private static var building: String { Model.name + TableGeneration.building.suffix }

    /// The new table is still read by its builder, on another connection, for what is to be folded before it takes the
    /// live one's place.
    ///
    /// With `keepsOld`, what was kept before goes as well. Of each the checkpoint comes first, as with those who project.
    static func lock(keepsOld: Bool) -> String {
        let going = keepsOld ? [live, old] : [live]
        let names = going.map { "'\($0)'" }.joined(separator: ", ")
        let locks = going.map { name in
            """
            IF to_regclass('reading.\(name)') IS NOT NULL THEN
                LOCK TABLE reading.\(name) IN ACCESS EXCLUSIVE MODE;
            END IF;
            """
        }
        return """
            \(Rebuild.beginSwap(of: going.map { "reading.\($0)" }))
            LOCK TABLE reading.\(building) IN SHARE ROW EXCLUSIVE MODE;
            SELECT FROM reading.projection WHERE name IN (\(names)) ORDER BY name FOR UPDATE;
            DO $$ BEGIN \(locks.joined(separator: "\n")) END $$
            """
    }

    /// The new table takes the live one's place. The epoch is raised, so the live leader finds itself
    /// replaced and begins again.
    static func replace(at position: Int64, keepsOld: Bool) -> String {
        let away =
            keepsOld
            ? """
            DROP TABLE IF EXISTS reading.\(old);
            ALTER TABLE IF EXISTS reading.\(live) RENAME TO \(old);
            INSERT INTO reading.projection (name, version, position, epoch, updated_at)
                SELECT '\(old)', version, position, 1, updated_at
                FROM reading.projection WHERE name = '\(live)'
            ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version,
                position = EXCLUDED.position, epoch = reading.projection.epoch + 1,
                stopped_at_position = NULL, stopped_because = NULL,
                updated_at = EXCLUDED.updated_at
            """ : "DROP TABLE IF EXISTS reading.\(live)"
        return """
            \(away);
            ALTER TABLE reading.\(building) RENAME TO \(live);
            ALTER TABLE reading.\(live) RESET (autovacuum_enabled);
            INSERT INTO reading.projection (name, version, position, epoch, updated_at)
            VALUES ('\(live)', \(Model.version), \(position), 1, clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version,
                position = EXCLUDED.position, epoch = reading.projection.epoch + 1,
                stopped_at_position = NULL, stopped_because = NULL,
                updated_at = EXCLUDED.updated_at;
            DELETE FROM reading.rebuild WHERE name = '\(live)'
            """
    }
}

extension ReadModel {
    /// Puts the table that the last rebuild has replaced back in its place, and keeps the other one.
    ///
    /// Throws ``RebuildError`` when none was kept, or when it is of another version than this program's.
    public static func undoRebuild(_ configuration: PostgresConfiguration) async throws {
        let session = try await PostgresSession.connect(to: configuration)
        let (live, old) = (name, name + TableGeneration.old.suffix)
        let kept = try await session.execute(
            "SELECT version FROM reading.projection WHERE name = '\(old)'")
        guard kept.count > 0 else {
            throw RebuildError(description: "nothing was kept of \(name): see --keep-old")
        }
        guard Int(kept.text(0, 0)) == version else {
            throw RebuildError(
                description: "the table kept of \(name) is of version \(kept.text(0, 0)), and this "
                    + "program's is \(version): the program that made it can undo this")
        }
        try await exchange(live, old, on: session)
    }

    /// Whoever reads the table for long is waited for between attempts, so that nobody else waits behind us.
    private static func exchange(
        _ live: String, _ old: String, on session: PostgresSession
    ) async throws {
        for attempt in 1...Rebuild.swapAttempts {
            do throws(PostgresError) {
                return try await exchangeNow(live, old, on: session)
            } catch {
                guard error.isOfHeldLock, attempt < Rebuild.swapAttempts else {
                    throw error
                }
                try await session.execute("ROLLBACK")
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private static func exchangeNow(
        _ live: String, _ old: String, on session: PostgresSession
    ) async throws(PostgresError) {
        try await session.execute(
            """
            \(Rebuild.beginSwap(of: ["reading.\(live)", "reading.\(old)"]))
            SELECT FROM reading.projection WHERE name IN ('\(live)', '\(old)')
                ORDER BY name FOR UPDATE;
            ALTER TABLE reading.\(live) RENAME TO \(live)_between;
            ALTER TABLE reading.\(old) RENAME TO \(live);
            ALTER TABLE reading.\(live)_between RENAME TO \(old);
            UPDATE reading.projection p SET version = other.version, position = other.position,
                epoch = greatest(p.epoch, other.epoch) + 1, updated_at = clock_timestamp(),
                stopped_at_position = other.stopped_at_position,
                stopped_because = other.stopped_because
            FROM reading.projection other
            WHERE (p.name, other.name) IN (('\(live)', '\(old)'), ('\(old)', '\(live)'));
            COMMIT
            """)
    }

    /// Lets go of the table that the last rebuild has replaced; false when none was kept.
    public static func dropKept(_ configuration: PostgresConfiguration) async throws -> Bool {
        let session = try await PostgresSession.connect(to: configuration)
        let old = name + TableGeneration.old.suffix
        let rows = try await session.execute(
            """
            BEGIN; DELETE FROM reading.projection WHERE name = '\(old)' RETURNING name
            """)
        // Its checkpoint first, as with those who keep it up to date.
        let wasKept = rows.count > 0
        try await session.execute("DROP TABLE IF EXISTS reading.\(old); COMMIT")
        return wasKept
    }
}

import EventLog
import Operations
import Postgres
import Testing
import TestSupport

@Suite struct LogGuardTests {
    static let statements = [
        "INSERT INTO log.event SELECT * FROM log.event",
        "INSERT INTO log.event_tag VALUES (gen_random_uuid(), 1, 1)",
        "INSERT INTO vault.customer_key VALUES (gen_random_uuid(), '')",
        "UPDATE log.event SET data = '{}'", "DELETE FROM log.event", "TRUNCATE log.event",
        "UPDATE log.event_tag SET type = 2", "DELETE FROM log.event_tag",
        "DELETE FROM vault.customer_key", "DROP TABLE log.event",
        "ALTER TABLE log.event DISABLE TRIGGER ALL",
        "CREATE TABLE log.mine (a int)", "SELECT log.has_tags(1, '{}')",
        "COPY log.event FROM STDIN", "SELECT FROM log.event FOR UPDATE",
        "INSERT INTO log.event_tag VALUES (gen_random_uuid(), 1, 1) ON CONFLICT DO NOTHING",
        "MERGE INTO log.event e USING log.event f ON e.position = f.position WHEN MATCHED THEN DELETE",
    ]

    @Test("lets the application change nothing in the log by any statement", arguments: statements)
    func stopsApplication(_ statement: String) async throws {
        try await TestDatabase.with { database in
            let client = database.connections.log(1).client
            let error = await #expect(throws: PostgresError.self) {
                try await client.run(statement)
            }
            #expect(error?.kind == .notAllowed)
            await client.close()
        }
    }

    @Test("gives the application no right on any table of the log, or on keys, but to read")
    func grantsReadingOnly() async throws {
        try await TestDatabase.with { database in
            let rows = try await database.administer(
                """
                SELECT format('%I.%I %s', n.nspname, c.relname, privilege)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
                    unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES'])
                        AS privilege
                WHERE (n.nspname = 'log' OR c.relname = 'customer_key') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                    AND (has_table_privilege('quartermaster_application', c.oid, privilege)
                        OR privilege IN ('INSERT', 'UPDATE', 'REFERENCES')
                            AND has_any_column_privilege('quartermaster_application', c.oid, privilege))
                """)
            #expect(rows.count == 0, "\((0..<rows.count).map { rows.text($0, 0) })")
            let known = try await database.administer(
                "SELECT has_table_privilege('quartermaster_application', 'log.event', 'SELECT')")
            #expect(known.text(0, 0) == "t")
        }
    }

    @Test(
        "stops the owner too",
        arguments: ["event", "event_tag"].flatMap { table in
            [
                "UPDATE log.\(table) SET \(table == "event" ? "actor = ''" : "type = 2")",
                "DELETE FROM log.\(table)", "TRUNCATE log.\(table)",
            ]
        })
    func stopsOwner(_ statement: String) async throws {
        try await TestDatabase.with { database in
            let error = await #expect(throws: PostgresError.self) {
                try await database.administer("SET ROLE quartermaster_owner; \(statement)")
            }
            #expect(error?.kind == .other(sqlState: "23001"))
        }
    }

    @Test("lets reporting read the read models and nothing else")
    func limitsReporting() async throws {
        try await TestDatabase.with { database in
            for table in ["log.event", "vault.customer_key"] {
                let error = await #expect(throws: PostgresError.self) {
                    try await database.administer(
                        "SET ROLE quartermaster_reporting; SELECT * FROM \(table)")
                }
                #expect(error?.kind == .notAllowed)
            }
            try await database.administer(
                "SET ROLE quartermaster_reporting; SELECT * FROM reading.projection")
        }
    }

    /// What a superuser could do behind everybody's back, and what is found then.
    static let alterations: [(String, LogFault.Kind)] = [
        ("UPDATE log.event SET data = '{\"a\":2}' WHERE position = 2", .brokenChain),
        ("UPDATE log.event SET actor = 'other' WHERE position = 2", .brokenChain),
        ("UPDATE log.event SET type = 9 WHERE position = 2", .brokenChain),
        ("UPDATE log.event SET schema_version = 9 WHERE position = 2", .brokenChain),
        ("UPDATE log.event SET command_id = gen_random_uuid() WHERE position = 2", .brokenChain),
        (
            "UPDATE log.event SET correlation_id = gen_random_uuid() WHERE position = 2",
            .brokenChain
        ),
        ("UPDATE log.event SET causation_position = 1 WHERE position = 2", .brokenChain),
        (
            "UPDATE log.event SET recorded_at = recorded_at - interval '1 day' WHERE position = 2",
            .brokenChain
        ),
        ("UPDATE log.event SET request_hash = 'x' WHERE position = 2", .brokenChain),
        ("UPDATE log.event SET command_end = 3 WHERE position = 2", .brokenCommand),
        ("UPDATE log.event SET command_end = NULL WHERE position = 2", .brokenCommand),
        ("UPDATE log.event SET hash = sha256('x') WHERE position = 2", .brokenChain),
        ("DELETE FROM log.event WHERE position = 2", .hole),
        (
            """
            UPDATE log.event SET position = 9, command_end = 9 WHERE position = 2;
            UPDATE log.event SET position = 2, command_end = 2 WHERE position = 3;
            UPDATE log.event SET position = 3, command_end = 3 WHERE position = 9
            """, .brokenChain
        ),
    ]

    @Test("finds and places whatever was altered", arguments: alterations)
    func findsAlterations(_ statement: String, _ kind: LogFault.Kind) async throws {
        try await TestDatabase.with { database in
            let log = database.connections.log(1)
            for number in 1...3 {
                _ = try await log.append([command(uuid(UInt64(number)), tags: [uuid(10)])])
            }
            #expect(try await log.verify().faults.isEmpty)
            try await database.administer("SET session_replication_role = replica; \(statement)")
            let faults = try await log.verify().faults
            #expect(faults.contains(LogFault(position: 2, kind: kind)))
        }
    }
}

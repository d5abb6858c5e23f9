import Glibc
import Testing
import TestServers

@testable import Postgres

@Suite struct PostgresConnectionTests {
    private func connect(
        statementTimeout: Duration = .seconds(30)
    ) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            to: PostgresConfiguration(
                url: try await TestServers.shared.postgresURL(),
                statementTimeout: statementTimeout))
    }

    @Test("gives up a server that hangs, and knows not what became of what it was sent")
    func givesUp() async throws {
        let url = try await TestServers.shared.postgresURL()
        let connection = try await PostgresConnection.connect(
            to: PostgresConfiguration(url: url, answerTimeout: .seconds(5)))
        let pid = pid_t(try await connection.run("SELECT pg_backend_pid()").integer(0, 0))
        // One that takes its time is waited for; so is one that has nothing to do.
        _ = try await connection.run("SELECT pg_sleep(1)")
        try await Task.sleep(for: .milliseconds(5500))
        _ = try await connection.run("SELECT 1")
        kill(pid, SIGSTOP)
        defer { kill(pid, SIGCONT) }
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run("SELECT 1")
        }
        #expect(error?.kind == .connectionLost)
        #expect(await connection.isBroken)
    }

    @Test("carries every type there and back in binary")
    func roundTrips() async throws {
        let connection = try await connect()
        let rows = try await connection.run(
            """
            SELECT $1::int8, $2::text, $3::bytea, $4::uuid, $5::timestamptz, $6::bool, $7::text,
                   $8::int2, ($9::text[])[2], cardinality($10::uuid[]), ($11::bytea[])[1] IS NULL
            """,
            [
                .int64(-5), .text("Ünïcødé 🚀"), .bytes([0, 255, 7]),
                .uuid(PostgresUUID(high: 1, low: 2)), .timestamp(1_700_000_000_123_456),
                .bool(true), .null, .int16(12), .array(of: .text, [.text("a"), .text("b")]),
                .array(of: .uuid, []), .array(of: .bytea, [.null]),
            ])
        #expect(rows.integer(0, 0) == -5)
        #expect(rows.text(0, 1) == "Ünïcødé 🚀")
        #expect(rows.bytes(0, 2) == [0, 255, 7])
        #expect(rows.uuid(0, 3) == PostgresUUID(high: 1, low: 2))
        #expect(rows.timestamp(0, 4) == 1_700_000_000_123_456)
        #expect(rows.bool(0, 5))
        #expect(rows.optionalText(0, 6) == nil)
        #expect(rows.integer(0, 7) == 12)
        #expect(rows.text(0, 8) == "b")
        #expect(rows.integer(0, 9) == 0)
        #expect(rows.bool(0, 10))
    }

    @Test("reports what fails when its statements are done and are committed, and goes on")
    func reportsFailedCommit() async throws {
        let connection = try await connect()
        try await connection.run(
            """
            CREATE TEMPORARY TABLE once (number int8,
                CONSTRAINT once_number UNIQUE (number) DEFERRABLE INITIALLY DEFERRED)
            """)
        let insert = PostgresCall("INSERT INTO once VALUES ($1::int8)", [.int64(1)])
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run([insert, insert])
        }
        #expect(error?.kind == .uniqueViolation(constraint: "once_number"))
        let rows = try await connection.run("SELECT count(*) FROM once")
        #expect(rows.integer(0, 0) == 0)
        #expect(try await connection.run([]).isEmpty)
    }

    @Test("loses its link while nothing but the end of a unit is to be answered, and says so")
    func losesLinkAtTheEnd() async throws {
        let warden = try await connect()
        for _ in 0..<50 {
            let connection = try await connect()
            let pid = try await connection.run("SELECT pg_backend_pid()::int8").integer(0, 0)
            async let ended = warden.run(
                "SELECT pg_terminate_backend($1::int8::int)", [.int64(Int64(pid))])
            while true {
                do throws(PostgresError) {
                    _ = try await connection.run([])
                    _ = try await connection.run("SELECT 1")
                } catch {
                    #expect(error.isConnectionFault, "\(error)")
                    break
                }
            }
            _ = try await ended
        }
    }

    @Test("passes an empty text and an empty bytea as values, not as NULL")
    func passesEmptyValues() async throws {
        let rows = try await connect().run(
            "SELECT $1::text IS NULL, $2::bytea IS NULL", [.text(""), .bytes([])])
        #expect(!rows.bool(0, 0))
        #expect(!rows.bool(0, 1))
    }

    @Test("answers many callers on one connection, each with his own rows")
    func answersManyCallers() async throws {
        let connection = try await connect()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let rows = try await connection.run(
                        "SELECT $1::int8 * 2", [.int64(Int64(number))])
                    #expect(rows.integer(0, 0) == number * 2)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("takes back a whole unit when one of its statements fails, and no other unit")
    func failsOneUnitOnly() async throws {
        let connection = try await connect()
        try await connection.run(
            "CREATE TEMP TABLE seat (number int CONSTRAINT seat_number_key UNIQUE)")
        async let good = connection.run([PostgresCall("INSERT INTO seat VALUES (1)")])
        _ = try await good
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run([
                PostgresCall("INSERT INTO seat VALUES (2)"),
                PostgresCall("INSERT INTO seat VALUES (1)"),
                PostgresCall("INSERT INTO seat VALUES (3)"),
            ])
        }
        #expect(error?.kind == .uniqueViolation(constraint: "seat_number_key"))
        let rows = try await connection.run("SELECT count(*) FROM seat")
        #expect(rows.integer(0, 0) == 1)
    }

    @Test("tells a statement that can't be prepared, and goes on")
    func survivesSyntaxErrors() async throws {
        let connection = try await connect()
        for _ in 0..<2 {
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run("SELEC 1")
            }
            #expect(error?.kind == .other(sqlState: "42601"))
        }
        #expect(try await connection.run("SELECT 1::int8").integer(0, 0) == 1)
    }

    @Test("ends a statement that runs longer than it may")
    func timesOut() async throws {
        let connection = try await connect(statementTimeout: .milliseconds(50))
        let error = await #expect(throws: PostgresError.self) {
            try await connection.run("SELECT pg_sleep(30)")
        }
        #expect(error?.kind == .timedOut)
    }

    @Test("says that the outcome is unknown when the link breaks under a statement")
    func reportsUnknownOutcome() async throws {
        let connection = try await connect()
        let pid = try await connection.run("SELECT pg_backend_pid()").integer(0, 0)
        let other = try await connect()
        let lost = Task { try await connection.run("SELECT pg_sleep(30)") }
        var isRunning = false
        for _ in 0..<10_000 where !isRunning {
            isRunning =
                try await other.run(
                    "SELECT pid FROM pg_stat_activity WHERE pid = $1::int4 AND query LIKE '%pg_sleep%'",
                    [.int32(pid)]
                ).count == 1
        }
        #expect(isRunning)
        try await other.run("SELECT pg_terminate_backend($1::int4)", [.int32(pid)])
        let error = await #expect(throws: PostgresError.self) { try await lost.value }
        #expect(error?.kind == .connectionLost)
        #expect(await connection.isBroken)
        let next = await #expect(throws: PostgresError.self) {
            try await connection.run("SELECT 1")
        }
        #expect(next?.kind == .unreachable)
    }

    @Test("says that nobody is there when the server can't be reached")
    func reportsUnreachableServer() async throws {
        let error = await #expect(throws: PostgresError.self) {
            try await PostgresConnection.connect(
                to: PostgresConfiguration(url: "postgresql://postgres@127.0.0.1:1/postgres"))
        }
        #expect(error?.kind == .unreachable)
    }

    @Test("gives up on a server that accepts and says nothing")
    func limitsConnecting() async throws {
        let silent = try SilentServer()
        let url = "postgresql://postgres@127.0.0.1:\(silent.port)/postgres"
        let configurations = [
            PostgresConfiguration(url: url, connectTimeout: .milliseconds(200)),
            PostgresConfiguration(url: url + "?connect_timeout=1", connectTimeout: .seconds(3600)),
        ]
        for configuration in configurations {
            let error = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(to: configuration)
            }
            #expect(error?.kind == .unreachable)
        }
    }
}

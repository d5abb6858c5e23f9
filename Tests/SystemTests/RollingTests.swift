import Foundation
import Glibc
import LocalServers
import Postgres
import TestSupport
import Testing

/// One version after the other, with nobody left standing at the door.
@Suite(.endsWhenHung) struct RollingTests {
    @Test("answers while it says that it is about to end; without a drain it does not")
    func drains() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 1_000)
            for (seconds, isAnswered) in [(20, true), (0, false)] {
                let role = try await ServerProcess.start(
                    "command-api", in: server.folder,
                    environment: ["DRAIN_SECONDS": "\(seconds)"])
                #expect(try await role.commands.post("/v1/bookings", place.order()).status == 201)
                Glibc.kill(role.process.pid, SIGTERM)
                try await eventually("it says that it is not ready, or is gone") {
                    guard let ready = try? await role.commands.get("/readyz") else { return true }
                    return ready.status == 503
                }
                func answers() async throws -> Bool {
                    try await role.commands.post("/v1/bookings", place.order()).status == 201
                }
                if isAnswered {
                    #expect(try await answers(), "\(seconds) s")
                    Glibc.kill(role.process.pid, SIGKILL)
                } else {
                    try await eventually("nobody answers") {
                        !((try? await answers()) ?? false)
                    }
                }
                try await eventually("it ends") { !role.process.isRunning }
                #expect(role.process.hasSucceeded != isAnswered)
            }
        }
    }

    @Test("says whether a role is ready, to those who have nothing else to ask with")
    func asks() async throws {
        try await withServer { server in
            let ports = [
                "COMMAND_PORT": "\(server.commandPort)", "QUERY_PORT": "\(server.queryPort)",
                "OPERATIONS_PORT": "\(server.operationsPort)",
            ]
            for role in ["command-api", "query-api", "projector"] {
                let ready = try await server.run(["ready", role], environment: ports)
                #expect(ready.isSuccess && ready.output == "ready\n", "\(ready.output)")
            }
            let any = try await server.run(["ready"], environment: ports)
            #expect(any.isSuccess, "\(any.output)")
            let nobody = try await server.run(
                ["ready", "query-api"], environment: ["QUERY_PORT": "1"])
            #expect(!nobody.isSuccess && nobody.output.contains("does not answer at port 1"))
        }
    }

    @Test(
        "is not ready with read models far behind; a proxy, which has nobody else to ask, does not mind"
    )
    func toldOfLag() async throws {
        try await withServer { server in
            #expect(try await server.queries.get("/readyz").status == 200)
            let session = try await PostgresSession.connect(
                to: PostgresConfiguration(url: try server.addresses().database))
            try await session.execute(
                """
                ALTER TABLE reading.projection DROP CONSTRAINT projection_position_check;
                UPDATE reading.projection SET position = -100000 WHERE name = 'manifest';
                """)
            let late = try await server.queries.get("/readyz")
            #expect(
                late.status == 503
                    && (late.json["detail"] as? String)?.contains("manifest") ?? false)
            #expect(try await server.queries.get("/readyz?exclude=lag").status == 200)
            #expect(try await server.queries.get("/readyz?exclude=everything").status == 400)
        }
    }

    /// What a release may do to the schema while the version before it still runs: see CONTRIBUTING.md.
    private let nextVersion = """
        ALTER TABLE log.event ADD COLUMN next_version text;
        ALTER TABLE reading.booking_by_code ADD COLUMN next_version text DEFAULT 'x';
        CREATE TABLE log.next_version (id bigint PRIMARY KEY);
        INSERT INTO log.event_type (code, name) VALUES (32000, 'NextVersionBegun');
        INSERT INTO public.quartermaster_migration (name, checksum)
            VALUES ('99991231_235959_next_version', 'of the next version');
        """

    @Test("runs on, starts, migrates and verifies on the schema of the version after it")
    func runsOnNewerSchema() async throws {
        let folder = ServerProcess.scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var server = try await ServerProcess.start(in: folder)
        let place = try await openSailing(server, capacity: 100)
        let session = try await PostgresSession.connect(
            to: PostgresConfiguration(url: try server.addresses().database))
        try await session.execute(nextVersion)
        #expect(try await server.commands.post("/v1/bookings", place.order()).status == 201)
        await server.stop()
        server = try await ServerProcess.start(in: folder)
        let booked = try await server.commands.post("/v1/bookings", place.order())
        #expect(booked.status == 201)
        let code = booked.json["code"] as? String ?? ""
        let position = booked.headers["quartermaster-position"] ?? ""
        let read = try await server.queries.get(
            "/v1/bookings/\(code)?lastName=Lovelace&min-position=\(position)")
        #expect(read.status == 200)
        let migrated = try await server.run(["migrate"])
        #expect(migrated.isSuccess && migrated.output.contains("up to date"))
        let rebuilt = try await server.run(["rebuild", "booking_by_code"])
        #expect(rebuilt.isSuccess, "\(rebuilt.output)")
        let verified = try await server.run(["verify"])
        #expect(verified.isSuccess, "\(verified.output)")
        await server.stop()
    }
}

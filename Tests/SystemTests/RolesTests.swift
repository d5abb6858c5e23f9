import Bus
import Foundation
import Glibc
import LocalServers
import Operations
import Publishing
import TestSupport
import Testing

/// Each role as a process of its own, on servers that none of them has started.
@Suite(.endsWhenHung) struct RolesTests {
    @Test(
        "sells with every role alone, and goes on with the second projector when the first is killed"
    )
    func runsAlone() async throws {
        let folder = ServerProcess.scratchFolder()
        try await withPostgres(in: folder + "/postgres") { connections in
            let nats = try await PrivateNATS.start(in: folder + "/nats")
            do {
                try await runsAlone(in: folder, connections.url, nats.url)
            } catch {
                await nats.stop()
                throw error
            }
            await nats.stop()
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func runsAlone(in folder: String, _ database: String, _ natsURL: String) async throws {
        let servers = [
            "DATABASE_URL": database, "NATS_URL": natsURL,
            "SIGNING_SECRET": "a secret for tests only, not for use",
            "STAFF_TOKEN": ServerProcess.token,
        ]
        for verb in [["migrate"], ["seed", "test"]] {
            let done = try await ServerProcess.run(verb, in: folder, environment: servers)
            #expect(done.isSuccess, "\(done.output)")
        }
        let server = try await ServerProcess.start(
            "command-api", in: folder, environment: servers)
        var running = [server.process]
        do {
            var (ports, logs) = ([Int](), [server.log])
            for role in ["query-api", "projector", "projector"] {
                ports.append(try freeLoopbackPort())
                let environment = servers.merging([
                    "QUERY_PORT": "\(server.queryPort)", "OPERATIONS_PORT": "\(ports.last ?? 0)",
                ]) { $1 }
                let (process, log) = try ServerProcess.begin(
                    [role], in: folder, environment: environment)
                running.append(process)
                logs.append(log)
            }
            try await sell(server, natsURL, running[2])
            try await eventually("the first projector is gone") { !running[2].isRunning }
            try compare(["command-api", "query-api", "projector"], logs)
            for (role, port) in [("query-api", ports[0]), ("projector", ports[2])] {
                let ready = try await ServerProcess.run(
                    ["ready", role], in: folder,
                    environment: [
                        "QUERY_PORT": "\(server.queryPort)", "OPERATIONS_PORT": "\(port)",
                    ])
                #expect(ready.isSuccess, "\(role): \(ready.output)")
            }
        } catch {
            for process in running { await process.stop(SIGKILL) }
            throw error
        }
        for (index, process) in running.enumerated() where index != 2 {
            await process.stop(SIGTERM)
            #expect(process.hasSucceeded, "the role at \(index)")
        }
    }

    /// What each says besides its log.
    private func compare(_ roles: [String], _ logs: [String]) throws {
        for (role, log) in zip(roles, logs) {
            let lines = try String(contentsOfFile: log, encoding: .utf8)
                .split(separator: "\n", omittingEmptySubsequences: false)
            try Golden.compare(
                "role-\(role)", lines.filter { !$0.hasPrefix("{") }.joined(separator: "\n"))
        }
    }

    /// A seat before, and one after the leading projector is killed: both are shown and published.
    private func sell(
        _ server: ServerProcess, _ natsURL: String, _ projector: ChildProcess
    ) async throws {
        try await eventually("the read models are there") {
            let shown = try await server.staffQueries.get("/v1/projections").json
            let projections = shown["projections"] as? [[String: Any]] ?? []
            return projections.count == 10 && projections.allSatisfy { $0["lag"] as? Int == 0 }
        }
        let place = try await openSailing(server, capacity: 10)
        let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
        for round in 0..<2 {
            if round == 1 { kill(projector.pid, SIGKILL) }
            let placed = try await server.commands.post("/v1/bookings", place.order())
            #expect(placed.status == 201)
            let position = placed.headers["quartermaster-position"] ?? ""
            let code = placed.json["code"] as? String ?? ""
            try await eventually("the booking is shown, round \(round)") {
                let path = "/v1/bookings/\(code)?min-position=\(position)"
                return try await server.queries.get(path).status == 200
            }
            try await eventually("the booking is published, round \(round)") {
                let state = try await bus.state(ofStream: EventPublisher.stream)
                return state.lastSequence >= Int(position) ?? .max
            }
        }
    }
}

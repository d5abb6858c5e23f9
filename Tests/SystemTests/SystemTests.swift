import Bus
import Foundation
import Glibc
import LocalServers
import Postgres
import Publishing
import Synchronization
import Testing
import TestSupport

/// The built program, its own PostgreSQL and NATS, and what users do to it.
@Suite(.serialized, .endsWhenHung) struct SystemTests {
    @Test(
        "sells the last seats of a boat once: 400 buyers at the doors of two processes",
        arguments: [50, 1])
    func neverOversells(seats: Int) async throws {
        let statuses = try await rush(for: seats, guarded: true)
        #expect(statuses.count { $0 == 201 } == seats)
        #expect(statuses.count { $0 == 409 } == 400 - seats)
    }

    @Test("sells one twice when the log does not check conditions: the test above can fail")
    func oversellsWithoutGuard() async throws {
        let statuses = try await rush(for: 1, guarded: false)
        #expect(statuses.count { $0 == 201 } > 1)
    }

    /// What 400 are told who want the same seats at once: both processes have decided before either has appended.
    private func rush(for seats: Int, guarded: Bool) async throws -> [Int] {
        var statuses: [Int] = []
        try await withServer { server in
            let place = try await openSailing(server, capacity: seats)
            let addresses = try server.addresses()
            let configuration = PostgresConfiguration(url: addresses.database)
            if !guarded {
                try await PostgresSession.connect(to: configuration).execute(guardOff)
            }
            let second = try await ServerProcess.start(
                "command-api", in: server.folder,
                environment: ["DATABASE_URL": addresses.database, "NATS_URL": addresses.nats])
            let doors = [server.commands, second.commands]
            let warden = try await Warden(at: configuration)
            let crowd = Task {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<400 {
                        group.addTask {
                            try await doors[number % 2].post("/v1/bookings", place.order()).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
            do {
                try await warden.wait(for: 2)
                try await warden.leave()
                statuses = try await crowd.value
            } catch {
                crowd.cancel()
                await second.stop()
                throw error
            }
            await second.stop()
        }
        return statuses
    }

    @Test("keeps every acknowledged booking, once, through kill -9 of each process")
    func survivesKills() async throws {
        let folder = ServerProcess.scratchFolder()
        var server = try await ServerProcess.start(in: folder)
        let place = try await openSailing(server, capacity: 10_000)
        let book = Acknowledged()
        for victim in ["quartermaster", "postgres", "nats-server"] {
            let door = server.commands
            let load = Task { await placeUntilCancelled(place, at: door, noting: book) }
            try await eventually("some bookings are placed") { book.count(since: victim) >= 30 }
            if victim == "quartermaster" {
                server.kill()
            } else {
                try killChild(victim, of: folder)
            }
            try await Task.sleep(for: .milliseconds(500))
            load.cancel()
            await load.value
            if victim == "quartermaster" { server = try await ServerProcess.start(in: folder) }
            let now = server
            try await eventually("it sells again after \(victim) was killed", within: .seconds(60))
            {
                try await now.commands.post("/v1/bookings", place.order()).status == 201
            }
        }
        for (key, answer) in book.answers {
            let again = try await server.commands.post("/v1/bookings", answer.order, key: key)
            #expect(again.status == 201)
            #expect(again.json["booking"] as? String == answer.booking)
            #expect(again.json["code"] as? String == answer.code)
        }
        try await checkEvents(server)
        await server.stop()
        #expect(!server.process.isRunning)
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test(
        "goes on with rebuilds that are killed wherever they are, and ends with what the log says")
    func survivesKilledRebuilds() async throws {
        try await withServer { server in
            #expect(try await server.run(["seed", "development"]).isSuccess)
            let place = try await openSailing(server, capacity: 100)
            let client = try await PostgresSession.connect(
                to: PostgresConfiguration(url: try server.addresses().database))
            var unfinished = 0
            for step in ["reading", "indexing", "comparing", "swapping", "reading"] {
                let (rebuild, log) = try ServerProcess.begin(
                    ["rebuild", "--all", "--json"], in: server.folder)
                try await eventually("it is \(step), or at its end") {
                    let told = try? String(contentsOfFile: log, encoding: .utf8)
                    return told?.contains(#"{"step":"\#(step)"#) ?? false || !rebuild.isRunning
                }
                await rebuild.stop(SIGKILL)
                let left = try await client.execute("SELECT count(*) FROM reading.rebuild")
                unfinished += left.text(0, 0) != "0" ? 1 : 0
                let sold = try await server.commands.post("/v1/bookings", place.order())
                #expect(sold.status == 201)
            }
            // Else nothing was tried.
            #expect(unfinished >= 1)
            // A server that is in the middle of a statement of whoever is gone finds out at its end.
            var last = (isSuccess: false, output: "")
            try await eventually("nobody holds what is built") {
                last = try await server.run(["rebuild", "--all"])
                return last.isSuccess || !last.output.contains("is being built already")
            }
            #expect(last.isSuccess && !last.output.contains("differ"), "\(last.output)")
            let left = try await client.execute(
                """
                SELECT (SELECT count(*) FROM reading.rebuild),
                    (SELECT count(*) FROM pg_tables WHERE tablename LIKE '%\\_building')
                """)
            #expect(left.text(0, 0) == "0" && left.text(0, 1) == "0")
            let verified = try await server.run(["verify"])
            #expect(verified.isSuccess, "\(verified.output)")
        }
    }

    @Test("sells on while NATS is away, and publishes what is missing when it is back")
    func sellsWithoutNATS() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 10_000)
            let pid = try childPID("nats-server", of: server.folder)
            Glibc.kill(pid, SIGSTOP)
            for _ in 0..<50 {
                #expect(try await server.commands.post("/v1/bookings", place.order()).status == 201)
            }
            Glibc.kill(pid, SIGCONT)
            try await checkEvents(server)
        }
    }

    @Test(
        "takes over its own server of a run that was killed, and nobody else's that has its number by now"
    )
    func leavesStrangers() async throws {
        let (ours, theirs) = (ServerProcess.scratchFolder(), ServerProcess.scratchFolder())
        let stranger = try await PrivateNATS.start(in: theirs)
        try FileManager.default.createDirectory(
            atPath: ours, withIntermediateDirectories: true)
        try "\(stranger.process.pid)\n".write(
            toFile: ours + "/nats-server.pid", atomically: true, encoding: .utf8)
        let first = try await PrivateNATS.start(in: ours)
        let second = try await PrivateNATS.start(in: ours)
        try await eventually("the first is taken over") { !first.process.isRunning }
        #expect(stranger.process.isRunning && second.process.isRunning)
        for server in [stranger, second] { await server.stop() }
        for folder in [ours, theirs] { try? FileManager.default.removeItem(atPath: folder) }
    }

    @Test("answers 503 and says that it is not ready while nothing can be written")
    func saysReadOnly() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 10)
            let session = try await PostgresSession.connect(
                to: PostgresConfiguration(url: try server.addresses().database))
            try await session.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            try await session.execute("SELECT pg_reload_conf()")
            try await eventually("it is not ready") {
                try await server.commands.get("/readyz").status == 503
            }
            let refused = try await server.commands.post("/v1/bookings", place.order())
            #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
            try await session.execute("ALTER SYSTEM RESET default_transaction_read_only")
            try await session.execute("SELECT pg_reload_conf()")
            try await eventually("it sells again") {
                try await server.commands.post("/v1/bookings", place.order()).status == 201
            }
        }
    }

    @Test("answers 503 while PostgreSQL is away, and recovers without a restart")
    func recoversWithPostgres() async throws {
        let folder = ServerProcess.scratchFolder()
        let postgres = try await PrivatePostgres.start(in: folder + "/elsewhere")
        let server = try await ServerProcess.start(
            in: folder, environment: ["DATABASE_URL": postgres.url])
        let place = try await openSailing(server, capacity: 10_000)
        #expect(try await server.commands.post("/v1/bookings", place.order()).status == 201)
        await postgres.stop()
        #expect(try await server.commands.post("/v1/bookings", place.order()).status == 503)
        #expect(try await server.queries.get("/v1/trips").status == 503)
        #expect(try await server.commands.get("/readyz").status == 503)
        #expect(try await server.commands.get("/livez").status == 200)

        // As a machine leaves it that lost its power, once its number is somebody else's.
        let other = try ChildProcess(
            ["/bin/sleep", "600"], as: "postgres", log: folder + "/other.log")
        try "\(other.pid)\n\(folder)/elsewhere/data\n".write(
            toFile: folder + "/elsewhere/data/postmaster.pid", atomically: false, encoding: .utf8)
        let again = try await PrivatePostgres.start(in: folder + "/elsewhere", port: postgres.port)
        await other.stop(SIGTERM)
        var placed = try await server.commands.post("/v1/bookings", place.order())
        try await eventually("it sells again") {
            if placed.status == 201 { return true }
            #expect(placed.status == 503)
            placed = try await server.commands.post("/v1/bookings", place.order())
            return false
        }
        let path =
            "/v1/bookings/\(placed.json["code"] as? String ?? "")?lastName=Lovelace"
            + "&min-position=\(placed.headers["quartermaster-position"] ?? "")"
        try await eventually("it answers queries again") {
            try await server.queries.get(path).status == 200
        }
        let shown = try await server.queries.get(path)
        #expect((shown.json["contact"] as? [String: Any])?["firstName"] as? String == "Ada")
        await server.stop()
        await again.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test("places, confirms and reads a booking; starts a second time with everything still there")
    func startsTwice() async throws {
        let folder = ServerProcess.scratchFolder()
        var server = try await ServerProcess.start(in: folder)
        let place = try await openSailing(server, capacity: 10)
        let placed = try await server.commands.post("/v1/bookings", place.order())
        #expect(placed.status == 201)
        let booking = placed.json["booking"] as? String ?? ""
        let confirmed = try await server.staff.post(
            "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
        #expect(confirmed.status == 200)
        await server.stop()
        server = try await ServerProcess.start(in: folder)
        let code = placed.json["code"] as? String ?? ""
        let shown = try await server.queries.get("/v1/bookings/\(code)?lastName=lovelace")
        #expect(shown.json["status"] as? String == "confirmed")
        let stranger = try await server.queries.get("/v1/bookings/\(code)?lastName=Byron")
        #expect(stranger.status == 404)
        let bare = try await server.queries.get("/v1/bookings/\(code)")
        #expect(bare.status == 200)
        #expect(bare.json["contact"] is NSNull)
        await server.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

// MARK: What the tests do

/// What was acknowledged, by idempotency key.
private final class Acknowledged: Sendable {
    struct Answer: Sendable {
        var order: String
        var booking: String
        var code: String
    }

    private let state = Mutex<(answers: [String: Answer], marks: [String: Int])>(([:], [:]))

    var answers: [String: Answer] { state.withLock { $0.answers } }

    func note(_ key: String, _ answer: Answer) {
        state.withLock { $0.answers[key] = answer }
    }

    /// How many were acknowledged since this was first asked under `mark`.
    func count(since mark: String) -> Int {
        state.withLock { state in
            if state.marks[mark] == nil { state.marks[mark] = state.answers.count }
            return state.answers.count - (state.marks[mark] ?? 0)
        }
    }
}

private func placeUntilCancelled(
    _ place: OpenSailing, at door: HTTPDoor, noting book: Acknowledged
) async {
    await withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
            group.addTask {
                while !Task.isCancelled {
                    let key = UUID().uuidString.lowercased()
                    let order = place.order()
                    guard let answer = try? await door.post("/v1/bookings", order, key: key),
                        answer.status == 201
                    else { continue }
                    book.note(
                        key,
                        .init(
                            order: order, booking: answer.json["booking"] as? String ?? "",
                            code: answer.json["code"] as? String ?? ""))
                }
            }
        }
    }
}

/// EVENTS holds every position once, up to the log's head.
private func checkEvents(_ server: ServerProcess) async throws {
    let head = try await server.staffQueries.get("/v1/projections").json["head"] as? Int ?? 0
    #expect(head > 0)
    let bus = try await BusConnection.connect(to: try server.addresses().nats, logger: quiet)
    try await eventually("EVENTS reaches \(head)", within: .seconds(60)) {
        try await bus.state(ofStream: EventPublisher.stream).lastSequence >= head
    }
    let state = try await bus.state(ofStream: EventPublisher.stream)
    #expect(state.messageCount == state.lastSequence)
    for position in stride(from: 1, through: head, by: max(1, head / 50)) {
        let message = try await bus.message(at: position, ofStream: EventPublisher.stream)
        #expect(message.header("Quartermaster-Position") == String(position))
    }
}

/// The process of this name whose command line names the folder.
private func childPID(_ name: String, of folder: String) throws -> Int32 {
    if name == "postgres" {
        let file = try String(
            contentsOfFile: folder + "/postgres/data/postmaster.pid", encoding: .utf8)
        return Int32(file.split(separator: "\n")[0]) ?? 0
    }
    let file = try String(contentsOfFile: folder + "/nats/nats-server.pid", encoding: .utf8)
    return Int32(file.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
}

private func killChild(_ name: String, of folder: String) throws {
    let pid = try childPID(name, of: folder)
    #expect(pid > 1)
    Glibc.kill(pid, SIGKILL)
}

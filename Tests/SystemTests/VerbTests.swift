import Foundation
import Projections
import Glibc
import LocalServers
import Postgres
import Testing
import TestSupport

/// The command line, as an operator uses it.
@Suite(.serialized, .endsWhenHung) struct VerbTests {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("shows, checks, rebuilds and imports beside a system that runs")
    func operates() async throws {
        try await withServer { server in
            let sailing = try await openSailing(server, capacity: 10)
            #expect(try await server.commands.post("/v1/bookings", sailing.order()).status == 201)
            let verify = try await server.run(["verify"])
            #expect(verify.isSuccess)
            #expect(verify.output.contains("the log is sound"), "\(verify.output)")
            let migrate = try await server.run(["migrate"])
            #expect(migrate.isSuccess)
            #expect(migrate.output.contains("up to date"), "\(migrate.output)")
            try await provesAndArchives(server)
            try await showsEvents(server)
            try await rebuilds(server)
            try await imports(server)
        }
    }

    private func provesAndArchives(_ server: ServerProcess) async throws {
        let (archive, keys) = (server.folder + "/log.zst", server.folder + "/keys.zst")
        let seal = server.folder + "/seal.json"
        let sealed = try await server.run(["seal", seal])
        #expect(sealed.isSuccess && sealed.output.contains("with key"), "\(sealed.output)")
        let exported = try await server.run(["export", archive, "--keys", keys])
        #expect(exported.isSuccess, "\(exported.output)")
        let again = try await server.run(["export", archive])
        #expect(!again.isSuccess && again.output.contains("is there already"))
        for place in [[], ["--archive", archive]] {
            let proof = try await server.run(["verify", "--against", seal] + place)
            #expect(proof.isSuccess, "\(proof.output)")
            #expect(proof.output.contains("it is what was sealed at"), "\(proof.output)")
        }
        let other = String(repeating: "0", count: 64)
        let stranger = try await server.run(["verify", "--against", seal, "--key", other])
        #expect(!stranger.isSuccess && stranger.output.contains("signed with another key"))
        let full = try await server.run(["import-log", archive, "--keys", keys])
        #expect(!full.isSuccess && full.output.contains("goes into an empty one"))
    }

    private func showsEvents(_ server: ServerProcess) async throws {
        let events = try await server.run(["events", "--limit", "3", "--json"])
        #expect(events.isSuccess)
        let lines = events.output.split(separator: "\n")
        #expect(lines.count == 3)
        for (index, line) in lines.enumerated() {
            let json = jsonObject(Data(line.utf8))
            #expect(json["position"] as? Int == index + 1)
            #expect(json["data"] is [String: Any])
        }
    }

    private func rebuilds(_ server: ServerProcess) async throws {
        let rebuild = try await server.run(["rebuild", "manifest"])
        #expect(rebuild.isSuccess)
        #expect(rebuild.output.contains("rebuilt manifest"), "\(rebuild.output)")
        let addresses = try server.addresses()
        for source in [["--archive", server.folder + "/log.zst"], ["--from", addresses.database]] {
            let from = try await server.run(["rebuild", "manifest", "booking_search"] + source)
            #expect(from.isSuccess, "\(from.output)")
            #expect(from.output.split(separator: "\n").count { $0.hasPrefix("rebuilt ") } == 2)
        }
        let missing = try await server.run(["rebuild", "manifest", "--archive", "/nowhere"])
        #expect(!missing.isSuccess && missing.output.contains("/nowhere"), "\(missing.output)")
        let unknown = try await server.run(["rebuild", "nothing"])
        #expect(!unknown.isSuccess)
        #expect(unknown.output.contains("there is no read model 'nothing'"))
        try await eventually("all read models are up to date") {
            let status = try await server.run(["status", "--json"])
            let json = jsonObject(Data(status.output.utf8))
            let lags = (json["projections"] as? [[String: Any]])?.map { $0["lag"] as? Int }
            return lags == Array(repeating: 0, count: AllReadModels.list.count)
        }
        let status = try await server.run(["status"])
        #expect(status.output.contains("manifest"))
        #expect(!status.output.contains("STOPPED"), "\(status.output)")
    }

    @Test("answers as of a moment, to staff alone")
    func looksBack() async throws {
        try await withServer { server in
            let sailing = try await openSailing(server, capacity: 10)
            let placed = try await server.commands.post("/v1/bookings", sailing.order())
            let code = try #require(placed.json["code"] as? String)
            let booking = try #require(placed.json["booking"] as? String)
            let then = try #require(placed.headers["quartermaster-position"])
            let confirmed = try await server.staff.post(
                "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
            let now = try #require(confirmed.headers["quartermaster-position"])
            for (position, status, count) in [(then, "held", 0), (now, "confirmed", 1)] {
                let shown = try await server.staffQueries.get(
                    "/v1/bookings/\(code)?as-of=\(position)")
                #expect(shown.json["status"] as? String == status)
                #expect(shown.headers["quartermaster-position"] == position)
                let manifest = try await server.staffQueries.get(
                    "/v1/sailings/\(sailing.sailing)/manifest?as-of=\(position)")
                #expect((manifest.json["bookings"] as? [Any])?.count == count)
                let ofTrip = try await server.staffQueries.get(
                    "/v1/sailings/\(sailing.trip)/manifest?as-of=\(position)")
                #expect(ofTrip.status == 404)
                let all = try await server.staffQueries.get(
                    "/v1/entities/\(booking)?as-of=\(position)")
                let names = (all.json["rows"] as? [[String: Any]])?.map {
                    $0["readModel"] as? String
                }
                #expect(names == ["booking_by_code", "booking_search", "manifest"])
            }
            let before = try await server.staffQueries.get("/v1/bookings/\(code)?as-of=1")
            #expect(before.status == 404)
            let dawn = "2020-01-01T00:00:00Z"
            let earlier = try await server.staffQueries.get("/v1/bookings/\(code)?as-of=\(dawn)")
            #expect(earlier.status == 404)
            let wrong = try await server.staffQueries.get("/v1/bookings/\(code)?as-of=yesterday")
            #expect(wrong.status == 400)
            let stranger = try await server.queries.get("/v1/bookings/\(code)?as-of=\(then)")
            #expect(stranger.status == 401)
            try await sendsTables(server, code, then: then, now: now)
        }
    }

    private func sendsTables(
        _ server: ServerProcess, _ code: String, then: String, now: String
    ) async throws {
        let path = "/v1/exports/read-models/booking_by_code"
        for (position, stage) in [(then, "held"), (now, "confirmed")] {
            let table = try await server.staffQueries.get("\(path)?as-of=\(position)")
            #expect(table.headers["quartermaster-position"] == position)
            let lines = String(decoding: table.body, as: UTF8.self).split(separator: "\n")
                .map { jsonObject(Data($0.utf8)) }
            #expect(lines.first?["of"] as? Int == Int(position))
            #expect(lines.last?["rows"] as? Int == lines.count { $0["row"] != nil })
            let ours = lines.compactMap { $0["row"] as? [String: Any] }
                .filter { $0["code"] as? String == code }
            #expect(ours.map { $0["stage"] as? String } == [stage])
        }
        #expect(try await server.staffQueries.get(path).status == 400)
        #expect(try await server.queries.get("\(path)?as-of=1").status == 401)
        let unknown = try await server.staffQueries.get("\(path)s?as-of=1")
        #expect(unknown.status == 404)
        let left = try await PostgresSession.connect(
            to: PostgresConfiguration(url: try server.addresses().database)
        ).execute("SELECT count(*) FROM reading.rebuild")
        #expect(left.text(0, 0) == "0")
    }

    private func imports(_ server: ServerProcess) async throws {
        let seed = Self.root.appendingPathComponent("Sources/CatalogueImport/launches.yaml").path
        let again = try await server.run(["import", seed])
        #expect(again.isSuccess)
        #expect(again.output.contains("nothing to import"), "\(again.output)")
        let broken = server.folder + "/broken.yaml"
        try String(contentsOfFile: seed, encoding: .utf8)
            .replacing("capacity: ", with: "capacity: many-", maxReplacements: 1)
            .write(toFile: broken, atomically: true, encoding: .utf8)
        let refused = try await server.run(["import", broken])
        #expect(!refused.isSuccess)
        #expect(refused.output.contains(#/broken\.yaml:\d+:\d+: /#), "\(refused.output)")
        let other = server.folder + "/other.yaml"
        try String(contentsOfFile: seed, encoding: .utf8)
            .replacing("capacity: ", with: "capacity: 1", maxReplacements: 1)
            .write(toFile: other, atomically: true, encoding: .utf8)
        let differs = try await server.run(["import", other])
        #expect(!differs.isSuccess)
        #expect(
            differs.output.contains(/other\.yaml:\d+:\d+: the boat '[a-z]+' is there already/),
            "\(differs.output)")
        // Its launch is tried once more.
        let later = server.folder + "/later.yaml"
        try String(contentsOfFile: seed, encoding: .utf8)
            .replacing(/(attempts: *\[[^\]]*)\]/, maxReplacements: 1) {
                "\($0.output.1), \"2031-01-01T12:00:00Z\"]"
            }
            .write(toFile: later, atomically: true, encoding: .utf8)
        let added = try await server.run(["import", later])
        #expect(added.isSuccess && added.output.contains("imported"), "\(added.output)")
        let missing = try await server.run(["import", server.folder + "/none.yaml"])
        #expect(!missing.isSuccess)
        #expect(missing.output.contains("can't read"))
    }

    @Test("says in one sentence what keeps it from starting, and what to do")
    func refusesToStart() async throws {
        try await withServer { server in
            let other = ServerProcess.scratchFolder()
            let cases: [([String], String, [String: String], [String])] = [
                (["up"], server.folder, [:], ["another 'quartermaster up' runs in"]),
                (
                    ["up"], other, ["COMMAND_PORT": "\(server.commandPort)"],
                    ["port \(server.commandPort) is in use", "COMMAND_PORT"]
                ),
                (["status"], other, [:], ["DATABASE_URL"]),
                (
                    ["command-api"], other,
                    ["DATABASE_URL": "postgresql://x@127.0.0.1:1/x", "NATS_URL": "nats://x"],
                    ["STAFF_TOKEN"]
                ),
                (
                    ["migrate"], other, ["DATABASE_URL": "postgresql://x@127.0.0.1:1/x"],
                    ["127.0.0.1", "Connection refused", "DATABASE_URL"]
                ),
                (
                    ["status"], other, ["DATABASE_URL": "postgresql://x:open%ZZsesame@127.0.0.1/x"],
                    ["DATABASE_URL can't be read"]
                ),
                (
                    ["up"], other, ["COMMAND_PORT": "19999", "QUERY_PORT": "19999"],
                    ["COMMAND_PORT and QUERY_PORT are both 19999"]
                ),
                (["up"], other, ["BIND_ADDRESS": "192.0.2.1"], ["BIND_ADDRESS is '192.0.2.1'"]),
                (["query-api"], other, ["QUERY_PORT": "many"], ["QUERY_PORT"]),
            ]
            for (arguments, folder, environment, words) in cases {
                let (isSuccess, output) = try await ServerProcess.run(
                    arguments, in: folder, environment: environment)
                #expect(!isSuccess)
                let said = output.split(separator: "\n").filter { $0.hasPrefix("quartermaster: ") }
                #expect(said.count == 1, "\(arguments): \(output)")
                for word in words { #expect(output.contains(word), "\(arguments): \(output)") }
                #expect(!output.contains("sesame"))
            }
            try? FileManager.default.removeItem(atPath: other)
        }
    }

    @Test("leaves nothing running when it is told to stop while it starts for the first time")
    func stopsWhileStarting() async throws {
        let folder = ServerProcess.scratchFolder()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let settings = [
            "QUARTERMASTER_DATA": folder, "COMMAND_PORT": String(try freeLoopbackPort()),
            "QUERY_PORT": String(try freeLoopbackPort()),
            "OPERATIONS_PORT": String(try freeLoopbackPort()),
        ]
        let process = try ChildProcess(
            [try ServerProcess.programPath(), "up"], environment: settings,
            log: folder + "/output.log")
        let pidFile = folder + "/postgres/data/postmaster.pid"
        var pid = ""
        try await eventually("PostgreSQL starts", within: .seconds(90)) {
            let lines = try String(contentsOfFile: pidFile, encoding: .utf8).split(separator: "\n")
            pid = lines.first.map(String.init) ?? ""
            // initdb's own server shows itself with a negative number.
            return (Int(pid) ?? 0) > 0
        }
        kill(process.pid, SIGTERM)
        try await eventually("it ends", within: .seconds(90)) { !process.isRunning }
        #expect(process.hasSucceeded)
        #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)"))
        #expect(!FileManager.default.fileExists(atPath: pidFile))
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test("prints three lines that place, confirm and read a booking, and they do")
    func printsWorkingLines() async throws {
        try await withServer { server in
            let lines = server.output.split(separator: "\n").map {
                $0.trimmingCharacters(in: .whitespaces)
            }.filter { $0.hasPrefix("curl ") }
            try #require(lines.count == 3)
            let placed = try await shell(lines[0], server)
            let booking = try #require(placed["booking"] as? String)
            let code = try #require(placed["code"] as? String)
            let confirmed = try await shell(
                lines[1].replacing("BOOKING/confirm", with: "\(booking)/confirm"), server)
            #expect(
                confirmed["happened"] as? [String] == ["PaymentSucceeded", "BookingConfirmed"])
            try await eventually("the booking is shown as confirmed") {
                let shown = try await shell(lines[2].replacing("CODE", with: code), server)
                return shown["status"] as? String == "confirmed"
            }
        }
    }

    /// Runs a line as a person would, and reads the JSON that it prints.
    private func shell(_ line: String, _ server: ServerProcess) async throws -> [String: Any] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", line]
        let file = server.folder + "/shell-\(UInt32.random(in: 0 ... .max)).out"
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: file)
        try process.run()
        try await eventually("the line ends") { !process.isRunning }
        return jsonObject(try Data(contentsOf: URL(fileURLWithPath: file)))
    }

    @Test("names in the README every verb of the program and every target of the Makefile")
    func listsVerbs() async throws {
        let readme = try String(
            contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
        let makefile = try String(
            contentsOf: Self.root.appendingPathComponent("Makefile"), encoding: .utf8)
        let folder = ServerProcess.scratchFolder()
        let help = try await ServerProcess.run(["--help"], in: folder)
        let verbs = help.output.split(separator: "\n").compactMap {
            $0.firstMatch(of: /^  ([a-z-]+) {2,}/)?.1
        }
        #expect(verbs.count >= 11, "\(help.output)")
        for verb in verbs where verb != "help" {
            #expect(
                readme.contains("`\(verb)`") || readme.contains("quartermaster \(verb)"), "\(verb)")
            let explained = try await ServerProcess.run([String(verb), "--help"], in: folder)
            #expect(explained.output.contains("OVERVIEW:"), "\(verb)")
        }
        for command in readme.matches(of: /(?m)^make ([a-z]+)/) {
            #expect(makefile.contains("\n\(command.1): "), "make \(command.1)")
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

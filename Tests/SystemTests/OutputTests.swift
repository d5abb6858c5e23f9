import Foundation
import Glibc
import LocalServers
import Postgres
import Testing
import TestSupport

/// What the operator's tools print, to the letter: they don't change silently. Ids, times, sizes and numbers of more
/// than two digits stand as what they are; `QUARTERMASTER_WRITE_GOLDEN=1` writes the files anew.
@Suite(.serialized, .endsWhenHung) struct OutputTests {
    @Test("prints what the golden files show")
    func prints() async throws {
        try await withServer { server in
            let sailing = try await openSailing(server, capacity: 10)
            let placed = try await server.commands.post("/v1/bookings", sailing.order(quantity: 2))
            let code = try #require(placed.json["code"] as? String)
            let booking = try #require(placed.json["booking"] as? String)
            let before = try #require(placed.headers["quartermaster-position"])
            let confirmed = try await server.staff.post(
                "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
            #expect(confirmed.status == 200)
            try await untilAllIsProjected(server)
            let verbs: [(String, [String])] = [
                ("show", ["show", code]),
                ("show-json", ["show", booking, "--json", "--as-of", before]),
                ("manifest", ["manifest", sailing.sailing]),
                ("manifest-json", ["manifest", sailing.sailing, "--json"]),
                ("explain", ["explain", "availability", sailing.sailing]),
                ("explain-json", ["explain", "availability", sailing.sailing, "--json"]),
                ("diff", ["diff", code, before]),
                ("diff-json", ["diff", code, before, "--json"]),
                ("table", ["table", "manifest"]),
                ("events", ["events", "--entity", code]),
                (
                    "events-json",
                    ["events", "--entity", code, "--type", "BookingConfirmed", "--json"]
                ),
                ("rebuild", ["rebuild", "--all", "--keep-old"]),
                ("rebuild-undo", ["rebuild", "manifest", "--undo"]),
                ("rebuild-drop-old", ["rebuild", "--drop-old"]),
                ("projections", ["projections"]),
                ("projections-json", ["projections", "--json"]),
                ("projections-why", ["projections", "why", "manifest"]),
                ("projections-retry", ["projections", "retry", "manifest"]),
                ("status", ["status"]),
                ("status-json", ["status", "--json"]),
                ("verify", ["verify"]), ("verify-json", ["verify", "--json"]),
                ("reset-stream", ["events", "reset-stream"]),
            ]
            let lines = server.output.split(separator: "\n", omittingEmptySubsequences: false)
            try Golden.compare(
                "up", lines.filter { !$0.hasPrefix("{") }.joined(separator: "\n"), code)
            for (name, arguments) in verbs {
                // Whatever a rebuild has swapped is led anew in a moment.
                try await untilAllIsProjected(server)
                let (isSuccess, output) = try await server.run(arguments)
                #expect(isSuccess, "\(arguments): \(output)")
                try Golden.compare(name, output, code)
            }
            try await follows(server, code)
            try await backups(server)
            try await archives(server)
            try await backsUpBeforeMigrating(server)
        }
    }

    /// What goes on until it is stopped: the log as it grows, and the screen that is shown anew.
    private func follows(_ server: ServerProcess, _ code: String) async throws {
        for (name, options) in [("events-tail", []), ("events-tail-json", ["--json"])] {
            let tail = try await server.follow(
                ["events", "tail", "--from", "1", "--entity", code] + options
            ) { $0.contains("BookingConfirmed") }
            try Golden.compare(name, tail.output, code)
        }
        let clear = "\u{1B}[H\u{1B}[J"
        let watched = try await server.follow(["status", "--watch"]) {
            $0.components(separatedBy: clear).count > 2
        }
        let screens = watched.output.components(separatedBy: clear)
        #expect(screens[0].isEmpty)
        try Golden.compare("status-watch", screens[1], code)
        let ports = [
            "COMMAND_PORT": "\(server.commandPort)", "QUERY_PORT": "\(server.queryPort)",
            "OPERATIONS_PORT": "\(server.operationsPort)",
        ]
        let ready = try await server.run(["ready"], environment: ports)
        try Golden.compare("ready", ready.output, code)
    }

    typealias Shown = (
        name: String, arguments: [String], environment: [String: String]
    )

    private func compareAll(_ shown: [Shown], _ server: ServerProcess) async throws {
        for (name, arguments, environment) in shown {
            let (isSuccess, output) = try await server.run(arguments, environment: environment)
            #expect(isSuccess, "\(arguments): \(output)")
            try Golden.compare(name, output, "")
        }
    }

    /// A database of its own beside that of `server`, as an environment names it.
    private func database(_ name: String, _ server: ServerProcess) async throws -> [String: String]
    {
        let session = try await PostgresSession.connect(
            to: PostgresConfiguration(url: try server.addresses().database))
        try await session.execute("CREATE DATABASE \(name)")
        var url = try #require(URLComponents(string: try server.addresses().database))
        url.path = "/\(name)"
        return ["DATABASE_URL": url.string ?? ""]
    }

    /// Backups as they are made, taken elsewhere, let go of, looked at and restored.
    private func backups(_ server: ServerProcess) async throws {
        let folder = server.folder + "/backups"
        let settings = ["BACKUP_FOLDER": folder, "BACKUP_COPY_COMMAND": "test -d {backup}"]
        let restored = try await database("restored", server)
        try await compareAll(
            [
                ("backup", ["backup"], ["BACKUP_FOLDER": folder]),
                ("backup-list", ["backup", "--list", "--folder", folder], [:]),
                ("backup-list-json", ["backup", "--list", "--json", "--folder", folder], [:]),
            ], server)
        // Their folders are named by seconds.
        try await Task.sleep(for: .seconds(1))
        try await compareAll(
            [
                ("backup-elsewhere", ["backup", "--keep", "1"], settings),
                ("backup-sql", ["backup", "--sql", server.folder + "/all.sql"], [:]),
                ("status-backed-up", ["status"], settings),
                ("restore-verify", ["restore", "--verify", "latest"], settings),
                ("restore", ["restore", "latest"], settings.merging(restored) { $1 }),
            ], server)
    }

    /// What leaves the log for a file, and comes back from one into a database of its own.
    private func archives(_ server: ServerProcess) async throws {
        let (log, keys, seal) = (
            server.folder + "/log.ndjson.zst", server.folder + "/keys.ndjson.zst",
            server.folder + "/seal.json"
        )
        let there = try await database("elsewhere", server)
        let new = try await database("new", server)
        for environment in [there, new] {
            #expect(try await server.run(["migrate"], environment: environment).isSuccess)
        }
        let catalogue = server.folder + "/launches.yaml"
        try FileManager.default.copyItem(
            atPath: Golden.folder.appendingPathComponent(
                "../../../Sources/CatalogueImport/launches.yaml"
            ).path, toPath: catalogue)
        try await compareAll(
            [
                ("seal", ["seal", seal], [:]), ("seal-printed", ["seal"], [:]),
                ("export", ["export", log, "--keys", keys], [:]),
                ("verify-archive", ["verify", "--archive", log, "--against", seal], [:]),
                ("import-log", ["import-log", log, "--keys", keys], there),
                ("verify-against", ["verify", "--against", seal, "--log-only"], there),
                ("rebuild-json", ["rebuild", "--all", "--json"], there),
                ("seed", ["seed", "production"], there),
                ("import", ["import", catalogue], new),
                ("import-again", ["import", catalogue], new),
                ("migrate-again", ["migrate"], new),
            ], server)
    }

    @Test("shows what has gone wrong in the words of the golden files")
    func showsFaults() async throws {
        try await withServer { server in
            let sailing = try await openSailing(server, capacity: 10)
            let placed = try await server.commands.post("/v1/bookings", sailing.order())
            let code = try #require(placed.json["code"] as? String)
            try await untilAllIsProjected(server)
            let session = try await PostgresSession.connect(
                to: PostgresConfiguration(url: try server.addresses().database))
            func show(
                _ name: String, _ words: String, _ environment: [String: String] = [:]
            ) async throws {
                let words = words.split(separator: " ").map(String.init)
                let (isSuccess, output) = try await server.run(words, environment: environment)
                if words[0] == "verify" {
                    #expect(isSuccess != Self.faulty.contains(name), "the status of \(name)")
                }
                try Golden.compare(name, output, code)
            }
            try await showsUnfinished(server, show)
            try await showsOrders(server, session, show)
            try await session.execute(
                """
                UPDATE reading.sailing_availability SET is_paused = NOT is_paused
                WHERE sailing = '\(sailing.sailing)'
                """)
            try await show("verify-faults", "verify")
            try await show("rebuild-differing", "rebuild sailing_availability")
            try await show("rebuild-one-json", "rebuild manifest --json --keep-old")
            try await show("rebuild-undo-json", "rebuild manifest --undo --json")
            // As its leader would: the test's own booking is what it can't take.
            try await session.execute(
                """
                UPDATE reading.projection SET stopped_at_position = position, stopped_because = 'a test'
                WHERE name = 'manifest'
                """)
            try await show("status-stopped", "status")
            try await show("projections-stopped", "projections")
            try await show("projections-why-stopped", "projections why manifest")
            try await show("verify-stopped", "verify")
            try await show("verify-stopped-json", "verify --json")
            let stopped = try await session.execute(
                "SELECT stopped_at_position FROM reading.projection WHERE name = 'manifest'")
            try await show(
                "projections-skip-event",
                "projections skip-event manifest \(stopped.text(0, 0)) --reason test")
            try await untilAllIsProjected(server)
            try await show("projections-skipped", "projections")
            try await showsRestored(session, show)
            try await showsAlterations(server, session, show)
        }
    }

    /// What a nightly run has to take notice of.
    private static let faulty: Set = [
        "verify-alone", "verify-faults", "verify-stopped", "verify-stopped-json", "verify-altered",
        "verify-altered-against", "verify-archive-altered",
    ]

    typealias Show = (String, String, [String: String]) async throws -> Void

    /// Rebuilds that are not at their end.
    private func showsUnfinished(_ server: ServerProcess, _ show: Show) async throws {
        for (name, words) in [
            ("rebuild-until", "rebuild manifest --until 120"),
            ("rebuild-pause", "rebuild manifest --pause"), ("status-rebuild", "status"),
            ("rebuild-resume", "rebuild --resume"),
            ("rebuild-until", "rebuild manifest --until 120"),
            ("rebuild-cancel", "rebuild manifest --cancel"),
            ("rebuild-until", "rebuild manifest --until 120"),
        ] {
            try await show(name, words, [:])
            try await untilAllIsProjected(server)
        }
        let nowhere = ["NATS_URL": "nats://127.0.0.1:1"]
        try await show("verify-alone", "verify", nowhere)
        try await show("reset-stream-alone", "events reset-stream", nowhere)
        let elsewhere = [
            "DATABASE_URL": try server.addresses().database,
            "QUARTERMASTER_DATA": server.folder + "/elsewhere",
        ]
        try await show("status-without-nats", "status", elsewhere)
        try await show(
            "backup-list-none", "backup --list", ["QUARTERMASTER_DATA": "/nowhere"])
    }

    /// What becomes of a rebuild under way that is to pause, or to be given up.
    private func showsOrders(
        _ server: ServerProcess, _ session: PostgresSession, _ show: Show
    ) async throws {
        for order in ["pause", "cancel"] {
            // It can't write until it is let.
            try await session.execute(
                "BEGIN; LOCK TABLE reading.manifest_building IN SHARE MODE")
            let (process, log) = try ServerProcess.begin(
                ["rebuild", "--resume"], in: server.folder)
            do {
                try await eventually("it is under way") {
                    try await server.run(["status"]).output.contains(/rebuild.*manifest.*running/)
                }
                try await show("rebuild-\(order)-running", "rebuild manifest --\(order)", [:])
                try await session.execute("ROLLBACK")
                try await eventually("it has heard") { !process.isRunning }
            } catch {
                await process.stop(SIGKILL)
                throw error
            }
            let output = try String(contentsOfFile: log, encoding: .utf8)
            try Golden.compare("rebuild-\(order)-heard", output, "")
        }
    }

    private func showsRestored(_ session: PostgresSession, _ show: Show) async throws {
        // The last event was another when it was published.
        let last = "WHERE position = (SELECT max(position) FROM log.event)"
        try await session.execute(
            """
            SET session_replication_role = replica;
            UPDATE log.event SET recorded_at = recorded_at + interval '1 second' \(last)
            """)
        try await show("reset-stream-diverged", "events reset-stream", [:])
        try await show("status-diverged", "status", [:])
        try await session.execute(
            "UPDATE log.event SET recorded_at = recorded_at - interval '1 second' \(last)")
        // Somebody restores a backup of before the last two events.
        try await session.execute(
            """
            SET session_replication_role = replica;
            DELETE FROM log.event WHERE position > (SELECT max(position) - 2 FROM log.event);
            DELETE FROM log.event_tag WHERE position > (SELECT max(position) FROM log.event)
            """)
        try await show("reset-stream-ahead", "events reset-stream", [:])
        try await show("status-ahead", "status", [:])
        try await show("reset-stream-done", "events reset-stream --reason test", [:])
        try await show("status-alone", "status", ["NATS_URL": "nats://127.0.0.1:1"])
    }

    @Test("says what is wrong in the words of the golden file, and ends with a status that says so")
    func refuses() async throws {
        try await withServer { server in
            _ = try await openSailing(server, capacity: 10)
            var shown = ""
            for words in [
                "show ABCDEFGH", "show 00000000-0000-4000-8000-000000000000",
                "show x --as-of never",
                "manifest 00000000-0000-4000-8000-000000000000", "manifest noon",
                "explain availability nobody", "diff nobody 1", "table nothing",
                "events --type Nothing", "events --entity nobody", "rebuild", "rebuild nothing",
                "rebuild manifest --undo", "rebuild --resume", "rebuild manifest --until soon",
                "projections why nothing", "projections skip-event manifest 1",
                "projections skip-event manifest 1 --reason boredom",
                "diff nobody 2 1", "events --limit 0", "rebuild manifest --pause --keep-old",
                "restore nowhere", "restore --verify nowhere", "verify --against nowhere",
                "verify --archive nowhere", "import-log nowhere", "import nowhere", "seed winter",
                "ready nobody", "backup --keep none", "migrat", "bench --events none",
            ] {
                let (isSuccess, output) = try await server.run(
                    words.split(separator: " ").map(String.init), environment: ["COLUMNS": "80"])
                #expect(!isSuccess, "\(words): \(output)")
                shown += "$ quartermaster \(words)\n\(output)\n"
            }
            try Golden.compare("refusals", shown, "")
        }
    }

    @Test("helps in the words of the golden file, with every verb")
    func helps() async throws {
        let folder = ServerProcess.scratchFolder()
        func help(_ words: [String]) async throws -> String {
            let (isSuccess, output) = try await ServerProcess.run(
                ["help"] + words, in: folder, environment: ["COLUMNS": "80"])
            #expect(isSuccess)
            return "$ quartermaster help \(words.joined(separator: " "))\n\(output)\n"
        }
        var (shown, open) = ("", [[String]()])
        while !open.isEmpty {
            let words = open.removeFirst()
            let text = try await help(words)
            shown += text
            let list = text.components(separatedBy: "SUBCOMMANDS:\n").dropFirst().first ?? ""
            open += list.split(separator: "\n").compactMap { line in
                line.prefixMatch(of: #/  ([a-z-]+)/#).map { words + [String($0.output.1)] }
            }
        }
        try Golden.compare("help", shown, "")
    }

    /// A program that is newer than the schema backs up what is there before it changes anything.
    private func backsUpBeforeMigrating(_ server: ServerProcess) async throws {
        let session = try await PostgresSession.connect(
            to: PostgresConfiguration(url: try server.addresses().database))
        try await session.execute(
            """
            SET session_replication_role = replica;
            DELETE FROM public.quartermaster_migration WHERE name LIKE '%_staff_changes';
            DELETE FROM log.event_type WHERE code = 80;
            ALTER TABLE vault.staff_account
                DROP COLUMN password_position, DROP COLUMN known_position
            """)
        let migrated = try await server.run(["migrate"])
        #expect(migrated.isSuccess, "\(migrated.output)")
        try Golden.compare("migrate", migrated.output, "")
        let list = try await server.run(["backup", "--list"])
        #expect(list.output.contains("before migration"), "\(list.output)")
    }

    private func untilAllIsProjected(_ server: ServerProcess) async throws {
        try await eventually("all read models are up to date") {
            let status = try await server.run(["status", "--json"])
            let json = jsonObject(Data(status.output.utf8))
            let lags = (json["projections"] as? [[String: Any]])?.map { $0["lag"] as? Int }
            return lags?.allSatisfy { $0 == 0 } == true && json["events"] as? String == "same"
        }
    }
}

import Foundation
import Postgres
import Testing
import TestSupport

/// What the operator's tools print, to the letter: they don't change silently. Ids, times, sizes and numbers of more
/// than two digits stand as what they are; `QUARTERMASTER_WRITE_GOLDEN=1` writes the files anew.
@Suite(.serialized, .timeLimit(.minutes(5))) struct OutputTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Outputs")

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
            let backups = server.folder + "/backups"
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
                ("status", ["status"]),
                ("status-json", ["status", "--json"]),
                ("verify", ["verify"]),
                ("reset-stream", ["events", "reset-stream"]),
                ("backup", ["backup", "--folder", backups]),
                ("backup-list", ["backup", "--list", "--folder", backups]),
            ]
            for (name, arguments) in verbs {
                // Whatever a rebuild has swapped is led anew in a moment.
                try await untilAllIsProjected(server)
                let (isSuccess, output) = try await server.run(arguments)
                #expect(isSuccess, "\(arguments): \(output)")
                try compare(name, output, code)
            }
            let backup = try FileManager.default.contentsOfDirectory(atPath: backups)[0]
            let sound = try await server.run(["restore", "--verify", "\(backups)/\(backup)"])
            #expect(sound.isSuccess, "\(sound.output)")
            try compare("restore-verify", sound.output, code)
            try await backsUpBeforeMigrating(server)
        }
    }

    /// A program that is newer than the schema backs up what is there before it changes anything.
    private func backsUpBeforeMigrating(_ server: ServerProcess) async throws {
        let session = try await PostgresSession.connect(
            to: PostgresConfiguration(url: try server.addresses().database))
        try await session.execute(
            """
            SET session_replication_role = replica;
            DELETE FROM public.quartermaster_migration WHERE name LIKE '%_log_epochs';
            DELETE FROM log.event_type WHERE code IN (77, 78)
            """)
        let migrated = try await server.run(["migrate"])
        #expect(migrated.isSuccess, "\(migrated.output)")
        try compare("migrate", migrated.output, "")
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

    private func compare(_ name: String, _ output: String, _ code: String) throws {
        let file = Self.folder.appendingPathComponent("\(name).txt")
        let shown = Self.plain(output, code)
        if ProcessInfo.processInfo.environment["QUARTERMASTER_WRITE_GOLDEN"] != nil {
            try FileManager.default.createDirectory(
                at: Self.folder, withIntermediateDirectories: true)
            try shown.write(to: file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        #expect(shown == golden, "\(name)")
    }

    /// Without what is another each time.
    private static func plain(_ output: String, _ code: String) -> String {
        var text = code.isEmpty ? output : output.replacing(code, with: "CODE")
        for (pattern, what) in [
            (#"/tmp/[^\s":]*"#, "PATH"),
            ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
            (#"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?"#, "TIME"),
            ("[0-9a-f]{60,}", "HEX"),
            (#"\d[\d,]*\.\d+ MB"#, "N MB"), (#"\d[\d,]* MB"#, "N MB"),
            (#"\d+ connections"#, "N connections"), (#""connections":\d+"#, #""connections":N"#),
            (#"\bin \d+ s\b"#, "in N s"), (#"\btook \d+ s\b"#, "took N s"),
            (#"\d[\d,]*/s"#, "N/s"),
            (#"\d[\d,]* in the last minute"#, "N in the last minute"),
            (#""eventsInLastMinute":\d+"#, #""eventsInLastMinute":N"#),
            (#"\b\d[\d,]{2,}\b"#, "N"),
        ] {
            text = text.replacingOccurrences(of: pattern, with: what, options: .regularExpression)
        }
        // Progress is shown as often as there is time for it.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.filter { !$0.contains(" of N") || !$0.hasPrefixOfStep }.joined(separator: "\n")
    }
}

extension Substring {
    fileprivate var hasPrefixOfStep: Bool {
        ["reading ", "indexing ", "comparing ", "swapping ", "verifying ", "read models: "]
            .contains { hasPrefix($0) }
    }
}

import EventLog
import Foundation
import LocalServers
import Operations
import Postgres
import TestSupport
import Testing

/// What an empty system is given to begin with.
@Suite(.endsWhenHung) struct SeedTests {
    @Test("seeds a season as seasons are, once, with a trip that is sold out")
    func seedsSeason() async throws {
        try await withServer { server in
            let first = try await server.run(["seed", "development"])
            #expect(
                first.isSuccess && first.output.contains("seeded the set 'development' in"),
                "\(first.output)")
            for set in ["development", "test", "production"] {
                let again = try await server.run(["seed", set])
                #expect(again.isSuccess && again.output.contains("nothing to seed"), "\(set)")
            }
            for (type, least) in [
                ("BookingPlaced", 80), ("BookingConfirmed", 80), ("BookingRescheduled", 30),
                ("PassengerCheckedIn", 20), ("BookingCancelled", 3), ("RefundRequested", 5),
                ("MerchandiseOffered", 2), ("DiscountCodeIssued", 1),
            ] {
                let events = try await server.run([
                    "events", "--type", type, "--json", "--limit", "1000",
                ])
                let count = events.output.split(separator: "\n").count
                #expect(count >= least, "\(count) of \(type)")
            }
            try await eventually("one trip is sold out, and another has all seats free") {
                let trips = try await server.queries.get("/v1/trips").json["trips"]
                let free = (trips as? [[String: Any]] ?? []).map { trip in
                    (trip["sailings"] as? [[String: Any]] ?? []).map {
                        ($0["available"] as? Int ?? -1, $0["limit"] as? Int ?? -2)
                    }
                }
                return free.contains { !$0.isEmpty && $0.allSatisfy { $0.0 == 0 } }
                    && free.contains { !$0.isEmpty && $0.allSatisfy { $0.0 == $0.1 } }
            }
            let verified = try await server.run(["verify"])
            #expect(verified.isSuccess, "\(verified.output)")
        }
    }

    @Test("comes up with a catalogue that has something else under a name of the program's own")
    func keepsOwnCatalogue() async throws {
        try await TestDatabase.with { database in
            let folder = ServerProcess.scratchFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let environment = ["DATABASE_URL": database.connections.url]
            let file = folder + "/own.yaml"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            let seed = VerbTests.root.appendingPathComponent(
                "Sources/CatalogueImport/launches.yaml")
            try String(contentsOf: seed, encoding: .utf8)
                .replacing("capacity: ", with: "capacity: 1", maxReplacements: 1)
                .write(toFile: file, atomically: true, encoding: .utf8)
            let imported = try await ServerProcess.run(
                ["import", file], in: folder, environment: environment)
            #expect(imported.isSuccess, "\(imported.output)")
            let head = try await database.connections.log(1).head()
            let server = try await ServerProcess.start(in: folder, environment: environment)
            await server.stop()
            #expect(server.process.hasSucceeded)
            #expect(server.output.contains("goes on without all of the catalogue"))
            #expect(server.output.contains("is there already"), "\(server.output)")
            #expect(try await database.connections.log(1).head() == head)
        }
    }

    @Test("puts no made-up customers where real ones buy")
    func sparesProduction() async throws {
        try await TestDatabase.with { database in
            let folder = ServerProcess.scratchFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let environment = [
                "DATABASE_URL": database.connections.url, "ENVIRONMENT": "production",
            ]
            for set in ["development", "test"] {
                let refused = try await ServerProcess.run(
                    ["seed", set], in: folder, environment: environment)
                #expect(!refused.isSuccess && refused.output.contains("ENVIRONMENT=production"))
            }
            #expect(try await database.connections.log(1).head() == 0)
            let catalogue = try await ServerProcess.run(
                ["seed"], in: folder, environment: environment)
            #expect(catalogue.isSuccess, "\(catalogue.output)")
            #expect(try await database.connections.log(1).head() > 100)
        }
    }
}

/// What Grafana shows of the read models.
@Suite(.endsWhenHung) struct DashboardTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../compose/grafana/dashboards")

    @Test("asks questions of the read models that those who report may ask, and that have answers")
    func asksReadModels() async throws {
        try await withServer { server in
            #expect(try await server.run(["seed", "development"]).isSuccess)
            try await eventually("everything is projected") {
                try await server.run(["status"]).output.components(separatedBy: "up to date").count
                    > 10
            }
            let session = try await PostgresSession.connect(
                to: PostgresConfiguration(
                    url: try server.addresses().database,
                    settings: ["role": "quartermaster_reporting"]))
            var count = 0
            for file in try FileManager.default.contentsOfDirectory(atPath: Self.folder.path) {
                let text = try Data(contentsOf: Self.folder.appendingPathComponent(file))
                for panel in jsonObject(text)["panels"] as? [[String: Any]] ?? [] {
                    for target in panel["targets"] as? [[String: Any]] ?? [] {
                        guard let query = target["rawSql"] as? String else { continue }
                        let rows = try await session.execute(query)
                        #expect(rows.count > 0, "\(file): \(panel["title"] ?? "")")
                        count += 1
                    }
                }
            }
            #expect(count >= 5)
        }
    }
}

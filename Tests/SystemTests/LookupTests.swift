import Foundation
import Testing
import TestSupport

/// Who may see a booking, and how often somebody may guess.
@Suite(.serialized, .endsWhenHung) struct LookupTests {
    @Test("shows a booking to who knows its last name, and lets nobody try all names")
    func limitsLookups() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let placed = try await server.commands.post("/v1/bookings", place.order())
            let position = placed.headers["quartermaster-position"] ?? ""
            let path = "/v1/bookings/\(placed.json["code"] as? String ?? "")"
            let bare = try await server.queries.get("\(path)?min-position=\(position)")
            #expect(bare.json["contact"] is NSNull)
            #expect(try await server.queries.get("\(path)?lastName=lovelace").status == 200)
            // However many ask at the same time, so many are heard.
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        try await server.queries.get("\(path)?lastName=x\(number)").status
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [404: 10, 429: 30])
            let refused = try await server.queries.get("\(path)?lastName=Lovelace")
            #expect(refused.status == 429)
            #expect(refused.headers["retry-after"] != nil)
            #expect(try await server.staffQueries.get("\(path)?lastName=Lovelace").status == 200)
            #expect(try await server.queries.get(path).status == 200)
        }
    }
}

import Foundation
import Operations
import Postgres
import Testing
import TestSupport

/// What went wrong in the system that such an operator runs today, and can't here.
///
/// Two rows have tests of their own elsewhere: seats that are checked and then taken in two steps, and codes
/// and stock that are counted twice or never, in `DecisionLoopTests`; migrations that can't build a
/// database from nothing, in `MigrationTests`.
@Suite(.serialized, .endsWhenHung) struct WentWrongTests {
    @Test("takes no total, price, status or code from a client")
    func trustsNoClient() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            func order(with member: String) -> String {
                "{\(member)," + place.order().dropFirst()
            }
            let edited = try await server.commands.post(
                "/v1/bookings", order(with: #""total":\#(dollars(1))"#))
            #expect(edited.problem == "total-changed")
            #expect((edited.json["current"] as? [String: Any])?["amount"] as? Int == 13803)
            for member in [
                #""status":"confirmed""#, #""code":"AAAAAAAA""#, #""discount":100"#,
                #""quote":{"total":0}"#,
            ] {
                let answer = try await server.commands.post("/v1/bookings", order(with: member))
                #expect(answer.status == 400, "\(member)")
            }
            let priced = place.order().replacing(
                #""quantity":1"#, with: #""quantity":1,"unitPrice":\#(dollars(0))"#)
            #expect(try await server.commands.post("/v1/bookings", priced).status == 400)
            let booked = try await server.commands.post("/v1/bookings", place.order())
            let free = try await server.commands.post(
                "/v1/bookings/\(booked.json["booking"] as? String ?? "")/confirm",
                #"{"basis":"free"}"#)
            #expect(free.problem == "payment-due")
        }
    }

    @Test("confirms no refunded booking by a late message, and cancels no checked-in one")
    func survivesLateMessages() async throws {
        try await withServer(environment: ["PAYMENT_PROVIDER": "sandbox"]) { server in
            let place = try await openSailing(server, capacity: 5)
            let booked = try await server.commands.post("/v1/bookings", place.order())
            let booking = booked.json["booking"] as? String ?? ""
            let started = try await server.commands.post("/v1/bookings/\(booking)/payments", "")
            let payment = started.json["payment"] as? String ?? ""
            try await act("pay", payment, server)
            try await until("confirmed", booked, server)
            let checked = try await server.staff.post(
                "/v1/bookings/\(booking)/check-in", #"{"sailing":"\#(place.sailing)"}"#)
            #expect(checked.status == 200)
            try await untilHeard(server) {
                try await act("decline", payment, server)
                try await act("pay", payment, server)
            }
            let refunded = try await server.staff.post(
                "/v1/bookings/\(booking)/refunds", #"{"amount":\#(dollars(1)),"reason":"x"}"#)
            try await until("checked_in", booked, server, after: refunded)
            _ = try await server.staff.post(
                "/v1/bookings/\(booking)/revert-check-in", #"{"sailing":"\#(place.sailing)"}"#)
            // The provider gives the dollar back when it likes, and that changes the booking too.
            let code = booked.json["code"] as? String ?? ""
            try await eventually("the dollar is back") {
                let shown = try await server.staffQueries.get("/v1/bookings/\(code)")
                return (shown.json["refunded"] as? [String: Any])?["amount"] as? Int == 100
            }
            let tag = try await currentTag(booking, booked, server)
            let cancelled = try await server.staff.post(
                "/v1/bookings/\(booking)/cancel", #"{"reason":"ill"}"#, headers: [("If-Match", tag)]
            )
            #expect(cancelled.status == 200, "\(cancelled.json)")
            try await untilHeard(server) {
                try await act("pay", payment, server)
                try await act("decline", payment, server)
            }
            let note = try await server.staff.post(
                "/v1/bookings/\(booking)/notes", #"{"note":"all said"}"#)
            try await until("cancelled", booked, server, after: note)
        }
    }

    private func currentTag(
        _ booking: String, _ booked: HTTPAnswer, _ server: ServerProcess
    ) async throws -> String {
        // A note moves the position that the next look waits for.
        let note = try await server.staff.post(
            "/v1/bookings/\(booking)/notes", #"{"note":"looked"}"#)
        let position = note.headers["quartermaster-position"] ?? ""
        let code = booked.json["code"] as? String ?? ""
        let shown = try await server.staffQueries.get(
            "/v1/bookings/\(code)?min-position=\(position)")
        return shown.headers["etag"] ?? ""
    }

    private func act(_ deed: String, _ payment: String, _ server: ServerProcess) async throws {
        let answer = try await server.commands.post(
            "/v1/sandbox/payments/\(payment)", #"{"deed":"\#(deed)"}"#)
        #expect(answer.status == 202)
    }

    /// Until both messages that come of `body` have been heard, and answered.
    private func untilHeard(_ server: ServerProcess, _ body: () async throws -> Void) async throws {
        func count() async throws -> Double {
            try await server.operations.metrics()[
                #"quartermaster_http_request_seconds_count{operation="hearFromProvider",status="200"}"#
            ]
                ?? 0
        }
        let before = try await count()
        try await body()
        try await eventually("the messages are heard") { try await count() >= before + 2 }
    }

    private func until(
        _ status: String, _ booked: HTTPAnswer, _ server: ServerProcess,
        after change: HTTPAnswer? = nil
    ) async throws {
        let code = booked.json["code"] as? String ?? ""
        let position = change?.headers["quartermaster-position"] ?? "0"
        try await eventually("the booking is \(status)") {
            let shown = try await server.staffQueries.get(
                "/v1/bookings/\(code)?min-position=\(position)")
            return shown.json["status"] as? String == status
        }
    }

    @Test("lets no read write: the query side's connections can't")
    func readsWriteNothing() async throws {
        try await TestDatabase.with { database in
            let client = database.connections.client(1)
            for statement in [
                "CREATE TABLE reading.x (y int)",
                "INSERT INTO vault.staff_account VALUES (gen_random_uuid(), 'x', 'y', 'z')",
                "UPDATE vault.staff_account SET role = 'owner'",
            ] {
                let error = await #expect(throws: PostgresError.self) {
                    try await client.run(statement)
                }
                #expect(
                    error?.kind == .other(sqlState: "25006"),
                    "\(statement): \(String(describing: error))")
            }
        }
    }

    @Test("leaves a past booking's label, price and time as they were, whatever changes later")
    func rewritesNoPast() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let booked = try await server.commands.post("/v1/bookings", place.order())
            let booking = booked.json["booking"] as? String ?? ""
            let code = booked.json["code"] as? String ?? ""
            func shown(after answer: HTTPAnswer) async throws -> [String: Any] {
                let position = answer.headers["quartermaster-position"] ?? ""
                return try await server.staffQueries.get(
                    "/v1/bookings/\(code)?min-position=\(position)"
                ).json
            }
            let before = try await shown(after: booked)
            let type = "/v1/sailings/\(place.sailing)/ticket-types/\(place.ticketType)"
            let changed = try await server.staff.post(
                type, #"{"label":"Grown-up","price":\#(dollars(1))}"#, method: "PATCH")
            #expect(changed.status == 200)
            let paid = try await server.staff.post(
                "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
            let after = try await shown(after: paid)
            #expect(after["status"] as? String == "confirmed")
            #expect(after["placedAt"] as? String == before["placedAt"] as? String)
            let (old, new) = (before["quote"] as? NSDictionary, after["quote"] as? NSDictionary)
            #expect(old != nil && old == new)
        }
    }

    @Test("shows every booking of a thousand, page by page and as a table, and stops nowhere")
    func stopsNowhere() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 1100)
            let placed = try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
                for _ in 0..<1050 {
                    group.addTask { try await server.commands.post("/v1/bookings", place.order()) }
                }
                return try await group.reduce(into: [HTTPAnswer]()) { $0.append($1) }
            }
            #expect(placed.allSatisfy { $0.status == 201 })
            let codes = Set(placed.compactMap { $0.json["code"] as? String })
            let last = placed.compactMap { Int($0.headers["quartermaster-position"] ?? "") }.max()
            var seen: [String] = []
            var next: String? = ""
            while let cursor = next {
                let page = try await server.staffQueries.get(
                    "/v1/bookings?q=lovelace&limit=100&min-position=\(last ?? 0)"
                        + (cursor.isEmpty ? "" : "&cursor=\(cursor)"))
                let bookings = page.json["bookings"] as? [[String: Any]] ?? []
                seen += bookings.compactMap { $0["code"] as? String }
                next = page.json["next"] as? String
            }
            #expect(Set(seen) == codes && seen.count == codes.count)
            let table = try await server.staffQueries.get("/v1/exports/bookings.csv")
            let lines = String(decoding: table.body, as: UTF8.self).split(separator: "\r\n")
            #expect(lines.count == codes.count + 1)
        }
    }
}

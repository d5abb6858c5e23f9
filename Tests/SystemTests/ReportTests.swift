import Foundation
import Testing
import TestSupport

/// What the office looks at: sums, boards, timelines and tables.
@Suite(.serialized, .endsWhenHung) struct ReportTests {
    @Test("shows what was sold, moved and given back, by day, mission and trip, to the cent")
    func showsRevenue() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 10)
            let mission = try await mission(of: place, server)
            let before = try await statistics(mission, server)
            let (first, second) = (
                try await sold(2, place, server), try await sold(3, place, server)
            )
            let unsold = try await server.commands.post("/v1/bookings", place.order())
            #expect(unsold.status == 201)
            let refund =
                #"{"seats":[{"sailing":"\#(place.sailing)","ticketType":"\#(place.ticketType)","quantity":1}],"reason":"ill"}"#
            _ = try await server.staff.post("/v1/bookings/\(first)/refunds", refund)
            let goodwill = #"{"amount":\#(dollars(5)),"reason":"fog"}"#
            let last = try await server.staff.post("/v1/bookings/\(second)/refunds", goodwill)
            // Four seats are sold now; five were paid for.
            let expected = [
                "gross": 4 * 12900, "tax": 4 * 903, "total": 4 * 13803, "charged": 5 * 13803,
                "refunds": 13803 + 500, "net": 4 * 13803 - 500, "discounts": 0, "tips": 0,
            ]
            let after = try await statistics(mission, server, after: last)
            for (name, amount) in expected {
                #expect(after.sum(name) - before.sum(name) == amount, "\(name)")
            }
            let trips = after.json["trips"] as? [[String: Any]] ?? []
            let ours = trips.first { $0["trip"] as? String == place.trip } ?? [:]
            #expect(ours["gross"] as? Int == after.sum("gross"))
            let days = try await revenue(server)
            #expect(days.reduce(0) { $0 + ($1["net"] as? Int ?? 0) } >= expected["net"]!)
            for path in ["from=2026-1-1&until=2026-01-02", "from=2026-01-02&until=2026-01-01"] {
                #expect(try await server.staffQueries.get("/v1/revenue?\(path)").status == 400)
            }
        }
    }

    private func statistics(
        _ mission: String, _ server: ServerProcess, after change: HTTPAnswer? = nil
    ) async throws -> HTTPAnswer {
        let position = change?.headers["quartermaster-position"] ?? "0"
        return try await server.staffQueries.get(
            "/v1/missions/\(mission)/statistics?min-position=\(position)")
    }

    private func revenue(_ server: ServerProcess) async throws -> [[String: Any]] {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withFullDate]
        let (yesterday, tomorrow) = (
            format.string(from: Date() - 86_400), format.string(from: Date() + 86_400)
        )
        let answer = try await server.staffQueries.get(
            "/v1/revenue?from=\(yesterday)&until=\(tomorrow)")
        #expect(answer.status == 200)
        return answer.json["days"] as? [[String: Any]] ?? []
    }

    private func mission(of place: OpenSailing, _ server: ServerProcess) async throws -> String {
        let trip = try await server.queries.get("/v1/trips/\(place.trip)")
        return trip.json["mission"] as? String ?? (trip.json["mission"] as? [String: Any])?["id"]
            as? String ?? ""
    }

    /// The booking of so many seats, paid at the dock.
    private func sold(
        _ quantity: Int, _ place: OpenSailing, _ server: ServerProcess
    ) async throws -> String {
        let booked = try await server.commands.post(
            "/v1/bookings", place.order(quantity: quantity))
        return try await sold(booked, server)
    }

    private func sold(_ booked: HTTPAnswer, _ server: ServerProcess) async throws -> String {
        let booking = booked.json["booking"] as? String ?? ""
        let paid = try await server.staff.post(
            "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
        #expect(paid.status == 200)
        return booking
    }

    @Test("gives a reseller his share of what his program sold, and not of what went back")
    func sharesWithResellers() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 10)
            let issued = try await server.staff.post(
                "/v1/api-keys",
                #"{"label":"Beach hotel","scopes":["reseller"],"commissionBasisPoints":1000}"#)
            let key = issued.json["id"] as? String ?? ""
            let program = HTTPDoor(
                server.commands.base, token: issued.json["apiKey"] as? String ?? "")
            var bookings: [String] = []
            for quantity in [2, 1] {
                let placed = try await program.post(
                    "/v1/bookings", place.order(quantity: quantity))
                #expect(placed.status == 201)
                bookings.append(placed.json["booking"] as? String ?? "")
                _ = try await server.staff.post(
                    "/v1/bookings/\(bookings.last ?? "")/confirm",
                    #"{"basis":"paid_at_the_dock"}"#)
            }
            _ = try await sold(4, place, server)
            let path = "/v1/api-keys/\(key)/commission"
            let seats =
                #"[{"sailing":"\#(place.sailing)","ticketType":"\#(place.ticketType)"}]"#
            let refunded = try await server.staff.post(
                "/v1/bookings/\(bookings[1])/refunds", #"{"seats":\#(seats),"reason":"ill"}"#)
            let position = refunded.headers["quartermaster-position"] ?? ""
            let share = try await server.staffQueries.get("\(path)?min-position=\(position)")
            #expect(share.sum("gross") == 2 * 12900)
            #expect(share.sum("commission") == 2580)
            #expect(share.sum("refunds") == 13803)
        }
    }

    @Test(
        "tells who did what to a thing, when, and what was so before and after, and nothing sealed")
    func tellsTimelines() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let sailing = "/v1/sailings/\(place.sailing)"
            for limit in ["4", "3"] {
                let set = try await server.staff.post(
                    sailing, #"{"limit":\#(limit)}"#, method: "PATCH")
                #expect(set.status == 200)
            }
            let timeline = try await server.staffQueries.get("/v1/timeline/\(place.sailing)")
            let events = timeline.json["events"] as? [[String: Any]] ?? []
            #expect(
                events.map { $0["type"] as? String } == [
                    "BoatAssigned", "SailingLimitSet", "SailingLimitSet",
                ])
            let change = (events.last?["changes"] as? [[String: Any]])?.first
            #expect(change?["field"] as? String == "limit")
            #expect(change?["before"] as? Int == 4 && change?["after"] as? Int == 3)
            #expect(events.last?["actor"] as? String == "staff")
            let booked = try await server.commands.post("/v1/bookings", place.order())
            let code = booked.json["code"] as? String ?? ""
            let ofBooking = try await server.staffQueries.get("/v1/timeline/\(code)")
            let fields = (ofBooking.json["events"] as? [[String: Any]])?.first?["changes"]
            let names = (fields as? [[String: Any]])?.compactMap { $0["field"] as? String } ?? []
            #expect(names.contains("quote") && !names.contains("contact"))
            _ = try await sold(booked, server)
            let later = try await server.staffQueries.get("/v1/timeline/\(code)")
            let types = (later.json["events"] as? [[String: Any]])?.map { $0["type"] as? String }
            #expect(types == ["BookingPlaced", "PaymentSucceeded", "BookingConfirmed"])
            let issued = try await server.staff.post(
                "/v1/discount-codes", #"{"code":"spring-26","reduction":{"basisPoints":1000}}"#)
            #expect(issued.status == 201)
            let ofCode = try await server.staffQueries.get("/v1/timeline/SPRING-26")
            #expect((ofCode.json["events"] as? [Any])?.count == 1)
            let page = try await server.staffQueries.get(
                "/v1/timeline/\(place.sailing)?limit=1")
            #expect((page.json["events"] as? [Any])?.count == 1 && page.json["next"] is Int)
            #expect(
                try await server.staffQueries.get("/v1/timeline/\(UUID().uuidString)").status == 404
            )
        }
    }

    @Test("lists what the office has to choose from, and all trips to staff, whoever may buy them")
    func listsCatalogue() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let hidden = try await server.staff.post(
                "/v1/trips/\(place.trip)", #"{"isArchived":true,"isListed":false}"#,
                method: "PATCH")
            let wait = "min-position=\(hidden.headers["quartermaster-position"] ?? "")"
            func trips(_ query: String, _ door: HTTPDoor) async throws -> [String?] {
                let answer = try await door.get("/v1/trips?\(query)&limit=100&\(wait)")
                let trips = answer.json["trips"] as? [[String: Any]] ?? []
                return trips.map { $0["trip"] as? String }
            }
            #expect(try await !trips("", server.queries).contains(place.trip))
            #expect(try await !trips("", server.staffQueries).contains(place.trip))
            #expect(try await trips("all=true", server.staffQueries).contains(place.trip))
            #expect(try await server.queries.get("/v1/trips?all=true").status == 401)
            let far = "all=true&departsFrom=2100-01-01T00:00:00Z"
            #expect(try await trips(far, server.staffQueries).isEmpty)
            func entries(_ path: String) async throws -> [[String: Any]] {
                let answer = try await server.staffQueries.get("/v1/catalogue/\(path)&\(wait)")
                #expect(answer.status == 200)
                return answer.json["entries"] as? [[String: Any]] ?? []
            }
            for kind in ["location", "jurisdiction", "provider", "boat", "launch", "mission"] {
                let all = try await entries("\(kind)?limit=100")
                #expect(!all.isEmpty && all.allSatisfy { $0["kind"] as? String == kind })
                #expect(all.allSatisfy { $0["terms"] is [String: Any] })
            }
            let launch = try #require(try await entries("launch?limit=1").first)
            #expect(launch["suggestedDeparture"] is String)
            let missions = try await entries("mission?parent=\(launch["id"] as? String ?? "")")
            #expect(missions.allSatisfy { $0["parent"] as? String == launch["id"] as? String })
            try await setsCutoff(server, of: missions.first?["id"] as? String ?? "")
            let taxed = try await entries("jurisdiction?limit=1").first?["rates"] as? [Any]
            #expect(taxed?.count == 1)
            #expect(try await entries("boat?name=zzz").isEmpty)
            #expect(try await server.staffQueries.get("/v1/catalogue/rocket").status == 404)
        }
    }

    private func setsCutoff(_ server: ServerProcess, of mission: String) async throws {
        let set = try await server.staff.post(
            "/v1/missions/\(mission)", #"{"refundCutoffHours":36}"#, method: "PATCH")
        #expect(set.json["happened"] as? [String] == ["RefundCutoffSet"])
        let shown = try await server.staffQueries.get(
            "/v1/catalogue/mission?limit=100"
                + "&min-position=\(set.headers["quartermaster-position"] ?? "")")
        let entries = shown.json["entries"] as? [[String: Any]] ?? []
        let terms = entries.first { $0["id"] as? String == mission }?["terms"] as? [String: Any]
        #expect(terms?["refundCutoffHours"] as? Int == 36)
    }

    @Test("exports tables of more than a page, quoted, guarded, and as of a position")
    func exports() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 10)
            let order = place.order().replacing(
                #""lastName":"Lovelace""#, with: #""lastName":"=1+1,\"\u0301x\"""#)
            let booked = try await server.commands.post("/v1/bookings", order)
            let booking = booked.json["booking"] as? String ?? ""
            let paid = try await server.staff.post(
                "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock","means":"cash"}"#)
            let position = paid.headers["quartermaster-position"] ?? ""
            _ = try await server.staffQueries.get("/v1/bookings?min-position=\(position)")
            _ = try await server.staffQueries.get("/v1/ledger?min-position=\(position)")
            let table = try await server.staffQueries.get("/v1/exports/bookings.csv?q=1")
            #expect(table.headers["content-type"]?.hasPrefix("text/csv") == true)
            #expect(Int(table.headers["quartermaster-position"] ?? "") ?? 0 >= Int(position) ?? 1)
            let lines = String(decoding: table.body, as: UTF8.self).components(separatedBy: "\r\n")
            #expect(lines.first?.hasPrefix("code,status,placed_at,first_name,last_name") == true)
            #expect(lines.count == 3 && lines.last == "")
            // With an accent on it, it is another character to Swift, and a quote still.
            #expect(lines[1].contains(",\"'=1+1,\"\"\u{301}x\"\"\","), "\(lines)")
            #expect(
                try await server.staffQueries.get("/v1/bookings?q=%27%CC%81x%5C").status == 200)
            let manifest = try await server.staffQueries.get(
                "/v1/exports/sailings/\(place.sailing)/manifest.csv")
            #expect(String(decoding: manifest.body, as: UTF8.self).contains(",1 Adult,1,0,"))
            let ledger = try await server.staffQueries.get("/v1/exports/ledger.csv")
            let entries = String(decoding: ledger.body, as: UTF8.self)
            #expect(entries.contains(",charged,13803,USD,dock,") && entries.contains(",cash\r\n"))
            for _ in 0..<5 {
                #expect(try await server.staffQueries.get("/v1/exports/ledger.csv").status == 200)
            }
        }
    }

    @Test("shows who is aboard, who is missing, and who was let in twice")
    func showsBoard() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let booking = try await sold(3, place, server)
            func scan(_ scanner: String, _ number: Int, _ people: String) async throws -> HTTPAnswer
            {
                let id = "01234567-89ab-7def-8123-00000000000\(number)"
                return try await server.staff.post(
                    "/v1/sailings/\(place.sailing)/scans",
                    #"{"scanner":"\#(scanner)","scans":[{"scan":"\#(id)","booking":"\#(booking)","passengers":[\#(people)],"at":"2026-11-20T10:00:00Z"}]}"#
                )
            }
            _ = try await scan("Dock 1", 1, "1,2")
            let last = try await scan("Dock 2", 2, "2")
            let position = last.headers["quartermaster-position"] ?? ""
            let board = try await server.staffQueries.get(
                "/v1/sailings/\(place.sailing)/check-in-board?min-position=\(position)")
            #expect(board.json["expected"] as? Int == 3 && board.json["aboard"] as? Int == 2)
            let missing = (board.json["missing"] as? [[String: Any]])?.first
            #expect(missing?["passengers"] as? [Int] == [3])
            let double = (board.json["doubles"] as? [[String: Any]])?.first
            #expect(double?["passenger"] as? Int == 2)
            let scanners = (double?["scans"] as? [[String: Any]])?.map { $0["scanner"] as? String }
            #expect(scanners == ["Dock 1", "Dock 2"])
        }
    }
}

extension HTTPAnswer {
    fileprivate func sum(_ name: String) -> Int { json[name] as? Int ?? 0 }
}

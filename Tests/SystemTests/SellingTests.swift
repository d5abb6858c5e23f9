import Foundation
import Testing
import TestSupport

/// The office's rules of selling, as seen through the doors of the running system.
@Suite(.serialized, .endsWhenHung) struct SellingTests {
    @Test("sells with a discount code, shows its use, and sells without it when it is used up")
    func sellsWithCodes() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 10)
            try await issues(server)
            let quote = try await server.commands.post(
                "/v1/quotes", place.quote(discountCode: "spring-26"))
            #expect(quote.status == 200)
            #expect(quote.amount("discount") == 1000)
            #expect(quote.amount("total") == 11900 + 833)
            let outcome = (quote.json["codes"] as? [[String: Any]])?.first
            #expect(outcome?["effect"] as? String == "discounted")
            let placed = try await server.commands.post(
                "/v1/bookings", place.order(discountCode: "Spring-26"))
            #expect(placed.status == 201)
            try await refusesUsedUp(server, place)
            try await showsUses(server, from: placed)
        }
    }

    @Test("changes what a sailing sells, and sells beyond its limit with a reason, by staff only")
    func configures() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let sailing = "/v1/sailings/\(place.sailing)"
            let key = UUID().uuidString.lowercased()
            let body = #"{"label":"Child","price":\#(dollars(50)),"fixedCap":2}"#
            let child = try await server.staff.post("\(sailing)/ticket-types", body, key: key)
            #expect(child.status == 201)
            let again = try await server.staff.post("\(sailing)/ticket-types", body, key: key)
            #expect(again.json["id"] as? String == child.json["id"] as? String)
            let type = "\(sailing)/ticket-types/\(child.json["id"] as? String ?? "")"
            let capped = try await server.staff.post(type, #"{"cap":"shared"}"#, method: "PATCH")
            #expect(capped.json["happened"] as? [String] == ["TicketTypeCapped"])
            let odd = try await server.staff.post(type, #"{"cap":"large"}"#, method: "PATCH")
            #expect(odd.status == 400)
            let withdrawn = try await server.staff.post("\(type)/withdraw", "")
            #expect(withdrawn.json["happened"] as? [String] == ["TicketTypeWithdrawn"])
            let limited = try await server.staff.post(sailing, #"{"limit":2}"#, method: "PATCH")
            #expect(limited.status == 200)
            try await oversells(server, place)
        }
    }

    @Test(
        "changes a booking for staff and for who has its link, shows what is due, and refunds lines"
    )
    func changes() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let booked = try await server.commands.post("/v1/bookings", place.order(quantity: 2))
            let booking = "/v1/bookings/\(booked.json["booking"] as? String ?? "")"
            let link = [("Booking-Link", booked.json["link"] as? String ?? "")]
            let paid = try await server.staff.post(
                "\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
            #expect(paid.status == 200)
            let seats = #"{"sailing":"\#(place.sailing)","ticketType":"\#(place.ticketType)","#
            let more = try await server.staff.post(
                "\(booking)/changes", #"{"seats":[\#(seats)"quantity":3}]}"#)
            #expect(more.json["happened"] as? [String] == ["LineQuantityChanged"])
            try await showsBalance(12900 + 903, of: booked, after: more, server)
            let contact =
                #"{"contact":{"firstName":"Ada","lastName":"King","email":"king@example.org""#
                + #","phone":"+1 (321) 555-0199"}}"#
            let stranger = try await server.commands.post(
                "\(booking)/contact", contact, method: "PUT")
            #expect(stranger.status == 401)
            let forged = try await server.commands.post(
                "\(booking)/contact", contact, method: "PUT",
                headers: [("Booking-Link", "9999999999.00")])
            #expect(forged.status == 401)
            let renamed = try await server.commands.post(
                "\(booking)/contact", contact, method: "PUT", headers: link)
            #expect(renamed.json["happened"] as? [String] == ["ContactChanged"])
            try await findsRenamed(booked, link[0].1, after: renamed, server)
            let refund = #"{"seats":[\#(seats)"quantity":2}],"reason":"ill"}"#
            let refunded = try await server.commands.post(
                "\(booking)/refunds", refund, headers: link)
            #expect(
                refunded.json["happened"] as? [String]
                    == ["LineQuantityChanged", "RefundRequested"])
            try await showsBalance(0, of: booked, after: refunded, server)
            let code = booked.json["code"] as? String ?? ""
            try await handsOut(booking, with: code, after: refunded, server)
            // The code alone shows neither who it is nor what would let somebody give the seats up.
            let alone = try await server.queries.get("/v1/bookings/\(code)")
            #expect(alone.json["booking"] is NSNull && alone.json["contact"] is NSNull)
            #expect((alone.json["ledger"] as? [Any])?.isEmpty == true)
            #expect(alone.json["status"] as? String == "confirmed")
        }
    }

    /// He paid at the dock, and asked for it from afar: it waits for him there.
    private func handsOut(
        _ booking: String, with code: String, after refunded: HTTPAnswer, _ server: ServerProcess
    ) async throws {
        func entries(_ state: String, after change: HTTPAnswer) async throws -> [[String: Any]] {
            let ledger = try await server.staffQueries.get(
                "/v1/ledger?state=\(state)&min-position=\(position(change))")
            return ledger.json["entries"] as? [[String: Any]] ?? []
        }
        let due = try await entries("refund_requested", after: refunded)
        #expect(due.map { $0["provider"] as? String } == ["dock"])
        let path = "\(booking)/refunds/\(due.first?["entry"] as? String ?? "")/hand-out"
        #expect(try await server.commands.post(path, "").status == 401)
        let done = try await server.staff.post(path, "")
        #expect(done.json["happened"] as? [String] == ["RefundSucceeded"])
        #expect(try await server.staff.post(path, "").json["happened"] as? [String] == [])
        #expect(try await entries("refund_requested", after: done).isEmpty)
        #expect(try await entries("refunded", after: done).count == 1)
        let shown = try await server.staffQueries.get("/v1/bookings/\(code)")
        let entries = shown.json["ledger"] as? [[String: Any]] ?? []
        #expect(entries.map { $0["state"] as? String } == ["charged", "refunded"])
        let unknown = try await server.staffQueries.get("/v1/ledger?state=lost")
        #expect(unknown.status == 400)
    }

    @Test("shows of a trip whose link somebody has why it can't be booked")
    func showsObstacles() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let trip = "/v1/trips/\(place.trip)"
            func notOnSale(_ change: String) async throws -> String? {
                let changed = try await server.staff.post(trip, change, method: "PATCH")
                let shown = try await server.queries.get(
                    "\(trip)?min-position=\(position(changed))")
                #expect(shown.json["notOnSale"] != nil)
                return shown.json["notOnSale"] as? String
            }
            #expect(try await notOnSale(#"{"isListed":false}"#) == nil)
            #expect(try await notOnSale(#"{"saleMode":"private"}"#) == "staffOnly")
            #expect(try await notOnSale(#"{"saleMode":"early_bird"}"#) == "accessCodeNeeded")
            #expect(try await notOnSale(#"{"isActive":false}"#) == "inactive")
            #expect(try await notOnSale(#"{"isArchived":true}"#) == "archived")
        }
    }

    private func position(_ answer: HTTPAnswer) -> String {
        answer.headers["quartermaster-position"] ?? ""
    }

    private func showsBalance(
        _ amount: Int, of booked: HTTPAnswer, after change: HTTPAnswer, _ server: ServerProcess
    ) async throws {
        let code = booked.json["code"] as? String ?? ""
        let shown = try await server.staffQueries.get(
            "/v1/bookings/\(code)?min-position=\(position(change))")
        #expect(shown.amount("balance") == amount)
    }

    private func findsRenamed(
        _ booked: HTTPAnswer, _ link: String, after change: HTTPAnswer, _ server: ServerProcess
    ) async throws {
        let code = booked.json["code"] as? String ?? ""
        let wait = "min-position=\(position(change))"
        let shown = try await server.queries.get("/v1/bookings/\(code)?link=\(link)&\(wait)")
        let contact = shown.json["contact"] as? [String: Any]
        #expect(contact?["lastName"] as? String == "King")
        let wrong = try await server.queries.get("/v1/bookings/\(code)?link=1.00&\(wait)")
        #expect(wrong.status == 404)
        for (query, count) in [
            ("q=king", 1), ("q=\(code.lowercased())%20ada", 1), ("q=\(code)%20lovelace", 0),
            ("q=kin%20ada", 1), ("q=lovelace", 0), ("q=king@exa&status=held", 0),
            ("q=king@example&status=confirmed,held&sort=name", 1), ("q=king&status=held", 0),
            ("q=king&status=confirmed", 1), ("q=%2B1%20(321)%20555-0199", 1), ("q=king@exa.", 0),
            ("q=13215550199", 1), ("q=321-555-0199", 1), ("q=321.555.01", 1), ("q=5550199", 1),
            ("q=1321555", 1), ("q=03215550199", 1), ("q=%2B13215550199", 1), ("q=13215550198", 0),
        ] {
            let found = try await server.staffQueries.get("/v1/bookings?\(query)&\(wait)")
            #expect((found.json["bookings"] as? [Any])?.count == count, "\(query)")
        }
    }

    @Test(
        "takes scans of two scanners late, in parts and twice, and tells both who let the same people in"
    )
    func takesScans() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let booked = try await server.commands.post("/v1/bookings", place.order(quantity: 2))
            let (booking, code) = (
                booked.json["booking"] as? String ?? "", booked.json["code"] as? String ?? ""
            )
            let path = "/v1/sailings/\(place.sailing)/scans"
            func scan(_ number: Int, _ subject: String, minute: Int) -> String {
                let id = "01234567-89ab-7def-8123-00000000000\(number)"
                return #"{"scan":"\#(id)",\#(subject),"at":"2026-11-20T10:0\#(minute):00Z"}"#
            }
            func tell(_ scanner: String, _ scans: String...) async throws -> [[String: Any]] {
                let body =
                    #"{"scanner":"\#(scanner)","scans":[\#(scans.joined(separator: ","))]}"#
                let answer = try await server.staff.post(path, body)
                #expect(answer.status == 200)
                return answer.json["scans"] as? [[String: Any]] ?? []
            }
            let late = scan(1, #""booking":"\#(booking)""#, minute: 5)
            let unpaid = try await tell("Dock 1", late)
            #expect(unpaid[0]["problem"] as? String == "payment-due")
            _ = try await server.staff.post(
                "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
            let first = try await tell("Dock 1", late)
            #expect(first[0]["outcome"] as? String == "aboard")
            let early = scan(2, #""code":"\#(code)","passengers":[2]"#, minute: 1)
            let nobody = scan(3, #""code":"22222222""#, minute: 1)
            let second = try await tell("Dock 2", nobody, early)
            #expect(second[0]["problem"] as? String == "unknown-booking")
            #expect(second[1]["first"] as? [Int] == [2])
            let told = try await tell("Dock 1", late)
            #expect(told[0]["first"] as? [Int] == [1])
            let other = (told[0]["others"] as? [[String: Any]])?.first
            #expect(other?["scanner"] as? String == "Dock 2")
            try await keepsNotes(booking, code, server)
        }
    }

    private func keepsNotes(_ booking: String, _ code: String, _ server: ServerProcess) async throws
    {
        let path = "/v1/bookings/\(booking)/notes"
        let written = try await server.staff.post(path, #"{"note":"Came late,\nwas kind"}"#)
        #expect(written.status == 200)
        let wait = "min-position=\(position(written))"
        let shown = try await server.staffQueries.get("/v1/bookings/\(code)?\(wait)")
        let notes = shown.json["notes"] as? [[String: Any]]
        #expect(notes?.map { $0["note"] as? String } == ["Came late,\nwas kind"])
        #expect(shown.json["passengersAboard"] as? [Int] == [1, 2])
        let seenByCustomer = try await server.queries.get("/v1/bookings/\(code)?lastName=lovelace")
        #expect((seenByCustomer.json["notes"] as? [Any])?.isEmpty == true)
    }

    @Test("sells merchandise with seats, shows what is left, and hands it over at check-in")
    func sellsMerchandise() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            func made(_ path: String, _ body: String) async throws -> String {
                let answer = try await server.staff.post(path, body)
                #expect(answer.status == 201)
                return answer.json["id"] as? String ?? ""
            }
            let patch = try await made("/v1/merchandise", #"{"name":"Mission patch"}"#)
            let blue = try await made(
                "/v1/merchandise/\(patch)/variations", #"{"label":"blue","price":\#(dollars(9))}"#)
            let variation = "/v1/variations/\(blue)"
            _ = try await server.staff.post("\(variation)/receive", #"{"quantity":10}"#)
            let offer = try await made(
                "/v1/trips/\(place.trip)/merchandise", #"{"variation":"\#(blue)","allotment":3}"#)
            let goods = #""merchandise":[{"offer":"\#(offer)","quantity":2}],"contact""#
            let order = place.order().replacing("\"contact\"", with: goods)
            let placed = try await server.commands.post("/v1/bookings", order)
            #expect(placed.status == 201)
            let refused = try await server.commands.post("/v1/bookings", order)
            #expect(refused.problem == "out-of-stock")
            #expect(refused.json["available"] as? Int == 1)
            let adjusted = try await server.staff.post(
                "\(variation)/adjust", #"{"quantity":-9,"reason":"wet"}"#)
            #expect(adjusted.problem == "stock-below-use")
            try await handsOver(server, place, placed)
        }
    }

    private func handsOver(
        _ server: ServerProcess, _ place: OpenSailing, _ placed: HTTPAnswer
    ) async throws {
        let booking = placed.json["booking"] as? String ?? ""
        let sold = try await server.staff.post(
            "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
        let aboard = try await server.staff.post(
            "/v1/bookings/\(booking)/check-in", #"{"sailing":"\#(place.sailing)"}"#)
        #expect(
            aboard.json["happened"] as? [String] == ["PassengerCheckedIn", "MerchandiseFulfilled"])
        func portions(_ value: Any?) -> [String] {
            (value as? [[String: Any]] ?? []).map { "\($0["quantity"] ?? "") \($0["label"] ?? "")" }
        }
        #expect(portions(aboard.json["handedOver"]) == ["2 Mission patch, blue"])
        let position = aboard.headers["quartermaster-position"] ?? ""
        // What is still to be given to them, now and as of before.
        let before = sold.headers["quartermaster-position"] ?? ""
        for (moment, goods) in [
            ("min-position=\(position)", []), ("as-of=\(position)", []),
            ("as-of=\(before)", ["2 Mission patch, blue"]),
        ] {
            let manifest = try await server.staffQueries.get(
                "/v1/sailings/\(place.sailing)/manifest?\(moment)")
            let entry = (manifest.json["bookings"] as? [[String: Any]])?.first
            #expect(entry != nil && portions(entry?["merchandise"]) == goods, "\(moment)")
        }
        let offers = try await server.queries.get(
            "/v1/trips/\(place.trip)/merchandise?min-position=\(position)")
        let ours = (offers.json["offers"] as? [[String: Any]])?.first
        #expect(ours?["name"] as? String == "Mission patch")
        #expect(ours?["available"] as? Int == 1)
        let stock = try await server.staffQueries.get("/v1/merchandise?min-position=\(position)")
        let row = (stock.json["variations"] as? [[String: Any]])?.first
        #expect(row?["sold"] as? Int == 2)
        #expect(row?["fulfilled"] as? Int == 2)
        #expect(row?["available"] as? Int == 8)
    }

    private func oversells(_ server: ServerProcess, _ place: OpenSailing) async throws {
        let beyond = place.order(quantity: 4)
            .replacing("\"contact\"", with: "\"oversaleReason\":\"crew\",\"contact\"")
        #expect(try await server.commands.post("/v1/bookings", beyond).status == 401)
        let placed = try await server.staff.post("/v1/bookings", beyond)
        #expect(placed.status == 201)
        let again = try await server.staff.post("/v1/bookings", beyond)
        #expect(again.problem == "above-capacity")
        let position = placed.headers["quartermaster-position"] ?? ""
        let trip = try await server.queries.get(
            "/v1/trips/\(place.trip)?min-position=\(position)")
        let sailings = trip.json["sailings"] as? [[String: Any]]
        let ours = sailings?.first { $0["sailing"] as? String == place.sailing }
        #expect(ours?["limit"] as? Int == 2)
        #expect(ours?["held"] as? Int == 4)
        #expect(ours?["available"] as? Int == 0)
        let unassigned = try await server.staff.post("/v1/sailings/\(place.sailing)/unassign", "")
        #expect(unassigned.problem == "sailing-in-use")
    }

    private func issues(_ server: ServerProcess) async throws {
        let terms = #"{"code":"spring-26","reduction":{"amount":\#(dollars(10))},"useLimit":1}"#
        #expect(try await server.commands.post("/v1/discount-codes", terms).status == 401)
        let issued = try await server.staff.post("/v1/discount-codes", terms)
        #expect(issued.status == 201)
        #expect(issued.json["code"] as? String == "SPRING-26")
        #expect(try await server.staff.post("/v1/discount-codes", terms).status == 201)
        let other = terms.replacing("\"useLimit\":1", with: "\"useLimit\":2")
        let taken = try await server.staff.post("/v1/discount-codes", other)
        #expect(taken.status == 409)
        #expect(taken.problem == "code-taken")
        let bad = #"{"code":"x","reduction":{"amount":\#(dollars(10))}}"#
        #expect(try await server.staff.post("/v1/discount-codes", bad).status == 400)
    }

    private func refusesUsedUp(_ server: ServerProcess, _ place: OpenSailing) async throws {
        let quote = try await server.commands.post(
            "/v1/quotes", place.quote(discountCode: "SPRING-26"))
        #expect(quote.amount("discount") == 0)
        let outcome = (quote.json["codes"] as? [[String: Any]])?.first
        #expect(outcome?["because"] as? String == "used-up")
        let refused = try await server.commands.post(
            "/v1/bookings", place.order(discountCode: "SPRING-26"))
        #expect(refused.status == 409)
        #expect(refused.problem == "code-not-accepted")
        #expect(try await server.commands.post("/v1/bookings", place.order()).status == 201)
    }

    private func showsUses(_ server: ServerProcess, from placed: HTTPAnswer) async throws {
        let booking = placed.json["booking"] as? String ?? ""
        let confirmed = try await server.staff.post(
            "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
        #expect(confirmed.status == 200)
        let position = confirmed.headers["quartermaster-position"] ?? ""
        let codes = try await server.staffQueries.get(
            "/v1/codes?kind=discount&min-position=\(position)")
        let code = (codes.json["codes"] as? [[String: Any]])?.first
        #expect(code?["sold"] as? Int == 1)
        #expect(code?["reserved"] as? Int == 0)
        let revoked = try await server.staff.post("/v1/discount-codes/spring-26/revoke", "")
        #expect(revoked.json["happened"] as? [String] == ["CodeRevoked"])
        #expect(try await server.queries.get("/v1/codes").status == 401)
    }
}

func dollars(_ count: Int) -> String { #"{"amount":\#(count * 100),"currency":"USD"}"# }

extension HTTPAnswer {
    func amount(_ name: String) -> Int? {
        (json[name] as? [String: Any])?["amount"] as? Int
    }

    var problem: String? {
        (json["type"] as? String)?.split(separator: "/").last.map(String.init)
    }
}

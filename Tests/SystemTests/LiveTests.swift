import Bus
import Foundation
import Publishing
import Testing
import TestSupport

/// What somebody sees who keeps a page open.
@Suite(.serialized, .endsWhenHung) struct LiveTests {
    @Test("shows each sailing at once, each change of one, and after a break only what changed")
    func streamsAvailability() async throws {
        try await withServer { server in
            let quiet = try await openSailing(server, capacity: 10)
            let busy = try await openSailing(server, capacity: 10)
            #expect(quiet.trip == busy.trip)
            let path = "/v1/trips/\(busy.trip)/availability"
            try await eventually("both are for sale") {
                let trips = try await server.queries.get("/v1/trips/\(busy.trip)").json
                let sailings = trips["sailings"] as? [[String: Any]] ?? []
                let ids = sailings.compactMap { $0["sailing"] as? String }
                return ids.contains(quiet.sailing) && ids.contains(busy.sailing)
            }
            var events = server.queries.serverSentEvents(path).makeAsyncIterator()
            var seen: Set<String> = []
            while !seen.isSuperset(of: [quiet.sailing, busy.sailing]) {
                let event = try #require(try await events.next())
                #expect(event.name == "availability")
                seen.insert(event.json["sailing"] as? String ?? "")
            }
            try await place(busy, server)
            // The other sailings of the trip may still be on their way.
            var change = try #require(try await events.next())
            while change.json["available"] as? Int != 9 {
                change = try #require(try await events.next())
            }
            #expect(change.json["sailing"] as? String == busy.sailing)

            let boat = try await boat(of: busy, server)
            let smaller = try await server.staff.post(
                "/v1/boats/\(boat)", #"{"capacity":9}"#, method: "PATCH")
            #expect(smaller.status == 200, "\(String(decoding: smaller.body, as: UTF8.self))")
            change = try #require(try await events.next())
            #expect(change.json["sailing"] as? String == busy.sailing)
            #expect(change.json["available"] as? Int == 8)

            try await place(busy, server)
            var rest = server.queries.serverSentEvents(
                path, headers: [("Last-Event-ID", "\(change.id)")]
            ).makeAsyncIterator()
            var missed = try #require(try await rest.next())
            while missed.json["available"] as? Int != 7 {
                #expect(missed.json["sailing"] as? String == busy.sailing)
                missed = try #require(try await rest.next())
            }
            #expect(missed.json["sailing"] as? String == busy.sailing)
            // It claims no more than what all of its read models have reached.
            #expect(missed.id >= change.id)
        }
    }

    @Test(
        "tells who watches that a boat was taken off its trip, and finds the bookings it had by the trip"
    )
    func showsUnassigned() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 10)
            let boat = try await boat(of: place, server)
            let path = "/v1/trips/\(place.trip)/availability"
            var events = server.queries.serverSentEvents(path).makeAsyncIterator()
            let placed = try await server.commands.post("/v1/bookings", place.order())
            let booking = placed.json["booking"] as? String ?? ""
            let cancelled = try await server.staff.post(
                "/v1/bookings/\(booking)/cancel", #"{"reason":"engine"}"#,
                headers: [("If-Match", placed.headers["etag"] ?? "")])
            #expect(cancelled.status == 200, "\(cancelled.json)")
            let gone = try await server.staff.post("/v1/sailings/\(place.sailing)/unassign", "")
            #expect(gone.status == 200, "\(gone.json)")
            let position = gone.headers["quartermaster-position"] ?? ""
            func isOurs(_ sailing: [String: Any]) -> Bool {
                sailing["sailing"] as? String == place.sailing
            }
            var told = try #require(try await events.next())
            while !isOurs(told.json) || told.json["isAssigned"] as? Bool != false {
                told = try #require(try await events.next())
            }
            #expect(told.json["available"] as? Int == 0)
            var late = server.queries.serverSentEvents(
                path, headers: [("Last-Event-ID", placed.headers["quartermaster-position"] ?? "")]
            ).makeAsyncIterator()
            let missed = try #require(try await late.next())
            #expect(missed.json["isAssigned"] as? Bool == false)

            let trip = try await server.queries.get(
                "/v1/trips/\(place.trip)?min-position=\(position)")
            let shown = trip.json["sailings"] as? [[String: Any]] ?? []
            #expect(!shown.contains(where: isOurs))
            for query in ["trip=\(place.trip)", "boat=\(boat)"] {
                let found = try await server.staffQueries.get(
                    "/v1/bookings?q=lovelace&\(query)&min-position=\(position)")
                let bookings = found.json["bookings"] as? [[String: Any]] ?? []
                #expect(bookings.contains { $0["booking"] as? String == booking }, "\(query)")
            }
        }
    }

    private func boat(of sailing: OpenSailing, _ server: ServerProcess) async throws -> String {
        var boat: String?
        try await eventually("the sailing is shown") {
            let trip = try await server.queries.get("/v1/trips/\(sailing.trip)").json
            let sailings = trip["sailings"] as? [[String: Any]] ?? []
            let shown = sailings.first { $0["sailing"] as? String == sailing.sailing }
            boat = (shown?["boat"] as? [String: Any])?["id"] as? String
            return boat != nil
        }
        return boat ?? ""
    }

    private func place(_ sailing: OpenSailing, _ server: ServerProcess) async throws {
        #expect(try await server.commands.post("/v1/bookings", sailing.order()).status == 201)
    }

    @Test("keeps the last state of each sailing in VIEWS")
    func keepsViews() async throws {
        try await withServer { server in
            let sailing = try await openSailing(server, capacity: 10)
            for _ in 0..<3 { try await place(sailing, server) }
            let bus = try await BusConnection.connect(
                to: try server.addresses().nats, logger: quiet)
            try await eventually("VIEWS shows three seats held") {
                let views = try await lastViews(bus)
                return views[sailing.sailing]?.contains(#""available":7"#) ?? false
            }
            let trips = try await server.queries.get("/v1/trips").json["trips"] as? [[String: Any]]
            let shown = trips?.flatMap { $0["sailings"] as? [[String: Any]] ?? [] } ?? []
            let views = try await lastViews(bus)
            #expect(shown.allSatisfy { views[$0["sailing"] as? String ?? ""] != nil })
            let state = try await bus.state(ofStream: ViewPublisher.stream)
            #expect(state.messageCount == views.count)
        }
    }

    @Test("publishes a row of VIEWS in the trace of the request that has changed it")
    func tracesViews() async throws {
        try await withServer { server in
            let sailing = try await openSailing(server, capacity: 10)
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let placed = try await server.commands.post(
                "/v1/bookings", sailing.order(),
                headers: [("traceparent", "00-\(trace)-00f067aa0ba902b7-01")])
            let position = try #require(
                placed.headers["quartermaster-position"].flatMap { Int64($0) })
            let digits = String(position, radix: 16)
            let span = String(repeating: "0", count: 16 - digits.count) + digits
            let bus = try await BusConnection.connect(
                to: try server.addresses().nats, logger: quiet)
            try await eventually("the row that the booking has changed is published") {
                let view = try await lastMessages(bus)[sailing.sailing]
                guard view?.header("Quartermaster-Position") == "\(position)" else { return false }
                #expect(view?.header("traceparent") == "00-\(trace)-\(span)-01")
                return true
            }
        }
    }

    /// The payloads of VIEWS, by sailing.
    private func lastViews(_ bus: BusConnection) async throws -> [String: String] {
        try await lastMessages(bus).mapValues { String(decoding: $0.payload, as: UTF8.self) }
    }

    private func lastMessages(_ bus: BusConnection) async throws -> [String: BusMessage] {
        let consumer = try await StreamConsumer(
            of: ViewPublisher.stream, subject: "views.>", durable: nil, on: bus)
        var messages: [String: BusMessage] = [:]
        for delivery in try await consumer.fetch(limit: 500, waitMilliseconds: 500) {
            let sailing = delivery.message.subject.split(separator: ".").last ?? ""
            messages[String(sailing)] = delivery.message
            consumer.acknowledge(delivery)
        }
        return messages
    }

    @Test("changes a booking only for who has seen its newest version")
    func checksVersions() async throws {
        try await withServer { server in
            let sailing = try await openSailing(server, capacity: 10)
            let placed = try await server.commands.post("/v1/bookings", sailing.order())
            let booking = placed.json["booking"] as? String ?? ""
            let position = placed.headers["quartermaster-position"] ?? ""
            let shown = try await server.queries.get(
                "/v1/bookings/\(placed.json["code"] ?? "")?lastName=Lovelace&min-position=\(position)"
            )
            let seen = try #require(shown.headers["etag"])
            #expect(seen == placed.headers["etag"])
            let path = "/v1/bookings/\(booking)/cancel"
            let reason = #"{"reason":"fog"}"#
            let confirmed = try await server.staff.post(
                "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
            let newest = try #require(confirmed.headers["etag"])
            #expect(newest != seen)
            #expect(try await server.staff.post(path, reason).status == 428)
            let late = try await server.staff.post(path, reason, headers: [("If-Match", seen)])
            #expect(late.status == 412)
            let broken = try await server.staff.post(path, reason, headers: [("If-Match", "17")])
            #expect(broken.status == 400)
            let key = UUID().uuidString.lowercased()
            for _ in 0..<2 {
                let cancelled = try await server.staff.post(
                    path, reason, key: key, headers: [("If-Match", newest)])
                #expect(cancelled.status == 200)
                #expect(
                    cancelled.json["happened"] as? [String] == [
                        "BookingCancelled", "RefundRequested", "RefundSucceeded",
                    ])
            }
        }
    }
}

import Foundation
import LocalServers
import Testing
import TestSupport

/// What people and programs send that they should not, and what they are told.
@Suite struct BadInputTests {
    @Test("names the field that is wrong, writes nothing, and never breaks")
    func refuses() async throws {
        let folder = ServerProcess.scratchFolder()
        let server = try await ServerProcess.start(in: folder)
        let place = try await openSailing(server, capacity: 50)
        let before = try #require(
            try await server.staffQueries.get("/v1/projections").json["head"] as? Int)
        try await refusesOrders(server, place)
        try await refusesFraming(server, place)
        try await refusesHeaders(server, place)
        try await hangsUp(server, place)
        let after = try await server.staffQueries.get("/v1/projections").json["head"] as? Int
        #expect(before == after)
        await server.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func refusesOrders(_ server: ServerProcess, _ place: OpenSailing) async throws {
        let good = place.order()
        let cases: [(String, String, Int, String?)] = [
            (#""quantity":1"#, #""quantity":0"#, 400, "lines[0].quantity"),
            (#""quantity":1"#, #""quantity":-3"#, 400, "lines[0].quantity"),
            (#""quantity":1"#, #""quantity":10000"#, 400, "lines"),
            (#""quantity":1"#, #""quantity":1.5"#, 400, "lines[0].quantity"),
            (#""quantity":1"#, #""quantity":"1""#, 400, "lines[0].quantity"),
            (#""quantity":1"#, #""quantity":99999999999999999999"#, 400, "lines[0].quantity"),
            (#""quantity":1"#, #""quantity":1,"seat":"A1""#, 400, "lines[0].seat"),
            (#""firstName":"Ada""#, #""firstName":"""#, 400, "contact.firstName"),
            (
                #""firstName":"Ada""#, "\"firstName\":\"\(String(repeating: "A", count: 10_000))\"",
                400, "contact.firstName"
            ),
            (#""firstName":"Ada""#, #""firstName":"A\u0000""#, 400, "contact.firstName"),
            (#""firstName":"Ada","#, "", 400, "contact.firstName"),
            ("ada@example.org", "nobody", 400, "contact.email"),
            (place.trip, "00000000-0000-4000-8000-000000000000", 400, "lines[0].sailing"),
            (place.sailing, "00000000-0000-4000-8000-000000000000", 404, "lines[0].sailing"),
            (place.ticketType, "00000000-0000-4000-8000-000000000000", 404, "lines[0].ticketType"),
            (#"{"lines""#, #"{"discountCode":"sailing","lines""#, 404, "discountCode"),
            (#"{"lines""#, #"{"discountCode":"ADA","lines""#, 404, "discountCode"),
            (place.sailing, "not-an-id", 400, "lines[0].sailing"),
            (#"{"lines""#, #"{"total":{"amount":1,"currency":"USD"},"lines""#, 409, "total"),
            (
                #"{"lines""#, #"{"total":{"amount":1,"currency":"EUR"},"lines""#, 400,
                "total.currency"
            ),
            (#"{"lines""#, #"{"status":"confirmed","lines""#, 400, "status"),
        ]
        for (old, new, status, field) in cases {
            let answer = try await server.commands.post(
                "/v1/bookings", good.replacing(old, with: new, maxReplacements: 1))
            let body = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == status, "\(new): \(body)")
            #expect(answer.headers["content-type"] == "application/problem+json")
            if let field { #expect(answer.json["field"] as? String == field, "\(new): \(body)") }
            if status != 400 { #expect(answer.headers["quartermaster-position"] != nil, "\(new)") }
        }
    }

    @Test("heeds what is sent where nothing need be, or says that it does not know it")
    func heedsWhatIsSent() async throws {
        try await withServer { server in
            try await heedsWhatIsSent(server, try await openSailing(server, capacity: 50))
        }
    }

    private func heedsWhatIsSent(_ server: ServerProcess, _ place: OpenSailing) async throws {
        let key = UUID().uuidString.lowercased()
        let placed = try await server.commands.post("/v1/bookings", place.order(), key: key)
        let again = try await server.commands.post("/v1/bookings", place.order(), key: key)
        #expect(placed.status == 201 && placed.body == again.body)
        let path = "/v1/bookings/\(placed.json["booking"] as? String ?? "")"
        let extra = try await server.commands.post("\(path)/extend", #"{"minutes":500}"#)
        #expect(extra.status == 400 && extra.json["field"] as? String == "minutes")
        let extended = try await server.commands.post("\(path)/extend", "{}")
        #expect(extended.status == 200)
        let tag = extended.headers["etag"] ?? ""
        for (version, status) in [("rubbish", 400), ("\"1\"", 412), (tag, 200)] {
            let confirmed = try await server.staff.post(
                "\(path)/confirm", #"{"basis":"paid_at_the_dock"}"#,
                headers: [("If-Match", version)])
            #expect(confirmed.status == status, "\(version): \(confirmed.json)")
        }
        let escaped = place.order().replacing("\"lines\"", with: "\"\\u006cines\"")
        #expect(try await server.commands.post("/v1/bookings", escaped).status == 400)
        for path in ["bookings?q=%00", "catalogue/boat?name=%00", "exports/bookings.csv?q=%00"] {
            #expect(try await server.staffQueries.get("/v1/\(path)").status == 400, "\(path)")
        }
    }

    @Test("names what in a change is wrong, and what a path, a form or an unknown id is about")
    func namesWhatIsWrong() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 50)
            let order = place.order().replacing("Lovelace", with: "De la Cruz")
            let placed = try await server.commands.post("/v1/bookings", order)
            let path = "/v1/bookings/\(placed.json["booking"] as? String ?? "")"
            let dock = #"{"basis":"paid_at_the_dock"}"#
            #expect(try await server.staff.post("\(path)/confirm", dock).status == 200)
            let line = #""sailing":"\#(place.sailing)","ticketType":"\#(place.ticketType)""#
            let move =
                #""from":{\#(line)},"to":{"sailing":"\#(place.sailing)","ticketType":"\#(place.trip)"}"#
            for (deed, body, field) in [
                ("changes", #"{"seats":[{\#(line),"quantity":-1}]}"#, "seats[0].quantity"),
                ("changes", #"{"seats":[{\#(line),"quantity":101}]}"#, "seats[0].quantity"),
                ("changes", #"{"moves":[{\#(move),"quantity":0}]}"#, "moves[0].quantity"),
                (
                    "refunds", #"{"reason":"x","seats":[{\#(line),"quantity":50}]}"#,
                    "seats[0].quantity"
                ),
            ] {
                let answer = try await server.staff.post("\(path)/\(deed)", body)
                #expect(answer.status == 400 && answer.problem == "malformed", "\(body)")
                #expect(answer.json["field"] as? String == field, "\(answer.json)")
            }
            try await refusesEmptyPatches(server, place)
            try await saysWhatThereIs(server)
            try await answersHeadAlone(server)
            let code = placed.json["code"] as? String ?? ""
            try await eventually("the booking is shown") {
                try await server.staffQueries.get("/v1/bookings/\(code)").status == 200
            }
            for (name, status) in [("De+la+Cruz", 200), ("De%20la%20Cruz", 200), ("De%2Bla", 404)] {
                let shown = try await server.queries.get("/v1/bookings/\(code)?lastName=\(name)")
                #expect(shown.status == status, "\(name)")
                #expect(shown.headers["quartermaster-position"] != nil, "\(name)")
            }
        }
    }

    private func refusesEmptyPatches(
        _ server: ServerProcess, _ place: OpenSailing
    ) async throws {
        let path = "/v1/trips/\(place.trip)"
        let empty = try await server.staff.post(path, "{}", method: "PATCH")
        #expect(empty.status == 400 && empty.json["field"] == nil)
        let null = try await server.staff.post(path, #"{"isListed":null}"#, method: "PATCH")
        #expect(null.status == 400 && null.json["field"] as? String == "isListed")
        let taken = try await server.staff.post(path, #"{"salesOpenAt":null}"#, method: "PATCH")
        #expect(taken.status == 200)
    }

    private func saysWhatThereIs(_ server: ServerProcess) async throws {
        func send(_ method: String, _ path: String) async throws -> HTTPAnswer {
            try await server.staffQueries.send(path, method: method, body: nil, headers: [])
        }
        let head = try await send("HEAD", "/v1/trips")
        #expect(head.status == 200 && head.body.isEmpty)
        for method in ["PUT", "OPTIONS", "DELETE"] {
            let other = try await send(method, "/v1/trips")
            #expect(other.status == 405 && other.headers["allow"] == "GET, HEAD", "\(method)")
            #expect(other.problem == "method-not-allowed")
        }
        let nobody = UUID().uuidString.lowercased()
        for path in [
            "/v1/trips/\(nobody)/merchandise", "/v1/timeline/\(nobody)",
            "/v1/revenue?from=2026-11-29&until=2026-12-01&location=\(nobody)",
        ] {
            let unknown = try await send("GET", path)
            #expect(unknown.status == 404, "\(path)")
            #expect(unknown.headers["quartermaster-position"] != nil, "\(path)")
        }
    }

    /// Nothing follows the head of an answer to HEAD, or whoever asks takes it for the next answer.
    private func answersHeadAlone(_ server: ServerProcess) async throws {
        let file = server.folder + "/head"
        let paths = ["/v1/trips", "/v1/nothing", "/v1/exports/ledger.csv", "/livez"]
        let requests = paths.map { path in
            "HEAD \(path) HTTP/1.1\r\nHost: there\r\n"
                + (path == paths.last ? "Connection: close\r\n\r\n" : "\r\n")
        }
        try requests.joined().write(toFile: file, atomically: true, encoding: .utf8)
        _ = try await runToEnd(
            [
                "/bin/bash", "-c",
                "exec 3<>/dev/tcp/127.0.0.1/\(server.queryPort); cat '\(file)' >&3; "
                    + "timeout 20 cat <&3 > '\(file)-answer'",
            ], log: server.folder + "/head.log")
        let answer = try String(contentsOfFile: file + "-answer", encoding: .utf8)
        #expect(
            answer.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.output.1) }
                == ["200", "404", "405", "200"], "\(answer)")
        #expect(!answer.contains("{"), "\(answer)")
    }

    private func refusesFraming(_ server: ServerProcess, _ place: OpenSailing) async throws {
        let key = ("Idempotency-Key", UUID().uuidString.lowercased())
        let json = ("Content-Type", "application/json")
        func status(_ body: [UInt8], _ headers: [(String, String)]) async throws -> Int {
            try await server.commands.send(
                "/v1/bookings", method: "POST", body: body, headers: headers
            ).status
        }
        let good = Array(place.order().utf8)
        #expect(try await status(Array(good.prefix(good.count / 2)), [key, json]) == 400)
        #expect(
            try await status([0x7B, 0x22, 0xC3, 0x28, 0x22, 0x3A, 0x31, 0x7D], [key, json]) == 400)
        #expect(try await status([], [key, json]) == 400)
        #expect(try await status(good, [key]) == 415)
        #expect(try await status(good, [key, ("Content-Type", "text/plain")]) == 415)
        #expect(try await status(good, [json]) == 400)
        #expect(try await status(good, [json, ("Idempotency-Key", "again")]) == 400)
        // Those that the program makes itself, of what they are for.
        let made = ("Idempotency-Key", "00000000-0000-8a3b-8000-00000000002c")
        #expect(try await status(good, [json, made]) == 400)
        #expect(try await status(Array(repeating: 0x20, count: 70_000) + good, [key, json]) == 413)
        let staffOnly = try await server.commands.post("/v1/launches", "{}")
        #expect(staffOnly.status == 401)
        let wrongToken = HTTPDoor(server.commands.base, token: "a token that is not the right one")
        #expect(try await wrongToken.post("/v1/bookings", place.order()).status == 401)
        #expect(try await server.commands.get("/v1/nothing").status == 404)
        let heavy = ("X-Heavy", String(repeating: "a", count: 17_000))
        #expect(try await status(good, [key, json, heavy]) == 431)
        let long = "/v1/trips?cursor=" + String(repeating: "a", count: 5000)
        #expect(try await server.queries.get(long).status == 414)
        #expect(try await server.queries.get("/v1/trips?limit=0").status == 400)
        #expect(try await server.queries.get("/v1/trips?colour=red").status == 400)
        #expect(try await server.queries.get("/v1/trips?cursor=nonsense").status == 400)
        #expect(try await server.queries.get("/v1/trips?min-position=999999").status == 400)
    }

    /// A body that is shorter than was said, and then nobody at the other end.
    private func hangsUp(_ server: ServerProcess, _ place: OpenSailing) async throws {
        let body = place.order()
        let head =
            "POST /v1/bookings HTTP/1.1\r\nHost: there\r\nContent-Type: application/json\r\n"
            + "Idempotency-Key: \(UUID().uuidString.lowercased())\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n"
        let file = server.folder + "/cut-off"
        for count in [0, body.utf8.count / 2, body.utf8.count - 1] {
            try (head + body.prefix(count)).write(toFile: file, atomically: true, encoding: .utf8)
            let isSent = try await runToEnd(
                ["/bin/bash", "-c", "cat '\(file)' > /dev/tcp/127.0.0.1/\(server.commandPort)"],
                log: server.folder + "/cut-off.log")
            #expect(isSent)
        }
        let chunked = head.replacing(/Content-Length: \d+/, with: "Transfer-Encoding: chunked")
        try (chunked + "ZZ\r\n").write(toFile: file, atomically: true, encoding: .utf8)
        let answer = server.folder + "/cut-off-answer"
        _ = try await runToEnd(
            [
                "/bin/bash", "-c",
                "exec 3<>/dev/tcp/127.0.0.1/\(server.commandPort); cat '\(file)' >&3; "
                    + "timeout 20 head -n 1 <&3 > '\(answer)'",
            ], log: server.folder + "/cut-off.log")
        #expect(try String(contentsOfFile: answer, encoding: .utf8).hasPrefix("HTTP/1.1 400"))
        #expect(try await server.commands.get("/livez").status == 200)
        let failed = try await server.operations.metrics().keys.filter { $0.contains("status=\"5") }
        #expect(failed.isEmpty, "\(failed)")
    }

    private func refusesHeaders(_ server: ServerProcess, _ place: OpenSailing) async throws {
        let trip =
            #"{"mission":"\#(place.trip)","kind":"launch_viewing","departure":"2026-01-01T00:00:00","saleMode":"public"}"#
        let withoutZone = try await server.staff.post("/v1/trips", trip)
        #expect(withoutZone.status == 400)
        #expect(withoutZone.json["field"] as? String == "departure")
        let booking = UUID().uuidString.lowercased()
        let blind = try await server.staff.post(
            "/v1/bookings/\(booking)/cancel", #"{"reason":"x"}"#)
        #expect(blind.status == 428)
        let gone = try await server.staff.post(
            "/v1/bookings/\(booking)/cancel", #"{"reason":"x"}"#, headers: [("If-Match", "\"3\"")])
        #expect(gone.status == 404)
    }
}

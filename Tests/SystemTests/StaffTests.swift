import Foundation
import Testing
import TestSupport
import Web
import Yams

/// Who may pass which door.
@Suite(.serialized, .endsWhenHung) struct StaffTests {
    private static let roles = ["owner", "office", "dock", "captain", "reporting", "reseller"]
    private static let password = "correct horse battery"

    private struct Route {
        var method: String
        var path: String
        var isQuery: Bool
        /// Empty: everybody.
        var roles: Set<String>
    }

    @Test("opens every route to the roles it is for, and to nobody else")
    func matrix() async throws {
        try await withServer { server in
            let routes = try routes()
            #expect(routes.count > 65)
            var doors = [(role: "nobody", token: String?.none)]
            for role in Self.roles {
                doors.append((role, try await token(of: role, server)))
            }
            let key = try await server.staff.post(
                "/v1/api-keys", #"{"label":"Beach hotel","scopes":["reseller"]}"#)
            doors.append(("reseller", key.json["apiKey"] as? String))
            for (role, token) in doors {
                for route in routes {
                    let status = try await status(of: route, token, server)
                    let expected: Int? =
                        route.roles.isEmpty || route.roles.contains(role)
                        ? nil : role == "nobody" ? 401 : 403
                    if let expected {
                        #expect(status == expected, "\(role): \(route.method) \(route.path)")
                    } else {
                        #expect(
                            ![401, 403].contains(status) || route.roles.isEmpty,
                            "\(role): \(route.method) \(route.path): \(status)")
                        #expect(status < 500, "\(role): \(route.method) \(route.path)")
                    }
                }
            }
        }
    }

    @Test("gives a customer's link to nobody who may not act for him")
    func keepsLinks() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            let booked = try await server.commands.post("/v1/bookings", place.order())
            let path =
                "/v1/bookings/\(booked.json["code"] as? String ?? "")"
                + "?min-position=\(booked.headers["quartermaster-position"] ?? "")"
            for scope in ["office", "dock", "reporting"] {
                let key = try await server.staff.post(
                    "/v1/api-keys", #"{"label":"Till","scopes":["\#(scope)"]}"#)
                let door = HTTPDoor(server.queries.base, token: key.json["apiKey"] as? String)
                let shown = try await door.get(path)
                #expect(shown.status == 200 && shown.json["contact"] as? [String: Any] != nil)
                #expect((shown.json["link"] as? String != nil) == (scope == "office"), "\(scope)")
            }
            let theirs = try await server.queries.get(path + "&lastName=Lovelace")
            #expect(theirs.json["link"] as? String != nil)
        }
    }

    @Test("shows a boat in the catalogue with the ticket types that it has now")
    func showsTicketTypes() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 5)
            func boat() async throws -> [String: Any]? {
                let list = try await server.staffQueries.get("/v1/catalogue/boat?name=Ark").json
                return (list["entries"] as? [[String: Any]])?.first
            }
            var id: String?
            try await eventually("the boat is there") {
                id = try await boat()?["id"] as? String
                return id != nil
            }
            let types =
                #"{"ticketTypes":[{"id":"\#(place.ticketType)","label":"Grown-up","price":{"amount":900,"currency":"USD"}}]}"#
            let changed = try await server.staff.post(
                "/v1/boats/\(id ?? "")", types, method: "PATCH")
            #expect(changed.status == 200, "\(changed.json)")
            try await eventually("it has the new types") {
                let terms = try await boat()?["terms"] as? [String: Any]
                let labels = (terms?["ticketTypes"] as? [[String: Any]])?.map {
                    $0["label"] as? String
                }
                return labels == ["Grown-up"]
            }
        }
    }

    private func routes() throws -> [Route] {
        let document = try Yams.load(yaml: OpenAPI.text) as? [String: Any] ?? [:]
        let paths = document["paths"] as? [String: [String: [String: Any]]] ?? [:]
        return paths.flatMap { path, methods in
            methods.compactMap { method, operation in
                let tags = operation["tags"] as? [String] ?? []
                let security = operation["security"] as? [[String: Any]] ?? [[:]]
                let isStaffs = security.allSatisfy { $0["staff"] != nil }
                // Ends only when its reader has seen enough.
                guard operation["operationId"] as? String != "watchAvailability" else { return nil }
                return Route(
                    method: method.uppercased(), path: path, isQuery: tags.contains("query"),
                    roles: isStaffs ? Set(operation["x-roles"] as? [String] ?? []) : [])
            }
        }
    }

    private func status(
        of route: Route, _ token: String?, _ server: ServerProcess
    ) async throws -> Int {
        let nobody = "01234567-89ab-7def-8123-0123456789ab"
        let path = route.path.replacing(/\{[a-z]+\}/.ignoresCase(), with: nobody)
        let base = route.isQuery ? server.queries.base : server.commands.base
        let door = HTTPDoor(base, token: token)
        guard route.method != "GET" else { return try await door.get(path).status }
        return try await door.post(path, "{}", method: route.method).status
    }

    private func token(of role: String, _ server: ServerProcess) async throws -> String {
        let opened = try await server.staff.post(
            "/v1/staff",
            #"{"login":"\#(role)@pier","password":"\#(Self.password)","role":"\#(role)"}"#)
        #expect(opened.status == 201)
        return try await logIn(role, server).json["accessToken"] as? String ?? ""
    }

    private func logIn(
        _ role: String, _ server: ServerProcess, password: String = password
    ) async throws -> HTTPAnswer {
        try await server.commands.post(
            "/v1/sessions", #"{"login":"\#(role)@pier","password":"\#(password)"}"#)
    }

    @Test("renews a session with each refresh token once, and ends it for who uses one again")
    func rotates() async throws {
        try await withServer { server in
            _ = try await token(of: "office", server)
            let first = try await logIn("office", server)
            func refresh(_ answer: HTTPAnswer) async throws -> HTTPAnswer {
                let token = answer.json["refreshToken"] as? String ?? ""
                return try await server.commands.post(
                    "/v1/sessions/refresh", #"{"refreshToken":"\#(token)"}"#)
            }
            let second = try await refresh(first)
            #expect(second.status == 200)
            #expect(try await refresh(first).problem == "session-over")
            #expect(try await refresh(second).problem == "session-over")
            try await eventually("the access token opens nothing any more") {
                try await reads(second, server) == 401
            }
            let third = try await logIn("office", server)
            #expect(try await reads(third, server) == 200)
            let token = third.json["refreshToken"] as? String ?? ""
            // Somebody else has used it, and has the next.
            #expect(try await refresh(third).status == 200)
            let ended = try await server.commands.post(
                "/v1/sessions/end", #"{"refreshToken":"\#(token)"}"#)
            #expect(ended.status == 200)
            try await eventually("the session is over") {
                try await reads(third, server) == 401
            }
        }
    }

    private func reads(_ admission: HTTPAnswer, _ server: ServerProcess) async throws -> Int {
        let door = HTTPDoor(
            server.queries.base, token: admission.json["accessToken"] as? String ?? "")
        return try await door.get("/v1/ledger").status
    }

    @Test("lets nobody in with a wrong password, a closed account, a revoked key or another role's")
    func refuses() async throws {
        try await withServer { server in
            let opened = try await server.staff.post(
                "/v1/staff",
                #"{"login":"dock@pier","password":"\#(Self.password)","role":"dock"}"#)
            let taken = try await server.staff.post(
                "/v1/staff",
                #"{"login":"dock@pier","password":"\#(Self.password)","role":"owner"}"#)
            #expect(taken.problem == "login-taken")
            try await opensOnce(opened.json["id"] as? String ?? "", server)
            let short = try await server.staff.post(
                "/v1/staff", #"{"login":"x","password":"short","role":"owner"}"#)
            #expect(short.status == 400)
            for _ in 0..<10 {
                #expect(
                    try await logIn("dock", server, password: "wrong").problem == "wrong-password")
            }
            #expect(try await logIn("dock", server).problem == "too-many-attempts")
            #expect(try await logIn("nobody", server).problem == "wrong-password")
            let account = "/v1/staff/\(opened.json["id"] as? String ?? "")"
            let closed = try await server.staff.post(
                account, #"{"isClosed":true}"#, method: "PATCH")
            #expect(closed.json["happened"] as? [String] == ["StaffAccountClosed"])
            try await keyEnds(server)
        }
    }

    @Test("lets a repeat that comes late undo nothing that was changed since")
    func repeatsUndoNothing() async throws {
        try await withServer { server in
            _ = try await token(of: "office", server)
            let listed = try await server.staffQueries.get("/v1/staff").json["accounts"]
            let id = (listed as? [[String: Any]])?.first?["account"] as? String ?? ""
            func change(_ body: String, _ key: String) async throws -> HTTPAnswer {
                try await server.staff.post("/v1/staff/\(id)", body, key: key, method: "PATCH")
            }
            let keys = (0..<5).map { _ in UUID().uuidString.lowercased() }
            let opening = #"{"login":"x@pier","password":"\#(Self.password)","role":"dock"}"#
            let opened = try await server.staff.post("/v1/staff", opening, key: keys[4])
            let repeated = try await server.staff.post("/v1/staff", opening, key: keys[4])
            #expect(opened.status == 201 && repeated.status == 201)
            #expect(repeated.json["id"] as? String == opened.json["id"] as? String)
            let bodies = [
                #"{"role":"captain"}"#, #"{"role":"dock"}"#,
                #"{"password":"first horse battery"}"#, #"{"password":"second horse battery"}"#,
            ]
            for (body, key) in zip(bodies, keys) {
                #expect(try await change(body, key).status == 200)
            }
            for index in [0, 2] {
                let again = try await change(bodies[index], keys[index])
                #expect((again.json["happened"] as? [String])?.count == 1)
            }
            let old = try await logIn("office", server, password: "first horse battery")
            #expect(old.problem == "wrong-password")
            let now = try await logIn("office", server, password: "second horse battery")
            #expect(now.json["role"] as? String == "dock")
            // Nor does it end what was begun since.
            let late = try await change(bodies[3], keys[3])
            #expect((late.json["happened"] as? [String])?.count == 1)
            let renewed = try await server.commands.post(
                "/v1/sessions/refresh",
                #"{"refreshToken":"\#(now.json["refreshToken"] as? String ?? "")"}"#)
            #expect(renewed.status == 200)
        }
    }

    /// An account that is there is opened again by nobody who says something else of it.
    private func opensOnce(_ id: String, _ server: ServerProcess) async throws {
        for (login, role, problem) in [
            ("dock@pier", "dock", nil), ("dock@pier", "owner", "already-exists"),
            ("other@pier", "dock", "already-exists"),
        ] {
            let again = try await server.staff.post(
                "/v1/staff",
                #"{"id":"\#(id)","login":"\#(login)","password":"\#(Self.password)","role":"\#(role)"}"#
            )
            #expect(again.status == (problem == nil ? 200 : 409))
            #expect(again.problem == problem, "\(login) as \(role)")
        }
    }

    private func keyEnds(_ server: ServerProcess) async throws {
        let key = UUID().uuidString.lowercased()
        let body = #"{"label":"Till","scopes":["dock","reporting"],"commissionBasisPoints":500}"#
        let issued = try await server.staff.post("/v1/api-keys", body, key: key)
        let again = try await server.staff.post("/v1/api-keys", body, key: key)
        let secret = issued.json["apiKey"] as? String ?? ""
        #expect(again.json["apiKey"] as? String == secret)
        let door = HTTPDoor(server.queries.base, token: secret)
        #expect(try await door.get("/v1/ledger").status == 200)
        let forged = HTTPDoor(server.queries.base, token: secret.dropLast() + "x")
        #expect(try await forged.get("/v1/ledger").status == 401)
        let id = issued.json["id"] as? String ?? ""
        _ = try await server.staff.post("/v1/api-keys/\(id)/revoke", "")
        try await eventually("the key opens nothing any more") {
            try await door.get("/v1/ledger").status == 401
        }
        let keys =
            try await server.staffQueries.get("/v1/api-keys").json["keys"] as? [[String: Any]]
        #expect(keys?.first?["isRevoked"] as? Bool == true)
    }

    @Test(
        "names in every event who did it, and keeps every secret out of the log and of what is printed"
    )
    func keepsSecrets() async throws {
        let signing = "a signing secret that nobody may ever see"
        let environment = ["LOG_LEVEL": "trace", "SIGNING_SECRET": signing]
        try await withServer(environment: environment) { server in
            // What 'up' prints for whoever tries it names the token; a role alone does not.
            let role = try await ServerProcess.start(
                "command-api", in: server.folder, environment: environment)
            let token = try await token(of: "office", server)
            let place = try await openSailing(server, capacity: 5)
            let office = HTTPDoor(role.commands.base, token: token)
            // 'up' shows how Ada Lovelace books.
            let order = place.order().replacing("Lovelace", with: "Kingsley")
                .replacing("ada@", with: "kingsley@")
            let booked = try await office.post("/v1/bookings", order)
            #expect(booked.status == 201)
            let session = try await logIn("office", server)
            let key = try await server.staff.post(
                "/v1/api-keys", #"{"label":"Till","scopes":["dock"]}"#)
            _ = try await logIn("office", server, password: "a wrong guess")
            _ = try await HTTPDoor(role.commands.base, token: Self.password).post("/v1/staff", "{}")
            let code = booked.json["code"] as? String ?? ""
            let link = booked.json["link"] as? String ?? ""
            let position = booked.headers["quartermaster-position"] ?? ""
            let shown = try await server.queries.get(
                "/v1/bookings/\(code)?lastName=Kingsley&min-position=\(position)",
                headers: [("Booking-Link", link)])
            #expect(shown.status == 200)
            let events = try await server.run(["events", "--json", "--limit", "10000"]).output
            let account = try #require(session.json["account"] as? String)
            #expect(events.contains("account:\(account)"))
            let unreachable = "postgresql://q:open-sesame@127.0.0.1:1/q"
            let status = try await server.run(
                ["status"], environment: ["DATABASE_URL": unreachable])
            #expect(!status.isSuccess)
            await role.stop()
            let printed = server.output + role.output + status.output
            #expect(printed.contains("placeBooking"), "requests are told at this level")
            let secrets = [
                Self.password, "argon2", token, "Kingsley", "kingsley@example.org", "a wrong guess",
                "open-sesame", signing, link, try #require(key.json["apiKey"] as? String),
                try #require(session.json["accessToken"] as? String),
                try #require(session.json["refreshToken"] as? String),
            ]
            for secret in secrets {
                #expect(!events.contains(secret), "\(secret)")
                #expect(!printed.contains(secret), "\(secret)")
            }
            #expect(!events.contains("office@pier") && !role.output.contains(ServerProcess.token))
        }
    }
}

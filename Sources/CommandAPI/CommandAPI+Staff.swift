internal import Access
internal import Commands
internal import Domain
internal import EventCodec
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Web

/// Who works here, and how he comes in.
extension CommandAPI {
    var staffOperations: [Operation] {
        [
            Operation("logIn", .post, "/v1/sessions") { request, _ in
                let body = try await Body.read(request)
                let (login, password) = try reading { () throws(JSONError) in
                    try body.json.allow(only: ["login", "password"])
                    return (
                        try body.json["login"].text(.label), try body.json["password"].string()
                    )
                }
                guard password.utf8.count <= Text.address.characterLimit else {
                    throw Problem.malformed(field: "password", "is too long")
                }
                return admitted(try await desk.logIn(login, password))
            },
            Operation("refreshSession", .post, "/v1/sessions/refresh") { request, _ in
                admitted(try await desk.refresh(refreshToken(request)))
            },
            Operation("logOut", .post, "/v1/sessions/end") { request, _ in
                try await desk.logOut(refreshToken(request))
                return answer(position: 0) { $0.field("status", "ended") }
            },
            Operation("openStaffAccount", .post, "/v1/staff", for: .owner) { request, _ in
                try await openAccount(request)
            },
            Operation("changeStaffAccount", .patch, "/v1/staff/{account}", for: .owner) {
                request, context in
                try await changeAccount(request, context.id("account"))
            },
            Operation("issueAPIKey", .post, "/v1/api-keys", for: .owner) { request, _ in
                try await issueKey(request)
            },
            Operation("revokeAPIKey", .post, "/v1/api-keys/{key}/revoke", for: .owner) {
                request, context in
                let key = try context.id("key", Kind.APIKey.self)
                let receipt = try await submit(
                    request, Body.none(request), [RevokeAPIKey(key: key)])
                try await desk.revoke(key)
                return changed(key.entity, by: receipt)
            },
        ]
    }

    private func refreshToken(_ request: Request) async throws -> String {
        let body = try await Body.read(request)
        return try reading { () throws(JSONError) in
            try body.json.allow(only: ["refreshToken"])
            return try body.json["refreshToken"].string()
        }
    }

    private func admitted(_ admission: StaffDesk.Admission) -> Response {
        answer(position: 0) { json in
            json.field("account", admission.account)
            json.field("role", admission.role.rawValue)
            json.field("accessToken", admission.accessToken)
            json.field("expiresAt", admission.expiresAt)
            json.field("refreshToken", admission.refreshToken)
        }
    }

    private func openAccount(_ request: Request) async throws -> Response {
        let body = try await Body.read(request)
        let (id, login, password, role) = try reading { () throws(JSONError) in
            let json = body.json
            try json.allow(only: ["id", "login", "password", "role"])
            return (
                try json.optional("id")?.id(Kind.Account.self), try json["login"].text(.label),
                try Self.password(json["password"]), try json["role"].choice(of: Role.self)
            )
        }
        let account = id ?? draw()
        let hash = hash(request, "\(id?.description ?? "") \(login) \(role)", password)
        let receipt: Receipt
        // Who repeats himself finds the login taken, by the account that he has opened.
        if let known = try await repeated(request, hash) {
            receipt = known
        } else {
            try await desk.checkFree(login, for: account)
            receipt = try await submit(
                request, body, hash: hash, [ManageStaff(account: account, deeds: [.open(role)])])
        }
        // What the log says counts: a repeat of the request has the account that was opened first.
        var (opened, status) = (account, HTTPResponse.Status.ok)
        if case .staffAccountOpened(let fact) = receipt.events.first?.event {
            (opened, status) = (fact.account, .created)
        }
        try await desk.keep(opened, login: login, password: password, role: role)
        // Others may have changed it before it was kept.
        try await keepStanding(of: opened)
        return changed(opened.entity, by: receipt, status)
    }

    private func changeAccount(
        _ request: Request, _ account: AccountID
    ) async throws -> Response {
        let body = try await Body.read(request)
        let (password, role, isClosed) = try reading { () throws(JSONError) in
            try body.json.allow(only: ["password", "role", "isClosed"])
            return (
                try body.json.optional("password").map(Self.password),
                try body.json.optional("role")?.choice(of: Role.self),
                try body.json.optional("isClosed")?.bool()
            )
        }
        guard isClosed != false else {
            throw Problem.malformed(
                field: "isClosed", "must be true: a closed account stays closed, open another")
        }
        let deeds = [
            role.map(ManageStaff.Deed.role), isClosed.map { _ in .close },
            password.map { _ in .password },
        ].compactMap { $0 }
        guard !deeds.isEmpty else {
            throw Problem.malformed(
                field: "", "there is nothing to change; there are password, role, isClosed")
        }
        let text = "\(role?.rawValue ?? "") \(isClosed ?? false)"
        let receipt = try await submit(
            request, body, hash: hash(request, text, password ?? ""),
            [ManageStaff(account: account, deeds: deeds)])
        try await keepStanding(of: account, password: password.map { ($0, receipt.position) })
        return changed(account.entity, by: receipt)
    }

    /// Makes of an account what the log says of it now: a repeat that comes late must not undo what was changed since.
    private func keepStanding(
        of account: AccountID, password: (text: String, setAt: Int64)? = nil
    ) async throws {
        let (standing, position) = try await ask(StaffStanding(account: account), isCurrent: true)
        try await desk.change(
            account, role: standing.role, isClosed: standing.isClosed, asOf: position,
            password: password)
    }

    /// A password is hashed with a secret, so that nobody tries it out on what the log says of the request.
    private func hash(_ request: Request, _ text: String, _ password: String) -> [UInt8] {
        requestHash(request, Array(text.utf8) + desk.fingerprint(of: password))
    }

    private static func password(_ value: JSONValue) throws(JSONError) -> String {
        let password = try value.string()
        let (shortest, longest) = (Password.lengths.lowerBound, Password.lengths.upperBound)
        guard password.count >= shortest, password.utf8.count <= longest else {
            throw value.fault(
                "must have \(shortest) characters or more, and at most \(longest) bytes")
        }
        return password
    }

    private func issueKey(_ request: Request) async throws -> Response {
        let body = try await Body.read(request)
        let (label, scopes, commission) = try reading { () throws(JSONError) in
            let json = body.json
            try json.allow(only: ["label", "scopes", "commissionBasisPoints"])
            let scopes = try json["scopes"].list { value throws(JSONError) in
                let role = try value.choice(of: Role.self)
                guard role != .owner else {
                    throw value.fault("must not be owner: only people are owners")
                }
                return role
            }
            return (
                try json["label"].text(.label), scopes,
                try json.optional("commissionBasisPoints")?.basisPoints()
            )
        }
        guard Set(scopes).count == scopes.count else {
            throw Problem.malformed(field: "scopes", "must not repeat one")
        }
        let fact = APIKeyIssued(
            key: draw(), label: label, scopes: scopes, commission: commission)
        let receipt = try await submit(request, body, [IssueAPIKey(fact)])
        guard case .apiKeyIssued(let issued) = receipt.events.first?.event else {
            preconditionFailure("a new API key was known")
        }
        let secret = try await desk.keep(issued)
        // Somebody may have revoked it before it was kept.
        let mayAct = try await ask(APIKeyStanding(key: issued.key), isCurrent: true).answer
        if !mayAct { try await desk.revoke(issued.key) }
        return answer(.created, position: receipt.position) { json in
            json.field("id", issued.key)
            json.field("apiKey", secret)
        }
    }
}

internal import Commands
internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Web

extension CommandAPI {
    /// Discount and access codes; all of it is the office's.
    var codeOperations: [Operation] {
        [
            issuing("issueDiscountCode", "/v1/discount-codes") { json throws(JSONError) in
                let fact = try Self.discountCode(json)
                return (fact.code, IssueDiscountCode(fact))
            },
            issuing("issueAccessCode", "/v1/access-codes") { json throws(JSONError) in
                let fact = try Self.accessCode(json)
                return (fact.code, IssueAccessCode(fact))
            },
            revoking("revokeDiscountCode", "/v1/discount-codes/{code}/revoke", .discount),
            revoking("revokeAccessCode", "/v1/access-codes/{code}/revoke", .access),
        ]
    }

    private func issuing(
        _ id: String, _ path: String,
        _ read: @escaping @Sendable (JSONObject) throws(JSONError) -> (SalesCode, any Command)
    ) -> Operation {
        Operation(id, .post, path, for: .office) { request, _ in
            let body = try await Body.read(request)
            let (code, command) = try reading { () throws(JSONError) in try read(body.json) }
            let receipt = try await submit(request, body, [command])
            return answer(.created, position: receipt.position) { $0.field("code", code.text) }
        }
    }

    private func revoking(_ id: String, _ path: String, _ kind: CodeKind) -> Operation {
        Operation(id, .post, path, for: .office) { request, context in
            guard let text = context.parameters.get("code"), let code = SalesCode(kind, text) else {
                throw Problem.notFound("code")
            }
            let receipt = try await submit(
                request, Body.none(request), [RevokeCode(code: code)])
            return answer(position: receipt.position) { json in
                json.field("code", code.text)
                json.field("happened", receipt.events) { $0.value($1.event.type.name) }
            }
        }
    }

    private static func discountCode(_ json: JSONObject) throws(JSONError) -> DiscountCodeIssued {
        try json.allow(only: [
            "code", "reduction", "minimumOrder", "validFrom", "validUntil", "useLimit", "tripKind",
            "launch", "mission", "trip",
        ])
        let scope = CodeScope(
            kind: try json.optional("tripKind").map { value throws(JSONError) in
                try value.choice()
            },
            launch: try json.optional("launch")?.id(), mission: try json.optional("mission")?.id(),
            trip: try json.optional("trip")?.id())
        return DiscountCodeIssued(
            code: try json["code"].code(.discount),
            reduction: try reduction(json["reduction"].object()),
            minimumOrder: try json.optional("minimumOrder")?.money() ?? .zero,
            validity: try validity(json),
            useLimit: try json.optional("useLimit")?.useCount(), scope: scope)
    }

    private static func accessCode(_ json: JSONObject) throws(JSONError) -> AccessCodeIssued {
        try json.allow(only: ["code", "mission", "validFrom", "validUntil", "useLimit"])
        return AccessCodeIssued(
            code: try json["code"].code(.access), mission: try json["mission"].id(),
            validity: try validity(json), useLimit: try json.optional("useLimit")?.useCount())
    }

    /// `{"basisPoints": 1000, "cap": Money}`, the cap if there is to be one, or `{"amount": Money}`.
    private static func reduction(_ json: JSONObject) throws(JSONError) -> Reduction {
        guard let rate = json.optional("basisPoints") else {
            try json.allow(only: ["amount"])
            return .amount(try json["amount"].money())
        }
        try json.allow(only: ["basisPoints", "cap"])
        return .share(try rate.basisPoints(), cap: try json.optional("cap")?.money())
    }

    private static func validity(_ json: JSONObject) throws(JSONError) -> Validity {
        Validity(
            from: try json.optional("validFrom")?.instant(),
            until: try json.optional("validUntil")?.instant())
    }
}

extension JSONValue {
    /// A code that somebody made up or typed in.
    func code(_ kind: CodeKind) throws(JSONError) -> SalesCode {
        guard let code = SalesCode(kind, try string()) else {
            throw fault("must be 3 to 20 letters, digits and hyphens, such as SPRING-26")
        }
        return code
    }

    fileprivate func useCount() throws(JSONError) -> Int { try integer(in: 1...1_000_000_000) }
}

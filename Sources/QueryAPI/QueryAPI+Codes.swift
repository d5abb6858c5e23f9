internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Projections
internal import Web

extension QueryAPI {
    var codeOperations: [Operation] {
        [
            Operation("listCodes", .get, "/v1/codes", for: .books) { request, _ in
                try await codes(request)
            }
        ]
    }

    private func codes(_ request: Request) async throws -> Response {
        try request.allowQuery(only: "kind", "limit", "cursor", "min-position")
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageDefault
        let kind = try request.query("kind", of: CodeKind.self)
        let after = try Cursor(request.query("cursor")).map { cursor throws(Problem) in
            try cursor.codeKey()
        }
        let (position, rows) = try await read(
            request, from: [CodeUsage.self],
            [CodeUsage.all(of: kind, after: after, limit: limit + 1)])
        let found = CodeUsage.views(rows[0])
        let views = found.prefix(limit)
        let next = found.count > limit ? views.last.flatMap { Cursor($0.key) } : nil
        return answer(position: position) { json in
            json.field("codes", views) { json, view in
                json.object { json in
                    json.field("kind", view.key.kind.rawValue)
                    json.field("code", view.key.text)
                    json.field("isRevoked", view.row.isRevoked)
                    json.field("reserved", view.row.reservedCount)
                    json.field("sold", view.row.soldCount)
                    json.field("discount") { $0.write(view.row.discount) }
                    json.write(view.row.terms)
                }
            }
            json.field("next", next?.text)
        }
    }
}

extension Cursor {
    fileprivate init?(_ key: CodeUsage.Key) {
        guard let code = key.code else { return nil }
        self.init("\(key.kind.rawValue) \(key.text)", code.entity)
    }

    fileprivate func codeKey() throws(Problem) -> CodeUsage.Key {
        let parts = value.split(separator: " ")
        guard parts.count == 2, let kind = CodeKind(rawValue: String(parts[0])) else {
            throw Self.fault
        }
        return CodeUsage.Key(kind: kind, text: String(parts[1]))
    }
}

extension JSONWriter {
    /// The terms of either kind: what only the other kind has is null.
    fileprivate mutating func write(_ terms: CodeUses.Terms) {
        switch terms {
        case .discount(let fact):
            name("reduction")
            object { $0.write(fact.reduction) }
            field("minimumOrder") { $0.write(fact.minimumOrder) }
            write(fact.validity, fact.useLimit)
            write(fact.scope)
        case .access(let fact):
            name("reduction")
            null()
            name("minimumOrder")
            null()
            write(fact.validity, fact.useLimit)
            write(CodeScope(mission: fact.mission))
        }
    }

    private mutating func write(_ reduction: Reduction) {
        switch reduction {
        case .share(let rate, let cap):
            field("basisPoints", rate.count)
            if let cap {
                field("cap") { $0.write(cap) }
            } else {
                name("cap")
                null()
            }
        case .amount(let amount): field("amount") { $0.write(amount) }
        }
    }

    private mutating func write(_ validity: Validity, _ useLimit: Int?) {
        field("validFrom", validity.from)
        field("validUntil", validity.until)
        field("useLimit", useLimit)
    }

    private mutating func write(_ scope: CodeScope) {
        field("tripKind", scope.kind?.rawValue)
        field("launch", scope.launch)
        field("mission", scope.mission)
        field("trip", scope.trip)
    }
}

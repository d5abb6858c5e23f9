internal import Domain
internal import JSON

extension EventCodec {
    static func write(_ code: SalesCode, to json: inout JSONWriter) {
        json.field("kind", code.kind.rawValue)
        json.field("code", code.text)
    }

    static func write(_ fact: DiscountCodeIssued, to json: inout JSONWriter) {
        write(fact.code, to: &json)
        json.field("reduction") { json in
            switch fact.reduction {
            case .share(let rate, let cap):
                json.field("basisPoints", rate.count)
                write(cap, "cap", to: &json)
            case .amount(let amount): write(amount, "amount", to: &json)
            }
        }
        write(fact.minimumOrder, "minimumOrder", to: &json)
        write(fact.validity, fact.useLimit, to: &json)
        json.field("tripKind", fact.scope.kind?.rawValue)
        json.field("launch", fact.scope.launch)
        json.field("mission", fact.scope.mission)
        json.field("trip", fact.scope.trip)
    }

    static func write(_ fact: AccessCodeIssued, to json: inout JSONWriter) {
        write(fact.code, to: &json)
        json.field("mission", fact.mission)
        write(fact.validity, fact.useLimit, to: &json)
    }

    private static func write(
        _ validity: Validity, _ useLimit: Int?, to json: inout JSONWriter
    ) {
        json.field("validFrom", validity.from)
        json.field("validUntil", validity.until)
        json.field("useLimit", useLimit)
    }

    private static func write(_ money: Money?, _ name: StaticString, to json: inout JSONWriter) {
        if let money {
            json.field(name) { $0.write(money) }
        } else {
            json.field(name, nil as String?)
        }
    }

    // MARK: Reading

    static func code(_ json: JSONObject) throws(JSONError) -> SalesCode {
        let kind: CodeKind = try json["kind"].choice()
        guard let code = SalesCode(kind, try json["code"].string()) else {
            throw try json["code"].fault("must be a code")
        }
        return code
    }

    /// None where an event was written before there were codes.
    static func codes(_ value: JSONValue?) throws(JSONError) -> [SalesCode] {
        guard let value else { return [] }
        return try value.list { value throws(JSONError) in try code(value.object()) }
    }

    /// The same.
    static func codeUses(_ value: JSONValue?) throws(JSONError) -> [CodeUse] {
        guard let value else { return [] }
        return try value.list { value throws(JSONError) in
            let json = try value.object()
            return CodeUse(
                code: try code(json),
                discount: Money(
                    minorUnits: try json["discount"].integer(),
                    currency: try json["currency"].choice()))
        }
    }

    static func discountCode(_ json: JSONObject) throws(JSONError) -> DiscountCodeIssued {
        let scope = CodeScope(
            kind: try json.optional("tripKind").map { value throws(JSONError) in
                try value.choice()
            },
            launch: try json.optional("launch")?.id(), mission: try json.optional("mission")?.id(),
            trip: try json.optional("trip")?.id())
        return DiscountCodeIssued(
            code: try code(json), reduction: try reduction(json["reduction"].object()),
            minimumOrder: try money(json["minimumOrder"]), validity: try validity(json),
            useLimit: try json.optional("useLimit")?.integer(), scope: scope)
    }

    private static func reduction(_ json: JSONObject) throws(JSONError) -> Reduction {
        guard let rate = json.optional("basisPoints") else {
            return .amount(try money(json["amount"]))
        }
        return .share(try rate.basisPoints(), cap: try money(json.optional("cap")))
    }

    static func accessCode(_ json: JSONObject) throws(JSONError) -> AccessCodeIssued {
        AccessCodeIssued(
            code: try code(json), mission: try json["mission"].id(), validity: try validity(json),
            useLimit: try json.optional("useLimit")?.integer())
    }

    private static func validity(_ json: JSONObject) throws(JSONError) -> Validity {
        Validity(
            from: try json.optional("validFrom")?.instant(),
            until: try json.optional("validUntil")?.instant())
    }

    private static func money(_ value: JSONValue?) throws(JSONError) -> Money? {
        guard let value else { return nil }
        return try money(value)
    }

    /// An amount with its currency.
    static func money(_ value: JSONValue) throws(JSONError) -> Money {
        let json = try value.object()
        return Money(
            minorUnits: try json["amount"].integer(), currency: try json["currency"].choice())
    }
}

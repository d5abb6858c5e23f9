internal import Domain
internal import JSON

/// Who works here.
extension EventCodec {
    static func writeStaff(_ event: Event, to json: inout JSONWriter) {
        switch event {
        case .staffAccountOpened(let fact):
            json.field("account", fact.account)
            json.field("role", fact.role.rawValue)
        case .staffRoleSet(let fact):
            json.field("account", fact.account)
            json.field("role", fact.role.rawValue)
        case .staffPasswordSet(let account), .staffAccountClosed(let account):
            json.field("account", account)
        case .apiKeyIssued(let fact):
            json.field("key", fact.key)
            json.field("label", fact.label)
            json.field("scopes", fact.scopes) { $0.value($1.rawValue) }
            json.field("commissionBasisPoints", fact.commission?.count)
        case .apiKeyRevoked(let key): json.field("key", key)
        default: preconditionFailure("an event of another subject")
        }
    }

    static func readStaff(_ type: EventType, from json: JSONObject) throws(JSONError) -> Event {
        switch type {
        case .staffAccountOpened:
            return .staffAccountOpened(
                StaffAccountOpened(
                    account: try json["account"].id(), role: try json["role"].choice()))
        case .staffRoleSet:
            return .staffRoleSet(
                StaffRoleSet(account: try json["account"].id(), role: try json["role"].choice()))
        case .staffPasswordSet: return .staffPasswordSet(try json["account"].id())
        case .staffAccountClosed: return .staffAccountClosed(try json["account"].id())
        case .apiKeyIssued:
            return .apiKeyIssued(
                APIKeyIssued(
                    key: try json["key"].id(), label: try json["label"].string(),
                    scopes: try json["scopes"].list { value throws(JSONError) in
                        try value.choice()
                    },
                    commission: try json.optional("commissionBasisPoints")?.basisPoints()))
        case .apiKeyRevoked: return .apiKeyRevoked(try json["key"].id())
        default: preconditionFailure("an event of another subject")
        }
    }
}

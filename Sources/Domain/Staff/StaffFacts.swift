/// Somebody works here now. Who that is, and by what he is known again, stands in no event.
public struct StaffAccountOpened: Hashable, Sendable {
    public var account: AccountID
    public var role: Role

    public init(account: AccountID, role: Role) {
        self.account = account
        self.role = role
    }
}

public struct StaffRoleSet: Hashable, Sendable {
    public var account: AccountID
    public var role: Role

    public init(account: AccountID, role: Role) {
        self.account = account
        self.role = role
    }
}

/// A program may act for somebody. Its secret stands in no event.
public struct APIKeyIssued: Hashable, Sendable {
    public var key: APIKeyID
    public var label: String
    /// The roles that it may act in, each once.
    public var scopes: [Role]
    /// What a reseller gets of what he sells.
    public var commission: BasisPoints?

    public init(key: APIKeyID, label: String, scopes: [Role], commission: BasisPoints?) {
        self.key = key
        self.label = label
        self.scopes = scopes
        self.commission = commission
    }
}

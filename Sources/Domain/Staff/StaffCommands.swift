/// What is known of a member of staff.
public struct StaffTerms: DecisionModel {
    public static let types: Set<EventType> = [
        .staffAccountOpened, .staffRoleSet, .staffAccountClosed,
    ]
    public private(set) var role: Role?
    public private(set) var isClosed = false

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .staffAccountOpened(let fact): role = fact.role
        case .staffRoleSet(let fact): role = fact.role
        case .staffAccountClosed: isClosed = true
        default: break
        }
    }
}

/// Says who works here and as what. What is so already is left alone; a closed account stays closed.
public struct ManageStaff: Command {
    public enum Deed: Hashable, Sendable {
        case open(Role)
        case role(Role)
        case close
        /// The password itself stands in no command and no event.
        case password
    }

    public var account: AccountID
    public var deeds: [Deed]

    public init(account: AccountID, deeds: [Deed]) {
        self.account = account
        self.deeds = deeds
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let terms = world.look(at: StaffTerms.self, of: account)
        var events: [Event] = []
        for deed in deeds {
            switch deed {
            case .open(let role):
                if let known = terms.role {
                    guard known != role else { continue }
                    throw .alreadyExists(kind: "account", id: account.entity)
                }
                events.append(
                    .staffAccountOpened(StaffAccountOpened(account: account, role: role)))
            case .role(let role):
                try checkKnown(terms)
                guard terms.role != role else { continue }
                events.append(.staffRoleSet(StaffRoleSet(account: account, role: role)))
            case .close:
                try checkKnown(terms)
                if !terms.isClosed { events.append(.staffAccountClosed(account)) }
            case .password:
                try checkKnown(terms)
                events.append(.staffPasswordSet(account))
            }
        }
        return events
    }

    private func checkKnown(_ terms: StaffTerms) throws(Refusal) {
        guard terms.role != nil else { throw .unknown(kind: "account", id: account.entity) }
    }
}

/// What an account may do now.
public struct StaffStanding: Question {
    public var account: AccountID

    public init(account: AccountID) {
        self.account = account
    }

    public func answer(
        in world: borrowing World, at now: Instant
    ) throws(Refusal) -> (role: Role, isClosed: Bool) {
        let terms = world.look(at: StaffTerms.self, of: account)
        guard let role = terms.role else { throw .unknown(kind: "account", id: account.entity) }
        return (role, terms.isClosed)
    }
}

/// Whether a program may still act.
public struct APIKeyStanding: Question {
    public var key: APIKeyID

    public init(key: APIKeyID) {
        self.key = key
    }

    public func answer(in world: borrowing World, at now: Instant) throws(Refusal) -> Bool {
        let terms = world.look(at: APIKeyTerms.self, of: key)
        guard terms.issued != nil else { throw .unknown(kind: "API key", id: key.entity) }
        return !terms.isRevoked
    }
}

/// What is known of an API key.
public struct APIKeyTerms: DecisionModel {
    public static let types: Set<EventType> = [.apiKeyIssued, .apiKeyRevoked]
    public private(set) var issued: APIKeyIssued?
    public private(set) var isRevoked = false

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .apiKeyIssued(let fact): issued = fact
        case .apiKeyRevoked: isRevoked = true
        default: break
        }
    }
}

/// Lets a program act in some roles.
public struct IssueAPIKey: Command {
    public var fact: APIKeyIssued

    public init(_ fact: APIKeyIssued) {
        self.fact = fact
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        guard !fact.scopes.isEmpty else {
            throw .invalid(field: "scopes", reason: "must not be empty")
        }
        let known = world.look(at: APIKeyTerms.self, of: fact.key).issued
        guard let known else { return [.apiKeyIssued(fact)] }
        guard known == fact else { throw .alreadyExists(kind: "API key", id: fact.key.entity) }
        return []
    }
}

/// Stops a program for good.
public struct RevokeAPIKey: Command {
    public var key: APIKeyID

    public init(key: APIKeyID) {
        self.key = key
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let terms = world.look(at: APIKeyTerms.self, of: key)
        guard terms.issued != nil else { throw .unknown(kind: "API key", id: key.entity) }
        return terms.isRevoked ? [] : [.apiKeyRevoked(key)]
    }
}

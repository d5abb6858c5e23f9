public import Domain
public import Hummingbird
public import Trace

/// Who asks, and what he may do.
public struct Caller: Sendable {
    /// None for one who said nothing about himself.
    public var roles: Set<Role>
    /// How events name him: by id, never by name.
    public var actor: String
    /// The key of a program that sells for a commission.
    public var reseller: APIKeyID?
    /// The trace in which he asks, where he names one: events keep it as what they belong to.
    public var traceParent: TraceParent?
    public var trace: EntityID? { traceParent?.trace }

    public init(roles: Set<Role>, actor: String, reseller: APIKeyID? = nil) {
        self.roles = roles
        self.actor = actor
        self.reseller = reseller
    }

    public static let anybody = Caller(roles: [], actor: "public")

    /// Of the request at hand.
    @TaskLocal public static var current = anybody

    /// Sells as staff does, or as everybody.
    public var seller: Seller { isOneOf(.quay) ? .staff : .public }

    public func isOneOf(_ audience: Audience) -> Bool {
        switch audience {
        case .everybody: true
        case .staff(let allowed): !roles.isDisjoint(with: allowed)
        }
    }

    /// Refuses one who does not belong to the audience: because he did not say who he is, or because of who
    /// he is.
    public func require(_ audience: Audience) throws(Problem) {
        guard !isOneOf(audience) else { return }
        throw roles.isEmpty ? .unauthorized : .forbidden
    }
}

/// For whom an operation is.
public enum Audience: Hashable, Sendable {
    case everybody
    case staff(Set<Role>)

    public static let owner = Audience.staff([.owner])
    public static let office = Audience.staff([.owner, .office])
    /// Those who deal with passengers.
    public static let quay = Audience.staff([.owner, .office, .dock])
    /// Those who have to know who is aboard.
    public static let crew = Audience.staff([.owner, .office, .dock, .captain, .reporting])
    /// Those who look things up.
    public static let desk = Audience.staff([.owner, .office, .dock, .reporting])
    /// Those who look at the money.
    public static let books = Audience.staff([.owner, .office, .reporting])
}

/// Finds out who asks; throws for credentials that are wrong.
public typealias Gatekeeper = @Sendable (Request) async throws(Problem) -> Caller

/// A code, and how often it is used: by sold bookings, and by live holds.
public struct CodeUses: DecisionModel {
    public static let types: Set<EventType> = Commitments<CodeKind>.types.union([
        .discountCodeIssued, .accessCodeIssued, .codeRevoked,
    ])

    public enum Terms: Hashable, Sendable {
        case discount(DiscountCodeIssued)
        case access(AccessCodeIssued)
    }

    public private(set) var issued: Terms?
    public private(set) var isRevoked = false
    private var commitments = Commitments<CodeKind>()
    private let entity: EntityID

    public var size: Int { commitments.size }

    public init(of entity: EntityID) {
        self.entity = entity
    }

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .discountCodeIssued(let fact): issued = .discount(fact)
        case .accessCodeIssued(let fact): issued = .access(fact)
        case .codeRevoked: isRevoked = true
        default:
            let entity = entity
            commitments.evolve(recorded) { holdings in
                holdings.codes.filter { $0.code.entity == entity }
                    .map { Portion(of: $0.code.kind, quantity: 1) }
            }
        }
    }

    /// Uses by sold bookings and by holds that are live at `now`.
    public func useCount(at now: Instant) -> Int { commitments.used(at: now) }

    /// More are used than may be: somebody counted a hold as over too early.
    func isOverused(at now: Instant) -> Bool { useLimit.map { useCount(at: now) > $0 } ?? false }

    /// The same as a booking that uses it may count on it.
    func isOverused(for booking: BookingID, at now: Instant) -> Bool {
        useLimit.map { commitments.used(for: booking, at: now) > $0 } ?? false
    }

    var useLimit: Int? {
        switch issued {
        case .discount(let fact): fact.useLimit
        case .access(let fact): fact.useLimit
        case nil: nil
        }
    }

    private var validity: Validity {
        switch issued {
        case .discount(let fact): fact.validity
        case .access(let fact): fact.validity
        case nil: Validity()
        }
    }

    /// Why nobody can use the code now, whatever he orders; nil when nothing stands in the way.
    func obstacle(at now: Instant) -> CodeObstacle? {
        guard issued != nil else { return .unknown }
        if isRevoked { return .revoked }
        if let from = validity.from, now < from { return .notYet(from: from) }
        if let until = validity.until, now >= until { return .over(until: until) }
        if let useLimit, useCount(at: now) >= useLimit { return .usedUp(limit: useLimit) }
        return nil
    }
}

/// Why a code does nothing for an order.
public enum CodeObstacle: Hashable, Sendable {
    case unknown
    case revoked
    case notYet(from: Instant)
    case over(until: Instant)
    case usedUp(limit: Int)
    /// The lines of the order come to less than the code asks for.
    case belowMinimum(minimum: Money, subtotal: Money)
    /// It is for other trips than those of the order.
    case otherTrips
    /// There is nothing to lower, or everybody may buy.
    case notNeeded
}

/// What a code did for an order.
public struct CodeOutcome: Hashable, Sendable {
    public enum Effect: Hashable, Sendable {
        case discounted(Money)
        case admitted
        case nothing(because: CodeObstacle)
    }

    public var code: SalesCode
    public var effect: Effect

    public init(code: SalesCode, effect: Effect) {
        self.code = code
        self.effect = effect
    }

    /// Its use, when it had an effect.
    var use: CodeUse? {
        switch effect {
        case .discounted(let amount): CodeUse(code: code, discount: amount)
        case .admitted: CodeUse(code: code, discount: .zero)
        case .nothing: nil
        }
    }
}

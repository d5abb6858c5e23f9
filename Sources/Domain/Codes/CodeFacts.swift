/// By how much a discount code lowers a price.
public enum Reduction: Hashable, Sendable {
    /// A share of what it applies to, but at most `cap`.
    case share(BasisPoints, cap: Money?)
    /// A fixed amount, but never more than what it applies to.
    case amount(Money)

    /// What it takes off `amount`, which is not negative.
    public func discount(on amount: Money) -> Money {
        let wanted =
            switch self {
            case .share(let rate, let cap):
                min(rate.share(of: amount).minorUnits, cap?.minorUnits ?? .max)
            case .amount(let fixed): fixed.minorUnits
            }
        return Money(minorUnits: min(wanted, amount.minorUnits), currency: amount.currency)
    }
}

/// When a code is good: from the first instant on, and not any more at the second.
public struct Validity: Hashable, Sendable {
    public var from: Instant?
    public var until: Instant?

    public init(from: Instant? = nil, until: Instant? = nil) {
        self.from = from
        self.until = until
    }
}

/// The trips that a discount code is good for: those that are all that is named here.
public struct CodeScope: Hashable, Sendable {
    public var kind: TripKind?
    public var launch: LaunchID?
    public var mission: MissionID?
    public var trip: TripID?

    public init(
        kind: TripKind? = nil, launch: LaunchID? = nil, mission: MissionID? = nil,
        trip: TripID? = nil
    ) {
        self.kind = kind
        self.launch = launch
        self.mission = mission
        self.trip = trip
    }

    public func covers(_ scheduled: TripScheduled) -> Bool {
        (kind ?? scheduled.kind) == scheduled.kind
            && (launch ?? scheduled.launch) == scheduled.launch
            && (mission ?? scheduled.mission) == scheduled.mission
            && (trip ?? scheduled.trip) == scheduled.trip
    }
}

public struct DiscountCodeIssued: Hashable, Sendable {
    /// Of kind discount.
    public var code: SalesCode
    public var reduction: Reduction
    /// The least that an order's lines must come to.
    public var minimumOrder: Money
    public var validity: Validity
    /// Bookings that may use it; nil: any number.
    public var useLimit: Int?
    public var scope: CodeScope

    public init(
        code: SalesCode, reduction: Reduction, minimumOrder: Money = .zero,
        validity: Validity = Validity(), useLimit: Int? = nil, scope: CodeScope = CodeScope()
    ) {
        self.code = code
        self.reduction = reduction
        self.minimumOrder = minimumOrder
        self.validity = validity
        self.useLimit = useLimit
        self.scope = scope
    }
}

public struct AccessCodeIssued: Hashable, Sendable {
    /// Of kind access.
    public var code: SalesCode
    public var mission: MissionID
    public var validity: Validity
    /// Bookings that may use it; nil: any number.
    public var useLimit: Int?

    public init(
        code: SalesCode, mission: MissionID, validity: Validity = Validity(), useLimit: Int? = nil
    ) {
        self.code = code
        self.mission = mission
        self.validity = validity
        self.useLimit = useLimit
    }
}

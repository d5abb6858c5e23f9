/// What is known of a thing that is sold.
public struct MerchandiseTerms: DecisionModel {
    public static let types: Set<EventType> = [.merchandiseAdded]
    public private(set) var added: MerchandiseAdded?

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        if case .merchandiseAdded(let fact) = recorded.event { added = fact }
    }
}

/// A variation: its price, and how many there are.
public struct VariationStock: DecisionModel {
    public static let types: Set<EventType> = Commitments<VariationID>.types.union([
        .variationAdded, .variationRepriced, .stockReceived, .stockAdjusted,
    ])
    public private(set) var added: VariationAdded?
    public private(set) var price = Money.zero
    /// Received and adjusted, and never less for what was sold.
    public private(set) var stock = 0
    private var commitments = Commitments<VariationID>()
    private let variation: VariationID

    public var size: Int { commitments.size }

    public init(of entity: EntityID) {
        variation = VariationID(entity)
    }

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .variationAdded(let fact): (added, price) = (fact, fact.price)
        case .variationRepriced(let fact): price = fact.price
        case .stockReceived(let fact): stock += fact.quantity
        case .stockAdjusted(let fact): stock += fact.quantity
        default:
            let variation = variation
            commitments.evolve(recorded) { holdings in
                holdings.merchandise.filter { $0.variation == variation }
                    .map { Portion(of: $0.variation, quantity: $0.quantity) }
            }
        }
    }

    /// Reserved by live holds, or sold.
    public func used(at now: Instant) -> Int { commitments.used(at: now) }

    /// Negative when more is promised than there is.
    public func available(at now: Instant) -> Int { stock - used(at: now) }

    /// Whether more is promised than there is, as a booking that has some of it may count on it.
    func isOverused(for booking: BookingID, at now: Instant) -> Bool {
        commitments.used(for: booking, at: now) > stock
    }
}

/// A variation on a trip, and how many of it the trip has sold.
public struct OfferTerms: DecisionModel {
    public static let types: Set<EventType> = Commitments<OfferID>.types.union([
        .merchandiseOffered, .offerAllotmentSet,
    ])
    public private(set) var offered: MerchandiseOffered?
    public private(set) var allotment: Int?
    private var commitments = Commitments<OfferID>()
    private let offer: OfferID

    public var size: Int { commitments.size }

    public init(of entity: EntityID) {
        offer = OfferID(entity)
    }

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .merchandiseOffered(let fact): (offered, allotment) = (fact, fact.allotment)
        case .offerAllotmentSet(let fact): allotment = fact.allotment
        default:
            let offer = offer
            commitments.evolve(recorded) { holdings in
                holdings.merchandise.filter { $0.offer == offer }
                    .map { Portion(of: $0.offer, quantity: $0.quantity) }
            }
        }
    }

    public func used(at now: Instant) -> Int { commitments.used(at: now) }

    /// What the allotment leaves; nil where there is none.
    public func available(at now: Instant) -> Int? { allotment.map { $0 - used(at: now) } }

    /// Whether more is promised than the allotment, as a booking that has some of it may count on it.
    func isOverused(for booking: BookingID, at now: Instant) -> Bool {
        allotment.map { commitments.used(for: booking, at: now) > $0 } ?? false
    }
}

/// What a trip offers of each variation.
public struct TripOffers: DecisionModel {
    public static let types: Set<EventType> = [.merchandiseOffered]
    public private(set) var offers: [VariationID: OfferID] = [:]

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        guard case .merchandiseOffered(let fact) = recorded.event else { return }
        offers[fact.variation] = offers[fact.variation] ?? fact.offer
    }
}

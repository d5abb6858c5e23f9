/// What is known of a location.
public struct LocationTerms: DecisionModel {
    public static let types: Set<EventType> = [.locationAdded]
    public private(set) var added: LocationAdded?

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        if case .locationAdded(let fact) = recorded.event { added = fact }
    }
}

/// What is known of a jurisdiction, and its tax rate at any time.
public struct JurisdictionTerms: DecisionModel {
    public static let types: Set<EventType> = [.jurisdictionAdded, .taxRateSet]
    public private(set) var added: JurisdictionAdded?
    private(set) var rates: [TaxRateSet] = []

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .jurisdictionAdded(let fact): added = fact
        case .taxRateSet(let fact): rates.append(fact)
        default: break
        }
    }

    /// The rate in force: of those that are effective, the one with the latest effective time, and
    /// of several with the same time the one set last. Nothing was taxed before the first.
    public func rate(at now: Instant) -> BasisPoints? {
        var current: TaxRateSet?
        for rate in rates where rate.effectiveFrom <= now {
            if current.map({ rate.effectiveFrom >= $0.effectiveFrom }) ?? true { current = rate }
        }
        return current?.rate
    }
}

/// What is known of a provider.
public struct ProviderTerms: DecisionModel {
    public static let types: Set<EventType> = [.providerAdded]
    public private(set) var added: ProviderAdded?

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        if case .providerAdded(let fact) = recorded.event { added = fact }
    }
}

/// What is known of a boat.
public struct BoatTerms: DecisionModel {
    public static let types: Set<EventType> = [
        .boatRegistered, .boatCapacityChanged, .boatTicketTypesSet, .boatAssigned, .boatUnassigned,
    ]
    public private(set) var registered: BoatRegistered?
    public private(set) var capacity = 0
    /// Of the sailings that it gets next.
    public private(set) var ticketTypes: [TicketType] = []
    /// Where it goes, or went.
    public private(set) var sailings: [(sailing: SailingID, trip: TripID)] = []

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .boatRegistered(let fact):
            (registered, capacity, ticketTypes) = (fact, fact.capacity, fact.ticketTypes)
        case .boatCapacityChanged(let fact): capacity = fact.capacity
        case .boatTicketTypesSet(let fact): ticketTypes = fact.ticketTypes
        case .boatAssigned(let fact): sailings.append((fact.sailing, fact.trip))
        case .boatUnassigned(let fact): sailings.removeAll { $0.sailing == fact.sailing }
        default: break
        }
    }
}

/// What is known of a launch.
public struct LaunchTerms: DecisionModel {
    public static let types: Set<EventType> = [
        .launchAnnounced, .launchArchived, .launchUnarchived,
    ]
    public private(set) var announced: LaunchAnnounced?
    public private(set) var isArchived = false

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .launchAnnounced(let fact): announced = fact
        case .launchArchived: isArchived = true
        case .launchUnarchived: isArchived = false
        default: break
        }
    }
}

/// What is known of a mission.
public struct MissionTerms: DecisionModel {
    public static let types: Set<EventType> = [
        .missionPlanned, .missionActivated, .missionDeactivated, .missionArchived,
        .missionUnarchived, .refundCutoffSet,
    ]
    /// As it was at first.
    public private(set) var original: MissionPlanned?
    /// As it is now.
    public private(set) var planned: MissionPlanned?
    public private(set) var isActive = true
    public private(set) var isArchived = false

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .missionPlanned(let fact): (original, planned) = (fact, fact)
        case .refundCutoffSet(let fact): planned?.refundCutoffHours = fact.hours
        case .missionActivated: isActive = true
        case .missionDeactivated: isActive = false
        case .missionArchived: isArchived = true
        case .missionUnarchived: isArchived = false
        default: break
        }
    }
}

/// What is known of a trip, and who may buy its seats at any time.
public struct TripTerms: DecisionModel {
    public static let types: Set<EventType> = [
        .tripScheduled, .saleModeSet, .salesOpeningSet, .tripListed, .tripUnlisted,
        .tripActivated, .tripDeactivated, .tripArchived, .tripUnarchived,
    ]
    /// As it was at first.
    public private(set) var original: TripScheduled?
    /// As it is now: later events are folded into the fact that scheduled it.
    public private(set) var scheduled: TripScheduled?
    public private(set) var isActive = true
    public private(set) var isArchived = false

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .tripScheduled(let fact): (original, scheduled) = (fact, fact)
        case .saleModeSet(let fact): scheduled?.saleMode = fact.saleMode
        case .salesOpeningSet(let fact): scheduled?.salesOpenAt = fact.salesOpenAt
        case .tripListed: scheduled?.isListed = true
        case .tripUnlisted: scheduled?.isListed = false
        case .tripActivated: isActive = true
        case .tripDeactivated: isActive = false
        case .tripArchived: isArchived = true
        case .tripUnarchived: isArchived = false
        default: break
        }
    }
}

/// Why `seller` can't sell seats of this trip now; nil when nothing stands in the way.
///
/// Archiving is a property of the thing archived: that a trip is hidden with its mission and its
/// launch is derived here, so unarchiving brings back each as it was.
public func obstacle(
    to seller: Seller, selling trip: TripTerms, of mission: MissionTerms,
    watching launch: LaunchTerms, at now: Instant
) -> Refusal.NotOnSale? {
    guard let scheduled = trip.scheduled else { return .inactive }
    return obstacle(
        to: seller, selling: scheduled,
        isArchived: trip.isArchived || mission.isArchived || launch.isArchived,
        isActive: trip.isActive && mission.isActive, at: now)
}

/// The same for one who knows whether the trip, or what it belongs to, is archived or inactive.
public func obstacle(
    to seller: Seller, selling scheduled: TripScheduled, isArchived: Bool, isActive: Bool,
    at now: Instant
) -> Refusal.NotOnSale? {
    if now >= scheduled.times.departure { return .departed }
    if isArchived { return .archived }
    if !isActive { return .inactive }
    if seller == .staff { return nil }
    switch scheduled.saleMode.effective(opening: scheduled.salesOpenAt, at: now) {
    case .private: return .staffOnly
    case .earlyBird: return .accessCodeNeeded
    case .public: return nil
    }
}

/// The same of a sailing's trip.
func obstacle(
    to seller: Seller, selling assigned: BoatAssigned, in world: borrowing World, at now: Instant
) -> Refusal.NotOnSale? {
    obstacle(
        to: seller, selling: world.look(at: TripTerms.self, of: assigned.trip),
        of: world.look(at: MissionTerms.self, of: assigned.mission),
        watching: world.look(at: LaunchTerms.self, of: assigned.launch), at: now)
}

/// Who sells: the public door, or a member of staff.
public enum Seller: Hashable, Sendable {
    case `public`
    case staff
}

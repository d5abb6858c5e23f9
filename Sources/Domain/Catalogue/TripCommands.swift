/// Changes who may find and buy a trip; what is already so is left alone.
public struct ChangeTrip: Command {
    public enum Change: Hashable, Sendable {
        case saleMode(SaleMode)
        case salesOpening(Instant?)
        case listed(Bool)
        case active(Bool)
        case archived(Bool)
    }

    public var trip: TripID
    public var changes: [Change]

    public init(trip: TripID, changes: [Change]) {
        self.trip = trip
        self.changes = changes
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let terms = world.look(at: TripTerms.self, of: trip)
        guard let scheduled = terms.scheduled else {
            throw .unknown(kind: "trip", id: trip.entity)
        }
        var events: [Event] = []
        for change in changes {
            switch change {
            case .saleMode(let mode) where mode != scheduled.saleMode:
                events.append(.saleModeSet(SaleModeSet(trip: trip, saleMode: mode)))
            case .salesOpening(let opening) where opening != scheduled.salesOpenAt:
                if let opening, opening >= scheduled.times.departure {
                    throw .invalid(field: "salesOpenAt", reason: "must be before departure")
                }
                events.append(.salesOpeningSet(SalesOpeningSet(trip: trip, salesOpenAt: opening)))
            case .listed(let isListed) where isListed != scheduled.isListed:
                events.append(isListed ? .tripListed(trip) : .tripUnlisted(trip))
            case .active(let isActive) where isActive != terms.isActive:
                events.append(isActive ? .tripActivated(trip) : .tripDeactivated(trip))
            case .archived(let isArchived) where isArchived != terms.isArchived:
                events.append(isArchived ? .tripArchived(trip) : .tripUnarchived(trip))
            case .saleMode, .salesOpening, .listed, .active, .archived: break
            }
        }
        return events
    }
}

/// Takes a mission off sale or brings it back, with all its trips, or sets until when its customers may ask for their
/// money back; what is already so is left alone.
public struct ChangeMission: Command {
    public enum Change: Hashable, Sendable {
        case refundCutoff(hours: Int)
        case active(Bool)
        case archived(Bool)
    }

    public var mission: MissionID
    public var changes: [Change]

    public init(mission: MissionID, changes: [Change]) {
        self.mission = mission
        self.changes = changes
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let terms = world.look(at: MissionTerms.self, of: mission)
        guard let planned = terms.planned else {
            throw .unknown(kind: "mission", id: mission.entity)
        }
        var events: [Event] = []
        for change in changes {
            switch change {
            case .refundCutoff(let hours) where hours != planned.refundCutoffHours:
                try planned.checkCutoff(hours)
                events.append(.refundCutoffSet(RefundCutoffSet(mission: mission, hours: hours)))
            case .active(let isActive) where isActive != terms.isActive:
                events.append(isActive ? .missionActivated(mission) : .missionDeactivated(mission))
            case .archived(let isArchived) where isArchived != terms.isArchived:
                events.append(isArchived ? .missionArchived(mission) : .missionUnarchived(mission))
            case .refundCutoff, .active, .archived: break
            }
        }
        return events
    }
}

extension MissionPlanned {
    func checkCutoff(_ hours: Int) throws(Refusal) {
        let range = Self.refundCutoffRange
        guard range.contains(hours) else {
            throw .invalid(
                field: "refundCutoffHours",
                reason: "must be \(range.lowerBound) to \(range.upperBound)")
        }
    }
}

/// Takes a launch off sale or brings it back, with all its missions.
public struct ArchiveLaunch: Command {
    public var launch: LaunchID
    public var isArchived: Bool

    public init(launch: LaunchID, isArchived: Bool) {
        self.launch = launch
        self.isArchived = isArchived
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let terms = world.look(at: LaunchTerms.self, of: launch)
        guard terms.announced != nil else { throw .unknown(kind: "launch", id: launch.entity) }
        guard terms.isArchived != isArchived else { return [] }
        return [isArchived ? .launchArchived(launch) : .launchUnarchived(launch)]
    }
}

/// Records that the law allows a boat another number of passengers; refused while more are to go with it
/// on a trip that has not departed, because they have to be moved first.
public struct ChangeBoatCapacity: Command {
    public var boat: BoatID
    public var capacity: Int

    public init(boat: BoatID, capacity: Int) {
        self.boat = boat
        self.capacity = capacity
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let terms = world.look(at: BoatTerms.self, of: boat)
        guard terms.registered != nil else { throw .unknown(kind: "boat", id: boat.entity) }
        guard capacity >= 1 else {
            throw .invalid(field: "capacity", reason: "must be at least 1")
        }
        guard terms.capacity != capacity else { return [] }
        for (sailing, trip) in terms.sailings where capacity < terms.capacity {
            let times = world.look(at: TripTerms.self, of: trip).scheduled?.times
            guard let times, now < times.departure else { continue }
            let seats = world.look(at: SailingSeats.self, of: sailing)
            let used = seats.figures(capacity: capacity, at: now).used
            guard used <= capacity else { throw .limitBelowUse(limit: capacity, used: used) }
        }
        return [.boatCapacityChanged(BoatCapacityChanged(boat: boat, capacity: capacity))]
    }
}

/// Sets the ticket types of the sailings that a boat gets from now on; those it has keep theirs.
public struct SetBoatTicketTypes: Command {
    public var boat: BoatID
    public var ticketTypes: [TicketType]

    public init(boat: BoatID, ticketTypes: [TicketType]) {
        self.boat = boat
        self.ticketTypes = ticketTypes
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let terms = world.look(at: BoatTerms.self, of: boat)
        guard terms.registered != nil else { throw .unknown(kind: "boat", id: boat.entity) }
        try checkTypes(ticketTypes)
        guard terms.ticketTypes != ticketTypes else { return [] }
        return [.boatTicketTypesSet(BoatTicketTypesSet(boat: boat, ticketTypes: ticketTypes))]
    }
}

/// Sets the sales tax of a jurisdiction from an instant on.
public struct SetTaxRate: Command {
    public var jurisdiction: JurisdictionID
    public var rate: BasisPoints
    public var effectiveFrom: Instant

    public init(jurisdiction: JurisdictionID, rate: BasisPoints, effectiveFrom: Instant) {
        self.jurisdiction = jurisdiction
        self.rate = rate
        self.effectiveFrom = effectiveFrom
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let terms = world.look(at: JurisdictionTerms.self, of: jurisdiction)
        guard terms.added != nil else {
            throw .unknown(kind: "jurisdiction", id: jurisdiction.entity)
        }
        return [
            .taxRateSet(
                TaxRateSet(jurisdiction: jurisdiction, rate: rate, effectiveFrom: effectiveFrom))
        ]
    }
}

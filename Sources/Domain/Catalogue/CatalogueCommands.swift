/// A fact that brings a thing of the catalogue into being.
///
/// Adding it a second time with the same values changes nothing; with other values it is refused,
/// because what is known is changed by the commands made for that.
public struct AddToCatalogue: Command {
    public enum Addition: Hashable, Sendable {
        case location(LocationAdded)
        case jurisdiction(JurisdictionAdded, rate: BasisPoints, effectiveFrom: Instant)
        case provider(ProviderAdded)
        case boat(BoatRegistered)
        case launch(LaunchAnnounced)
        case mission(MissionPlanned)
        case trip(TripScheduled)
        case sailing(BoatAssigned)
    }

    public var addition: Addition
    /// A file that is imported again says what there was at first: a boat that was taken off its trip since stays off.
    public var isOfFile: Bool

    public init(_ addition: Addition, isOfFile: Bool = false) {
        self.addition = addition
        self.isOfFile = isOfFile
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        switch addition {
        case .location(let fact):
            return try add(
                fact, known: world.look(at: LocationTerms.self, of: fact.location).added,
                "location", fact.location.entity, Event.locationAdded)
        case .jurisdiction(let fact, let rate, let effectiveFrom):
            try need(world.look(at: LocationTerms.self, of: fact.location).added, fact.location)
            let terms = world.look(at: JurisdictionTerms.self, of: fact.jurisdiction)
            let added = try add(
                fact, known: terms.added, "jurisdiction", fact.jurisdiction.entity,
                Event.jurisdictionAdded)
            let rate = TaxRateSet(
                jurisdiction: fact.jurisdiction, rate: rate, effectiveFrom: effectiveFrom)
            if !added.isEmpty { return added + [.taxRateSet(rate)] }
            guard terms.rates.contains(rate) else {
                throw .alreadyExists(kind: "jurisdiction", id: fact.jurisdiction.entity)
            }
            return []
        case .provider(let fact):
            let jurisdiction = world.look(at: JurisdictionTerms.self, of: fact.jurisdiction)
            try need(jurisdiction.added, fact.jurisdiction)
            return try add(
                fact, known: world.look(at: ProviderTerms.self, of: fact.provider).added,
                "provider", fact.provider.entity, Event.providerAdded)
        case .boat(let fact): return try register(fact, in: world)
        case .launch(let fact):
            try need(world.look(at: LocationTerms.self, of: fact.location).added, fact.location)
            let known = world.look(at: LaunchTerms.self, of: fact.launch).announced
            var fact = fact
            // A file's launch gets a further attempt: when it was to fly at first stays as it was announced.
            if isOfFile, let known { fact.liftOff = known.liftOff }
            return try add(
                fact, known: known, "launch", fact.launch.entity, Event.launchAnnounced)
        case .mission(let fact):
            try need(world.look(at: LaunchTerms.self, of: fact.launch).announced, fact.launch)
            try fact.checkCutoff(fact.refundCutoffHours)
            return try add(
                fact, known: world.look(at: MissionTerms.self, of: fact.mission).original,
                "mission", fact.mission.entity, Event.missionPlanned)
        case .trip(let fact): return try schedule(fact, in: world)
        case .sailing(let fact): return try assign(fact, in: world)
        }
    }

    private func register(
        _ fact: BoatRegistered, in world: borrowing World
    ) throws(Refusal) -> [Event] {
        let provider = world.look(at: ProviderTerms.self, of: fact.provider).added
        try need(provider, fact.provider)
        guard fact.capacity >= 1 else {
            throw .invalid(field: "capacity", reason: "must be at least 1")
        }
        try checkTypes(fact.ticketTypes)
        var fact = fact
        fact.jurisdiction = provider?.jurisdiction ?? fact.jurisdiction
        return try add(
            fact, known: world.look(at: BoatTerms.self, of: fact.boat).registered,
            "boat", fact.boat.entity, Event.boatRegistered)
    }

    private func schedule(
        _ fact: TripScheduled, in world: borrowing World
    ) throws(Refusal) -> [Event] {
        let mission = world.look(at: MissionTerms.self, of: fact.mission).planned
        try need(mission, fact.mission)
        var fact = fact
        fact.launch = mission?.launch ?? fact.launch
        let launch = world.look(at: LaunchTerms.self, of: fact.launch).announced
        try need(launch, fact.launch)
        fact.location = launch?.location ?? fact.location
        let times = fact.times
        guard times.checkIn <= times.boarding, times.boarding <= times.departure else {
            throw .invalid(field: "boarding", reason: "check-in <= boarding <= departure must hold")
        }
        guard times.checkIn.isWritable, times.departure.isWritable else {
            throw .invalid(
                field: "departure",
                reason: "must be in the years 1 to 9999, as its check-in and boarding")
        }
        if let opening = fact.salesOpenAt, opening >= times.departure {
            throw .invalid(field: "salesOpenAt", reason: "must be before departure")
        }
        return try add(
            fact, known: world.look(at: TripTerms.self, of: fact.trip).original,
            "trip", fact.trip.entity, Event.tripScheduled)
    }

    /// Ticket types left empty are the boat's; the other ids come from the trip and the boat.
    private func assign(
        _ fact: BoatAssigned, in world: borrowing World
    ) throws(Refusal) -> [Event] {
        let trip = world.look(at: TripTerms.self, of: fact.trip).scheduled
        try need(trip, fact.trip)
        let boat = world.look(at: BoatTerms.self, of: fact.boat)
        try need(boat.registered, fact.boat)
        var fact = fact
        fact.mission = trip?.mission ?? fact.mission
        fact.launch = trip?.launch ?? fact.launch
        fact.jurisdiction = boat.registered?.jurisdiction ?? fact.jurisdiction
        let seats = world.look(at: SailingSeats.self, of: fact.sailing)
        let known = seats.original
        if known != nil, seats.assigned == nil {
            if isOfFile { return [] }
            throw .invalid(
                field: "sailing", reason: "was taken off its trip: give the boat a new sailing")
        }
        // Its seats are there once.
        if known == nil, let other = boat.sailings.first(where: { $0.trip == fact.trip }) {
            throw .alreadyExists(kind: "sailing", id: other.sailing.entity)
        }
        // Asked again, it is what it was, whatever the boat's types are by now.
        if fact.ticketTypes.isEmpty { fact.ticketTypes = known?.ticketTypes ?? boat.ticketTypes }
        try checkTypes(fact.ticketTypes)
        if let limit = fact.limit { try checkLimit(limit, capacity: boat.capacity) }
        return try add(
            fact, known: known, "sailing", fact.sailing.entity, Event.boatAssigned)
    }
}

private func add<Fact: Equatable>(
    _ fact: Fact, known: Fact?, _ kind: String, _ id: EntityID, _ event: (Fact) -> Event
) throws(Refusal) -> [Event] {
    guard let known else { return [event(fact)] }
    guard known == fact else { throw .alreadyExists(kind: kind, id: id) }
    return []
}

private func need<K>(_ fact: Any?, _ id: ID<K>) throws(Refusal) {
    guard fact == nil else { return }
    throw .unknown(kind: String(describing: K.self).lowercased(), id: id.entity)
}

func checkLimit(_ limit: Int, capacity: Int) throws(Refusal) {
    guard limit >= 0 else { throw .invalid(field: "limit", reason: "must not be negative") }
    guard limit <= capacity else {
        throw .limitAboveCapacity(limit: limit, capacity: capacity)
    }
}

func checkTypes(_ types: [TicketType]) throws(Refusal) {
    guard (1...TicketType.countLimit).contains(types.count) else {
        throw .invalid(field: "ticketTypes", reason: "must be 1 to \(TicketType.countLimit)")
    }
    guard Set(types.map(\.id)).count == types.count else {
        throw .invalid(field: "ticketTypes", reason: "must not repeat an id")
    }
    for (index, type) in types.enumerated() {
        guard (0...Money.minorUnitsLimit).contains(type.price.minorUnits) else {
            throw .invalid(
                field: "ticketTypes[\(index)].price",
                reason: "must be 0 to \(Money.minorUnitsLimit) cents")
        }
        if case .fixed(let count) = type.cap, count < 0 {
            throw .invalid(field: "ticketTypes[\(index)].cap", reason: "must not be negative")
        }
    }
}

/// Sets the operator's own limit of a sailing; nil: the boat's capacity again.
public struct SetSailingLimit: Command {
    public var sailing: SailingID
    public var limit: Int?

    public init(sailing: SailingID, limit: Int?) {
        self.sailing = sailing
        self.limit = limit
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let seats = world.look(at: SailingSeats.self, of: sailing)
        guard let assigned = seats.assigned else {
            throw .unknown(kind: "sailing", id: sailing.entity)
        }
        let capacity = world.look(at: BoatTerms.self, of: assigned.boat).capacity
        if let limit { try checkLimit(limit, capacity: capacity) }
        let figures = seats.figures(capacity: capacity, at: now)
        // What is beyond the limit already may stay so, but no limit is lowered below what is used.
        let (wanted, used) = (limit ?? capacity, figures.used)
        guard wanted >= used || wanted >= figures.limit && wanted + figures.oversold >= used else {
            throw .limitBelowUse(limit: wanted, used: used)
        }
        guard seats.limit != limit else { return [] }
        return [.sailingLimitSet(SailingLimitSet(sailing: sailing, limit: limit))]
    }
}

/// Stops or resumes selling one sailing.
public struct PauseSales: Command {
    public var sailing: SailingID
    public var isPaused: Bool

    public init(sailing: SailingID, isPaused: Bool) {
        self.sailing = sailing
        self.isPaused = isPaused
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let seats = world.look(at: SailingSeats.self, of: sailing)
        guard seats.assigned != nil else { throw .unknown(kind: "sailing", id: sailing.entity) }
        guard seats.isPaused != isPaused else { return [] }
        return [isPaused ? .salesPaused(sailing) : .salesResumed(sailing)]
    }
}

/// Takes a boat off a trip; refused while seats of the sailing are sold or held.
public struct UnassignBoat: Command {
    public var sailing: SailingID

    public init(sailing: SailingID) {
        self.sailing = sailing
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let seats = world.look(at: SailingSeats.self, of: sailing)
        guard let assigned = seats.assigned else {
            throw .unknown(kind: "sailing", id: sailing.entity)
        }
        let (committed, held) = seats.taken(at: now)
        guard committed + held == 0 else {
            throw .sailingInUse(sailing: sailing, committed: committed, held: held)
        }
        return [
            .boatUnassigned(
                BoatUnassigned(sailing: sailing, trip: assigned.trip, boat: assigned.boat))
        ]
    }
}

/// Puts a further type on sale on a sailing. The same once more changes nothing.
public struct DefineTicketType: Command {
    public var sailing: SailingID
    public var ticketType: TicketType

    public init(sailing: SailingID, ticketType: TicketType) {
        self.sailing = sailing
        self.ticketType = ticketType
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let seats = world.look(at: SailingSeats.self, of: sailing)
        guard seats.assigned != nil else { throw .unknown(kind: "sailing", id: sailing.entity) }
        if let known = seats.ticketType(ticketType.id) {
            guard known == ticketType else {
                throw .alreadyExists(kind: "ticket type", id: ticketType.id.entity)
            }
            return []
        }
        try checkTypes(seats.ticketTypes + [ticketType])
        return [.ticketTypeDefined(TicketTypeDefined(sailing: sailing, ticketType: ticketType))]
    }
}

/// Changes a ticket type of a sailing; what was sold stays as it was. What is so already is left alone.
public struct ChangeTicketType: Command {
    public enum Change: Hashable, Sendable {
        case label(String)
        case price(Money)
        case cap(TicketType.Cap)
        /// The cap that the boat's own type of this id has, or none.
        case inheritedCap
    }

    public var sailing: SailingID
    public var ticketType: TicketTypeID
    public var changes: [Change]

    public init(sailing: SailingID, ticketType: TicketTypeID, changes: [Change]) {
        self.sailing = sailing
        self.ticketType = ticketType
        self.changes = changes
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (seats, assigned, type) = try known(ticketType, on: sailing, in: world)
        var events: [Event] = []
        for change in changes {
            switch change {
            case .label(let label) where label != type.label:
                events.append(.ticketTypeRelabelled(changed(label)))
            case .price(let price) where price != type.price:
                events.append(.ticketTypeRepriced(changed(price)))
            case .cap(let cap): events += try capped(cap, type, seats, at: now)
            case .inheritedCap:
                let types = world.look(at: BoatTerms.self, of: assigned.boat).ticketTypes
                let cap = types.first { $0.id == ticketType }?.cap ?? .shared
                events += try capped(cap, type, seats, at: now)
            case .label, .price: break
            }
        }
        return events
    }

    private func capped(
        _ cap: TicketType.Cap, _ type: TicketType, _ seats: SailingSeats, at now: Instant
    ) throws(Refusal) -> [Event] {
        guard cap != type.cap else { return [] }
        if case .fixed(let count) = cap {
            let used = seats.taken(of: ticketType, at: now)
            guard count >= used else {
                throw .capBelowUse(ticketType: ticketType, cap: count, used: used)
            }
        }
        return [.ticketTypeCapped(changed(cap))]
    }

    private func changed<Value>(_ value: Value) -> TicketTypeChanged<Value> {
        TicketTypeChanged(sailing: sailing, ticketType: ticketType, value: value)
    }
}

/// Takes a type off a sailing; refused while seats of it are sold or held, and for the last one.
public struct WithdrawTicketType: Command {
    public var sailing: SailingID
    public var ticketType: TicketTypeID

    public init(sailing: SailingID, ticketType: TicketTypeID) {
        self.sailing = sailing
        self.ticketType = ticketType
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (seats, _, _) = try known(ticketType, on: sailing, in: world)
        let used = seats.taken(of: ticketType, at: now)
        guard used == 0 else { throw .ticketTypeInUse(ticketType: ticketType, used: used) }
        guard seats.ticketTypes.count > 1 else {
            throw .invalid(field: "ticketType", reason: "is the last one of its sailing")
        }
        return [
            .ticketTypeWithdrawn(TicketTypeWithdrawn(sailing: sailing, ticketType: ticketType))
        ]
    }
}

private func known(
    _ id: TicketTypeID, on sailing: SailingID, in world: borrowing World
) throws(Refusal) -> (SailingSeats, BoatAssigned, TicketType) {
    let seats = world.look(at: SailingSeats.self, of: sailing)
    guard let assigned = seats.assigned else {
        throw .unknown(kind: "sailing", id: sailing.entity)
    }
    guard let type = seats.ticketType(id) else {
        throw .unknown(kind: "ticket type", id: id.entity)
    }
    return (seats, assigned, type)
}

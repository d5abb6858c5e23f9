/// What somebody wants of one sailing, beyond what he has of it: the seat decision, for a sale and for every
/// change of one.
struct SeatWish {
    var sailing: SailingID
    /// For each ticket type of which he wants more, how many.
    var more: [Portion<TicketTypeID>]
    /// Seats of other types that he gives back for them.
    var returned: Int

    /// Refuses more seats than there are; returns those beyond the operator's limit.
    func check(
        _ seats: SailingSeats, of assigned: BoatAssigned, mayOversell: Bool,
        in world: borrowing World, at now: Instant
    ) throws(Refusal) -> Int {
        let capacity = world.look(at: BoatTerms.self, of: assigned.boat).capacity
        let figures = seats.figures(capacity: capacity, at: now)
        let wanted = more.reduce(0) { $0 + $1.quantity }
        let used = figures.used - returned
        if mayOversell, used + wanted > capacity {
            throw .aboveCapacity(sailing: sailing, capacity: capacity, used: used, wanted: wanted)
        }
        let available = figures.available + returned
        let pool = mayOversell ? capacity - used : available
        for portion in more {
            let left = figures.available(of: portion.thing, from: pool)
            guard portion.quantity <= left else {
                throw .notEnoughSeats(
                    sailing: sailing, ticketType: portion.thing, available: left,
                    wanted: portion.quantity)
            }
        }
        guard wanted <= pool else {
            throw .notEnoughSeats(
                sailing: sailing, ticketType: nil, available: pool, wanted: wanted)
        }
        return max(0, wanted - available)
    }
}

extension [SeatLine] {
    /// How many of each ticket type the lines of a sailing have.
    func portions(on sailing: SailingID) -> [Portion<TicketTypeID>] {
        filter { $0.sailing == sailing }.map { Portion(of: $0.ticketType, quantity: $0.quantity) }
    }
}

extension Holdings {
    func seatCount(on sailing: SailingID) -> Int {
        seats.reduce(0) { $0 + ($1.sailing == sailing ? $1.quantity : 0) }
    }

    /// Seats of a sailing that are given back when `after` is held instead.
    public func seatsReturned(by after: Holdings, on sailing: SailingID) -> Int {
        max(0, seatCount(on: sailing) - after.seatCount(on: sailing))
    }
}

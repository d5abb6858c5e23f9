/// Whether all that an order holds could be sold now, to somebody whose hold is over.
func isFree(_ quote: Quote, in world: borrowing World, at now: Instant) -> Bool {
    for sailing in quote.sailings {
        guard isFree(quote.seats, on: sailing, in: world, at: now) else { return false }
    }
    for use in quote.codes {
        let uses = world.look(at: CodeUses.self, of: use.code.id)
        if let limit = uses.useLimit, uses.useCount(at: now) >= limit { return false }
    }
    do throws(Refusal) {
        try checkStock(of: quote.merchandise, beyond: [], in: world, at: now)
        return true
    } catch {
        return false
    }
}

private func isFree(
    _ lines: [SeatLine], on sailing: SailingID, in world: borrowing World, at now: Instant
) -> Bool {
    let seats = world.look(at: SailingSeats.self, of: sailing)
    guard let assigned = seats.assigned, !seats.isPaused,
        obstacle(to: .staff, selling: assigned, in: world, at: now) == nil
    else { return false }
    var wanted = Tally<TicketTypeID>()
    let portions = lines.portions(on: sailing)
    wanted.add(portions)
    let types = portions.map(\.thing).unique
    let wish = SeatWish(
        sailing: sailing, more: types.map { Portion(of: $0, quantity: wanted[$0]) }, returned: 0)
    do throws(Refusal) {
        return try wish.check(seats, of: assigned, mayOversell: false, in: world, at: now) == 0
    } catch {
        return false
    }
}

/// The boats of a trip: its sailings, in the order in which they were assigned.
public struct TripSailings: DecisionModel {
    public static let types: Set<EventType> = [.boatAssigned, .boatUnassigned]
    public private(set) var sailings: [SailingID] = []

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .boatAssigned(let fact): sailings.append(fact.sailing)
        case .boatUnassigned(let fact): sailings.removeAll { $0 == fact.sailing }
        default: break
        }
    }
}

/// How long seats are kept for one whose money came late, and who has to say whether he takes them.
let alternativeSpan = TimeSpan.days(1)

/// The same order on other boats of its trips, where its own have no seats left; nil when they have none
/// either, or would cost something else than what was paid.
func alternative(
    to placed: BookingPlaced, of life: BookingLife, in world: borrowing World, at now: Instant
) -> AlternativeOffered? {
    var draft = OrderDraft(life, placed, in: world)
    var checkIn = Instant(microseconds: .max)
    for line in placed.quote.lines {
        guard let trip = world.look(at: TripTerms.self, of: line.trip).scheduled else { return nil }
        checkIn = min(checkIn, trip.times.checkIn)
    }
    for sailing in placed.quote.sailings
    where !isFree(placed.quote.seats, on: sailing, in: world, at: now) {
        guard let moves = moves(of: placed.quote, from: sailing, in: world, at: now) else {
            return nil
        }
        do throws(Refusal) {
            for move in moves { try draft.apply(move, in: world) }
        } catch {
            return nil
        }
    }
    do throws(Refusal) {
        let quote = try draft.quote(instead: placed.quote, .kept, in: world, at: now)
        guard now < checkIn, quote != placed.quote, quote.total == placed.quote.total,
            isFree(quote, in: world, at: now)
        else { return nil }
        return AlternativeOffered(
            booking: placed.booking, mission: placed.mission, before: placed.quote.holdings,
            quote: quote, deadline: min(now + alternativeSpan, checkIn),
            wasHeld: life.status == .held)
    } catch {
        return nil
    }
}

/// How all passengers of one sailing could go with another boat of its trip that has seats of the same
/// types for them: of the same id, or the same label.
private func moves(
    of quote: Quote, from sailing: SailingID, in world: borrowing World, at now: Instant
) -> [OrderChange]? {
    let lines = quote.lines.filter { $0.sailing == sailing }
    guard let trip = lines.first?.trip else { return nil }
    for other in world.look(at: TripSailings.self, of: trip).sailings
    where other != sailing {
        let seats = world.look(at: SailingSeats.self, of: other)
        var moves: [OrderChange] = []
        var wanted: [SeatLine] = []
        for line in lines {
            let type =
                seats.ticketType(line.ticketType)
                ?? seats.ticketTypes.first { $0.label == line.label }
            guard let type else { break }
            let move = OrderChange.move(
                from: line.place, to: Place(sailing: other, ticketType: type.id), quantity: nil)
            // Lines of one place go together.
            if !moves.contains(move) { moves.append(move) }
            wanted.append(
                SeatLine(sailing: other, ticketType: type.id, quantity: line.quantity))
        }
        // What the order had there before is to be had there again.
        let all = wanted + quote.seats.filter { $0.sailing == other }
        if wanted.count == lines.count, isFree(all, on: other, in: world, at: now) {
            return moves
        }
    }
    return nil
}

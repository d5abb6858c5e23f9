/// Changes what a booking holds, through the same decisions as a sale: all of the changes, or none.
///
/// The price stays unless it is to be that of now; what is then too much or too little paid is shown
/// with the booking. Seats go to their places with their passengers' numbers, so that who is aboard
/// stays aboard.
public struct ChangeBooking: Command {
    public static let changeLimit = 20

    public var booking: BookingID
    public var changes: [OrderChange]
    public var pricing: ChangePricing
    /// Why it may go beyond the operator's limit; nil: it may not.
    public var oversaleReason: String?

    public init(
        booking: BookingID, changes: [OrderChange], pricing: ChangePricing = .kept,
        oversaleReason: String? = nil
    ) {
        self.booking = booking
        self.changes = changes
        self.pricing = pricing
        self.oversaleReason = oversaleReason
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        guard (0...Self.changeLimit).contains(changes.count) else {
            throw .invalid(field: "changes", reason: "must be at most \(Self.changeLimit)")
        }
        try changes.checkEachOnce()
        let (life, placed) = try changeable(booking, in: world, at: now)
        let draft = try draft(changes, of: life, placed, pricing, in: world)
        guard !draft.lines.isEmpty else {
            throw .invalid(field: "seats", reason: "must leave a seat: cancel the booking instead")
        }
        return try draft.events(
            of: life, placed, pricing, oversaleReason: oversaleReason, in: world, at: now)
    }
}

/// A booking that is held still, or sold, and whose trips are not over.
func changeable(
    _ booking: BookingID, in world: borrowing World, at now: Instant
) throws(Refusal) -> (life: BookingLife, placed: BookingPlaced) {
    let (life, placed) = try Domain.booking(booking, in: world)
    switch life.status {
    case .held: try checkHold(life, placed, in: world, at: now)
    case .confirmed, .checkedIn: break
    case .expired: throw .holdOver(deadline: life.deadline)
    case .completed, .abandoned, .cancelled:
        throw .notInThatState(status: life.status, wanted: "held or confirmed")
    }
    return (life, placed)
}

func draft(
    _ changes: [OrderChange], of life: BookingLife, _ placed: BookingPlaced,
    _ pricing: ChangePricing, in world: borrowing World
) throws(Refusal) -> OrderDraft {
    var draft = OrderDraft(life, placed, in: world)
    for change in changes { try draft.apply(change, in: world) }
    if draft.lines.isEmpty { return draft }
    try draft.followSeats(in: world)
    if pricing == .current { draft.reprice(in: world) }
    return draft
}

extension OrderDraft {
    /// The event by which a booking becomes this; none where nothing is different.
    func events(
        of life: BookingLife, _ placed: BookingPlaced, _ pricing: ChangePricing,
        oversaleReason: String? = nil, in world: borrowing World, at now: Instant
    ) throws(Refusal) -> [Event] {
        let quote = try quote(instead: placed.quote, pricing, in: world, at: now)
        guard quote != placed.quote else { return [] }
        let mission = try mission(in: world)
        let oversales = try checkSeats(
            placed, after: quote, mayOversell: oversaleReason != nil, in: world, at: now
        ).map { portion in
            Event.oversaleAuthorised(
                OversaleAuthorised(
                    sailing: portion.thing, booking: placed.booking, seatCount: portion.quantity,
                    reason: oversaleReason ?? ""))
        }
        try Domain.checkStock(
            of: quote.merchandise, beyond: placed.quote.merchandise, in: world, at: now)
        let changed = OrderChanged(
            booking: placed.booking, mission: mission, before: placed.quote.holdings, quote: quote,
            heldUntil: life.status == .held
                ? min(life.deadline, departure(of: quote, in: world)) : nil,
            isRepriced: pricing == .current)
        return oversales + [event(changed, before: placed.quote)]
    }

    /// The greatest of the changes gives the event its name.
    private func event(_ changed: OrderChanged, before: Quote) -> Event {
        var was: [Int: Quote.Line] = [:]
        for line in before.lines { for number in line.passengers { was[number] = line } }
        func differs(_ isOther: (Quote.Line, Quote.Line) -> Bool) -> Bool {
            changed.quote.lines.contains { line in
                line.passengers.contains { number in was[number].map { isOther($0, line) } ?? false
                }
            }
        }
        if differs({ $0.trip != $1.trip }) { return .bookingRescheduled(changed) }
        if differs({ $0.sailing != $1.sailing }) { return .passengersReassigned(changed) }
        if differs({ $0.ticketType != $1.ticketType }) { return .lineTicketTypeChanged(changed) }
        return .lineQuantityChanged(changed)
    }

    private func mission(in world: borrowing World) throws(Refusal) -> MissionID {
        let missions = lines.map(\.sailing).unique.compactMap {
            world.look(at: SailingSeats.self, of: $0).assigned?.mission
        }.unique
        guard let mission = missions.first, missions.count == 1 else { throw .severalMissions }
        return mission
    }

    /// Seats are sold to the booking where it has more of a type than before.
    private func checkSeats(
        _ placed: BookingPlaced, after: Quote, mayOversell: Bool, in world: borrowing World,
        at now: Instant
    ) throws(Refusal) -> [Portion<SailingID>] {
        guard after.seats.seatCount <= QuoteOrder.seatLimit else {
            throw .orderTooLarge(wanted: after.seats.seatCount, limit: QuoteOrder.seatLimit)
        }
        var oversold: [Portion<SailingID>] = []
        for sailing in after.sailings {
            var change = Tally<TicketTypeID>()
            change.add(after.seats.portions(on: sailing))
            change.remove(placed.quote.seats.portions(on: sailing))
            let types = (after.seats + placed.quote.seats).filter { $0.sailing == sailing }
                .map(\.ticketType).unique
            let more = types.filter { change[$0] > 0 }.map { Portion(of: $0, quantity: change[$0]) }
            guard !more.isEmpty else { continue }
            let seats = world.look(at: SailingSeats.self, of: sailing)
            guard let assigned = seats.assigned else {
                throw .unknown(kind: "sailing", id: sailing.entity)
            }
            try checkOnSale(assigned, seats, in: world, at: now)
            let returned = types.reduce(0) { $0 + max(0, -change[$1]) }
            let wish = SeatWish(sailing: sailing, more: more, returned: returned)
            let over = try wish.check(
                seats, of: assigned, mayOversell: mayOversell, in: world, at: now)
            if over > 0 { oversold.append(Portion(of: sailing, quantity: over)) }
        }
        return oversold
    }

    private func checkOnSale(
        _ assigned: BoatAssigned, _ seats: SailingSeats, in world: borrowing World,
        at now: Instant
    ) throws(Refusal) {
        let obstacle = obstacle(to: .staff, selling: assigned, in: world, at: now)
        if let obstacle { throw .notOnSale(trip: assigned.trip, because: obstacle) }
        if seats.isPaused { throw .salesPaused(sailing: assigned.sailing) }
    }

    // MARK: The price

    /// What the changed order comes to, with the tip and the codes that the booking had.
    func quote(
        instead before: Quote, _ pricing: ChangePricing, in world: borrowing World,
        at now: Instant
    ) throws(Refusal) -> Quote {
        var items: [Quote.Item] = []
        for line in lines {
            let there = jurisdiction(of: line)
            let tax = try tax(of: line.sailing, there, before, pricing, in: world, at: now)
            items.append(Quote.Item(line, jurisdiction: tax.jurisdiction, rate: tax.rate))
        }
        for goods in goods {
            guard let line = lines.first(where: { $0.trip == goods.trip }) else {
                throw .merchandiseWithoutSeats(offer: goods.offer, trip: goods.trip)
            }
            let there = jurisdiction(of: line)
            let tax = try tax(of: line.sailing, there, before, pricing, in: world, at: now)
            items.append(Quote.Item(goods, jurisdiction: tax.jurisdiction, rate: tax.rate))
        }
        if pricing == .current { discount(&items, by: before.codes, in: world) }
        let discount = items.reduce(Money.zero) { $0 + $1.discount }
        let codes = before.codes.map { use in
            CodeUse(code: use.code, discount: use.code.kind == .discount ? discount : use.discount)
        }
        let quote = Quote(discounted: items, codes: codes, tip: before.tip)
        try quote.checkTotal()
        return quote
    }

    /// The jurisdiction that taxes a sailing, at the rate that the customer bought at or that of now. At a price that is
    /// kept, tax is what it was `there` where the passengers were before: who is moved to a boat of another jurisdiction owes
    /// nothing for it.
    private func tax(
        of sailing: SailingID, _ there: JurisdictionID?, _ before: Quote,
        _ pricing: ChangePricing,
        in world: borrowing World, at now: Instant
    ) throws(Refusal) -> (jurisdiction: JurisdictionID, rate: BasisPoints) {
        guard let assigned = world.look(at: SailingSeats.self, of: sailing).assigned else {
            throw .unknown(kind: "sailing", id: sailing.entity)
        }
        let known = [there, assigned.jurisdiction].lazy.compactMap { place in
            before.taxes.first { $0.jurisdiction == place }
        }.first
        // Who is new is taxed where he goes.
        let isOld = there != nil && before.taxes.count == 1
        let bought = known ?? (isOld ? before.taxes.first : nil)
        if pricing == .kept, let bought { return (bought.jurisdiction, bought.rate) }
        let terms = world.look(at: JurisdictionTerms.self, of: assigned.jurisdiction)
        guard let rate = terms.rate(at: now) else {
            throw .unknown(kind: "tax rate", id: assigned.jurisdiction.entity)
        }
        return (assigned.jurisdiction, rate)
    }

    /// What the booking's discount code takes off at the prices of now. The booking has its use of it, so
    /// neither its dates nor its other uses count any more.
    private func discount(
        _ items: inout [Quote.Item], by codes: [CodeUse], in world: borrowing World
    ) {
        guard let use = codes.first(where: { $0.code.kind == .discount }),
            case .discount(let fact) = world.look(at: CodeUses.self, of: use.code.id).issued,
            items.reduce(0, { $0 + $1.amount.minorUnits }) >= fact.minimumOrder.minorUnits
        else { return }
        for index in items.indices {
            let trip = items[index].line?.trip ?? items[index].goods?.trip
            let scheduled = trip.flatMap { world.look(at: TripTerms.self, of: $0).scheduled }
            items[index].isDiscounted = scheduled.map { fact.scope.covers($0) } ?? false
        }
        let covered = items.filter(\.isDiscounted).reduce(Money.zero) { $0 + $1.amount }
        items.spread(fact.reduction.discount(on: covered))
    }
}

/// What somebody wants: seats of a type on a sailing, and the trip he saw it on.
public struct OrderLine: Hashable, Sendable {
    public var trip: TripID
    public var sailing: SailingID
    public var ticketType: TicketTypeID
    public var quantity: Int

    public init(trip: TripID, sailing: SailingID, ticketType: TicketTypeID, quantity: Int) {
        self.trip = trip
        self.sailing = sailing
        self.ticketType = ticketType
        self.quantity = quantity
    }
}

/// So many of what is offered with a trip.
public struct OrderedMerchandise: Hashable, Sendable {
    public var offer: OfferID
    public var quantity: Int

    public init(offer: OfferID, quantity: Int) {
        self.offer = offer
        self.quantity = quantity
    }
}

/// An order as it would be sold: calculated, and every rule looked at.
public struct QuoteOrder: Question {
    /// More seats than this in one order is a matter for the office.
    public static let seatLimit = 100
    public static let lineLimit = 20

    public var lines: [OrderLine]
    /// Sold with the seats of its trips only.
    public var merchandise: [OrderedMerchandise]
    public var tip: Money
    public var seller: Seller
    /// Codes that the customer typed in, of the kind that the name says.
    public var discountCode: SalesCode?
    public var accessCode: SalesCode?
    /// Whether seats may be sold beyond the operator's limit, though never beyond the boat's capacity.
    public var mayOversell: Bool

    public init(
        lines: [OrderLine], merchandise: [OrderedMerchandise] = [], tip: Money = .zero,
        seller: Seller, discountCode: SalesCode? = nil, accessCode: SalesCode? = nil,
        mayOversell: Bool = false
    ) {
        self.lines = lines
        self.merchandise = merchandise
        self.tip = tip
        self.seller = seller
        self.discountCode = discountCode
        self.accessCode = accessCode
        self.mayOversell = mayOversell
    }

    public func answer(in world: borrowing World, at now: Instant) throws(Refusal) -> QuotedOrder {
        try checkShape()
        var wanted: [Wanted] = []
        var oversold: [Portion<SailingID>] = []
        for sailing in lines.map(\.sailing).unique {
            let lines = lines.filter { $0.sailing == sailing }
            let (more, assigned, over) = try check(lines, on: sailing, in: world, at: now)
            if over > 0 { oversold.append(Portion(of: sailing, quantity: over)) }
            guard wanted.first.map({ $0.trip.mission == assigned.mission }) ?? true else {
                throw .severalMissions
            }
            wanted += more
        }
        guard let mission = wanted.first?.trip.mission else {
            throw .invalid(field: "lines", reason: "must not be empty")
        }
        for ordered in merchandise {
            wanted.append(try check(ordered, with: wanted, in: world, at: now))
        }
        let outcomes = [
            accessOutcome(of: wanted), discountOutcome(on: &wanted, in: world, at: now),
        ].compactMap { $0 }
        let quote = Quote(wanted.map(\.item), codes: outcomes.compactMap(\.use), tip: tip)
        try quote.checkTotal()
        return QuotedOrder(
            quote: quote, mission: mission, codes: outcomes, oversold: oversold)
    }

    /// A line that can be sold.
    private struct Wanted {
        var item: Quote.Item
        var trip: TripScheduled
        /// Whether only the access code opens the trip to this customer.
        var needsAccess: Bool
    }

    /// Looks at all that decides whether merchandise can be sold with these seats: it is taxed as the first
    /// of them on its trip.
    private func check(
        _ ordered: OrderedMerchandise, with seats: [Wanted], in world: borrowing World,
        at now: Instant
    ) throws(Refusal) -> Wanted {
        let goods = try Quote.Goods(ordered.offer, quantity: ordered.quantity, in: world)
        guard var wanted = seats.first(where: { $0.trip.trip == goods.trip }) else {
            throw .merchandiseWithoutSeats(offer: ordered.offer, trip: goods.trip)
        }
        // Two offers may be of one variation.
        let taken = seats.compactMap(\.item.goods).filter { $0.variation == goods.variation }
        let wish = StockWish(
            line: goods.line, others: taken.reduce(0) { $0 + $1.quantity })
        try wish.check(in: world, at: now)
        wanted.item = Quote.Item(
            goods, jurisdiction: wanted.item.jurisdiction, rate: wanted.item.rate)
        return wanted
    }

    private func checkShape() throws(Refusal) {
        guard (1...Self.lineLimit).contains(lines.count) else {
            throw .invalid(field: "lines", reason: "must be 1 to \(Self.lineLimit)")
        }
        guard (0...Money.minorUnitsLimit).contains(tip.minorUnits) else {
            throw .invalid(field: "tip", reason: "must be 0 to \(Money.minorUnitsLimit) cents")
        }
        var wanted = 0
        for (index, line) in lines.enumerated() {
            guard line.quantity >= 1 else {
                throw .invalid(field: "lines[\(index)].quantity", reason: "must be at least 1")
            }
            guard line.quantity <= Self.seatLimit else {
                throw .orderTooLarge(wanted: line.quantity, limit: Self.seatLimit)
            }
            wanted += line.quantity
            let isRepeated = lines[..<index].contains {
                $0.sailing == line.sailing && $0.ticketType == line.ticketType
            }
            if isRepeated {
                throw .invalid(field: "lines[\(index)]", reason: "repeats an earlier line")
            }
        }
        guard wanted <= Self.seatLimit else {
            throw .orderTooLarge(wanted: wanted, limit: Self.seatLimit)
        }
        try checkMerchandise()
    }

    private func checkMerchandise() throws(Refusal) {
        guard merchandise.count <= Self.lineLimit else {
            throw .invalid(field: "merchandise", reason: "must be at most \(Self.lineLimit)")
        }
        for (index, ordered) in merchandise.enumerated() {
            guard (1...Self.seatLimit).contains(ordered.quantity) else {
                throw .invalid(
                    field: "merchandise[\(index)].quantity",
                    reason: "must be 1 to \(Self.seatLimit)")
            }
            if merchandise[..<index].contains(where: { $0.offer == ordered.offer }) {
                throw .invalid(field: "merchandise[\(index)]", reason: "repeats an earlier one")
            }
        }
    }

    /// Looks at all that decides whether these lines of one sailing can be sold.
    private func check(
        _ lines: [OrderLine], on sailing: SailingID, in world: borrowing World, at now: Instant
    ) throws(Refusal) -> ([Wanted], BoatAssigned, oversold: Int) {
        let seats = world.look(at: SailingSeats.self, of: sailing)
        guard let assigned = seats.assigned else {
            throw .unknown(kind: "sailing", id: sailing.entity)
        }
        for line in lines where line.trip != assigned.trip {
            throw .sailingNotOfTrip(sailing: sailing, trip: line.trip)
        }
        for line in lines where seats.ticketType(line.ticketType) == nil {
            throw .unknown(kind: "ticket type", id: line.ticketType.entity)
        }
        let needsAccess = try checkSale(of: assigned, in: world, at: now)
        if seats.isPaused { throw .salesPaused(sailing: sailing) }
        let wish = SeatWish(
            sailing: sailing,
            more: lines.map { Portion(of: $0.ticketType, quantity: $0.quantity) }, returned: 0)
        let oversold = try wish.check(
            seats, of: assigned, mayOversell: mayOversell, in: world, at: now)
        let rate = world.look(at: JurisdictionTerms.self, of: assigned.jurisdiction).rate(at: now)
        let trip = world.look(at: TripTerms.self, of: assigned.trip).scheduled
        guard let trip else { throw .unknown(kind: "trip", id: assigned.trip.entity) }
        guard let rate else {
            throw .unknown(kind: "tax rate", id: assigned.jurisdiction.entity)
        }
        let wanted = lines.compactMap { line in
            seats.ticketType(line.ticketType).map { type in
                let item = Quote.Item(
                    Quote.Line(line, type), jurisdiction: assigned.jurisdiction, rate: rate)
                return Wanted(item: item, trip: trip, needsAccess: needsAccess)
            }
        }
        return (wanted, assigned, oversold)
    }

    /// Refuses when the trip is not sold to this seller; true when it is for the access code's sake.
    private func checkSale(
        of assigned: BoatAssigned, in world: borrowing World, at now: Instant
    ) throws(Refusal) -> Bool {
        let obstacle = obstacle(to: seller, selling: assigned, in: world, at: now)
        guard let obstacle else { return false }
        guard obstacle == .accessCodeNeeded, let accessCode else {
            throw .notOnSale(trip: assigned.trip, because: obstacle)
        }
        let uses = world.look(at: CodeUses.self, of: accessCode.id)
        if let obstacle = uses.obstacle(at: now) {
            throw .codeNotAccepted(accessCode, because: obstacle)
        }
        guard case .access(let fact) = uses.issued, fact.mission == assigned.mission else {
            throw .codeNotAccepted(accessCode, because: .otherTrips)
        }
        return true
    }

    private func accessOutcome(of wanted: [Wanted]) -> CodeOutcome? {
        accessCode.map { code in
            let isNeeded = wanted.contains { $0.needsAccess }
            return CodeOutcome(
                code: code, effect: isNeeded ? .admitted : .nothing(because: .notNeeded))
        }
    }

    /// What the discount code does; marks the lines that its discount is on.
    private func discountOutcome(
        on wanted: inout [Wanted], in world: borrowing World, at now: Instant
    ) -> CodeOutcome? {
        guard let discountCode else { return nil }
        func nothing(_ obstacle: CodeObstacle) -> CodeOutcome {
            CodeOutcome(code: discountCode, effect: .nothing(because: obstacle))
        }
        let uses = world.look(at: CodeUses.self, of: discountCode.id)
        if let obstacle = uses.obstacle(at: now) { return nothing(obstacle) }
        guard case .discount(let fact) = uses.issued else { return nothing(.unknown) }
        let subtotal = wanted.reduce(Money.zero) { $0 + $1.item.amount }
        guard subtotal.minorUnits >= fact.minimumOrder.minorUnits else {
            return nothing(.belowMinimum(minimum: fact.minimumOrder, subtotal: subtotal))
        }
        for index in wanted.indices {
            wanted[index].item.isDiscounted = fact.scope.covers(wanted[index].trip)
        }
        let covered = wanted.filter(\.item.isDiscounted)
        guard !covered.isEmpty else { return nothing(.otherTrips) }
        let discount = fact.reduction.discount(
            on: covered.reduce(.zero) { $0 + $1.item.amount })
        guard discount.minorUnits > 0 else { return nothing(.notNeeded) }
        return CodeOutcome(code: discountCode, effect: .discounted(discount))
    }
}

/// What an order would come to, and what its codes did.
public struct QuotedOrder: Hashable, Sendable {
    public var quote: Quote
    /// The mission that all its sailings belong to.
    public var mission: MissionID
    public var codes: [CodeOutcome]
    /// Seats beyond the operator's limits.
    var oversold: [Portion<SailingID>]
}

extension Quote.Line {
    init(_ line: OrderLine, _ type: TicketType) {
        self.init(
            trip: line.trip, sailing: line.sailing, ticketType: type.id, label: type.label,
            passengers: Array(1...line.quantity), unitPrice: type.price)
    }
}

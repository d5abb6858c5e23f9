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

/// How long seats are set aside, and how often that may be prolonged.
public struct HoldPolicy: Hashable, Sendable {
    public var span: TimeSpan
    public var extensionLimit: Int

    public init(span: TimeSpan = .minutes(10), extensionLimit: Int = 2) {
        self.span = span
        self.extensionLimit = extensionLimit
    }
}

/// An order as it would be sold: calculated, and every rule looked at.
public struct QuoteOrder: Question {
    /// More seats than this in one order is a matter for the office.
    public static let seatLimit = 100
    public static let lineLimit = 20

    public var lines: [OrderLine]
    public var tip: Money
    public var seller: Seller

    public init(lines: [OrderLine], tip: Money = .zero, seller: Seller) {
        self.lines = lines
        self.tip = tip
        self.seller = seller
    }

    public func answer(in world: borrowing World, at now: Instant) throws(Refusal) -> Quote {
        try quoted(in: world, at: now).quote
    }

    /// The quote, and the mission that all its sailings belong to.
    func quoted(
        in world: borrowing World, at now: Instant
    ) throws(Refusal) -> (quote: Quote, mission: MissionID) {
        try checkShape()
        var quoted: [(line: Quote.Line, jurisdiction: JurisdictionID, rate: BasisPoints)] = []
        var mission: MissionID?
        for sailing in lines.map(\.sailing).unique {
            let wanted = lines.filter { $0.sailing == sailing }
            let seats = world.look(at: SailingSeats.self, of: sailing)
            let assigned = try check(wanted, on: sailing, seats, in: world, at: now)
            guard mission ?? assigned.mission == assigned.mission else { throw .severalMissions }
            mission = assigned.mission
            let terms = world.look(at: JurisdictionTerms.self, of: assigned.jurisdiction)
            for line in wanted {
                guard let type = seats.ticketType(line.ticketType), let rate = terms.rate(at: now)
                else { throw .unknown(kind: "ticket type", id: line.ticketType.entity) }
                quoted.append((Quote.Line(line, type), assigned.jurisdiction, rate))
            }
        }
        guard let mission else { throw .invalid(field: "lines", reason: "must not be empty") }
        return (Quote(lines: quoted, tip: tip), mission)
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
    }

    /// Looks at all that decides whether these lines of one sailing can be sold.
    private func check(
        _ wanted: [OrderLine], on sailing: SailingID, _ seats: SailingSeats,
        in world: borrowing World, at now: Instant
    ) throws(Refusal) -> BoatAssigned {
        guard let assigned = seats.assigned else {
            throw .unknown(kind: "sailing", id: sailing.entity)
        }
        for line in wanted where line.trip != assigned.trip {
            throw .sailingNotOfTrip(sailing: sailing, trip: line.trip)
        }
        for line in wanted where seats.ticketType(line.ticketType) == nil {
            throw .unknown(kind: "ticket type", id: line.ticketType.entity)
        }
        let obstacle = obstacle(
            to: seller, selling: world.look(at: TripTerms.self, of: assigned.trip),
            of: world.look(at: MissionTerms.self, of: assigned.mission),
            watching: world.look(at: LaunchTerms.self, of: assigned.launch), at: now)
        if let obstacle { throw .notOnSale(trip: assigned.trip, because: obstacle) }
        if seats.isPaused { throw .salesPaused(sailing: sailing) }
        let capacity = world.look(at: BoatTerms.self, of: assigned.boat).capacity
        let figures = seats.figures(capacity: capacity, at: now)
        for line in wanted {
            let available = figures.available(of: line.ticketType)
            guard line.quantity <= available else {
                throw .notEnoughSeats(
                    sailing: sailing, ticketType: line.ticketType, available: available,
                    wanted: line.quantity)
            }
        }
        let wantedSeats = wanted.reduce(0) { $0 + $1.quantity }
        guard wantedSeats <= figures.available else {
            throw .notEnoughSeats(
                sailing: sailing, ticketType: nil, available: figures.available,
                wanted: wantedSeats)
        }
        return assigned
    }
}

/// Sets seats aside on all the sailings of an order, or on none.
public struct PlaceBooking: Command {
    public var booking: BookingID
    public var customer: CustomerID
    /// Drawn by the caller. Should it be taken, the append conflicts and the caller draws again.
    public var code: ConfirmationCode
    public var order: QuoteOrder
    /// The total that the customer was shown, if he named one.
    public var namedTotal: Money?
    public var contact: Sealed
    public var wantsUpdates: Bool
    public var policy: HoldPolicy

    public init(
        booking: BookingID, customer: CustomerID, code: ConfirmationCode, order: QuoteOrder,
        namedTotal: Money?, contact: Sealed, wantsUpdates: Bool, policy: HoldPolicy
    ) {
        self.booking = booking
        self.customer = customer
        self.code = code
        self.order = order
        self.namedTotal = namedTotal
        self.contact = contact
        self.wantsUpdates = wantsUpdates
        self.policy = policy
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (quote, mission) = try order.quoted(in: world, at: now)
        if let namedTotal, namedTotal != quote.total {
            throw .totalChanged(named: namedTotal, current: quote.total)
        }
        world.claim(code.entity, as: [.bookingPlaced])
        return [
            .bookingPlaced(
                BookingPlaced(
                    booking: booking, customer: customer, code: code, mission: mission,
                    quote: quote, deadline: now + policy.span, contact: contact,
                    wantsUpdates: wantsUpdates))
        ]
    }
}

extension Quote.Line {
    init(_ line: OrderLine, _ type: TicketType) {
        self.init(
            trip: line.trip, sailing: line.sailing, ticketType: type.id, label: type.label,
            quantity: line.quantity, unitPrice: type.price)
    }
}

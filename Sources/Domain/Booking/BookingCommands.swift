/// Looks up a booking that must be there.
func booking(
    _ id: BookingID, in world: borrowing World
) throws(Refusal) -> (life: BookingLife, placed: BookingPlaced) {
    let life = world.look(at: BookingLife.self, of: id)
    guard let placed = life.placed else { throw .unknown(kind: "booking", id: id.entity) }
    return (life, placed)
}

/// Refuses unless what a held booking holds is still set aside, on every sailing and of every code and thing.
///
/// It looks at the sailings and not only at the booking: should clocks differ and another process
/// have sold the seats as run out, the sailing is over its limit and the hold is over.
func checkHold(
    _ life: BookingLife, _ placed: BookingPlaced, in world: borrowing World, at now: Instant
) throws(Refusal) {
    for sailing in placed.quote.sailings {
        let seats = world.look(at: SailingSeats.self, of: sailing)
        guard let assigned = seats.assigned else {
            throw .unknown(kind: "sailing", id: sailing.entity)
        }
        let capacity = world.look(at: BoatTerms.self, of: assigned.boat).capacity
        guard seats.holds(placed.booking, at: now),
            !seats.isOversold(for: placed.booking, capacity: capacity, at: now)
        else { throw .holdOver(deadline: life.deadline) }
    }
    for use in placed.quote.codes {
        let uses = world.look(at: CodeUses.self, of: use.code.id)
        if uses.isOverused(for: placed.booking, at: now) {
            throw .holdOver(deadline: life.deadline)
        }
    }
    for line in placed.quote.holdings.merchandise {
        let stock = world.look(at: VariationStock.self, of: line.variation)
        let offer = world.look(at: OfferTerms.self, of: line.offer)
        guard !stock.isOverused(for: placed.booking, at: now),
            !offer.isOverused(for: placed.booking, at: now)
        else { throw .holdOver(deadline: life.deadline) }
    }
}

/// Whether what a held booking holds is still set aside.
func isHeld(
    _ life: BookingLife, _ placed: BookingPlaced, in world: borrowing World, at now: Instant
) -> Bool {
    do throws(Refusal) {
        try checkHold(life, placed, in: world, at: now)
        return true
    } catch {
        return false
    }
}

/// When the first trip of an order departs: from then on nothing of it is sold.
func departure(of quote: Quote, in world: borrowing World) -> Instant {
    quote.lines.map(\.trip).unique.reduce(Instant(microseconds: .max)) { first, trip in
        min(first, world.look(at: TripTerms.self, of: trip).scheduled?.times.departure ?? first)
    }
}

/// Gives a customer more time to pay, at most until the first of his trips departs.
public struct ExtendHold: Command {
    public var booking: BookingID
    public var policy: HoldPolicy

    public init(booking: BookingID, policy: HoldPolicy) {
        self.booking = booking
        self.policy = policy
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(booking, in: world)
        switch life.status {
        case .held: break
        case .expired: throw .holdOver(deadline: life.deadline)
        default: throw .notInThatState(status: life.status, wanted: "held")
        }
        try checkHold(life, placed, in: world, at: now)
        guard life.extensionCount < policy.extensionLimit else {
            throw .extensionLimitReached(limit: policy.extensionLimit)
        }
        let last = departure(of: placed.quote, in: world)
        let deadline = max(life.deadline, min(now + policy.span, last))
        guard deadline > life.deadline else {
            if deadline < last { return [] }
            throw .holdEndsAtDeparture(last)
        }
        return [
            .holdExtended(
                HoldExtended(
                    booking: booking, sailings: placed.quote.sailings,
                    codes: placed.quote.codes.map(\.code),
                    merchandise: placed.quote.holdings.merchandise, deadline: deadline))
        ]
    }
}

/// Sells what is held. Confirming again on the same basis changes nothing, but that staff takes what a
/// changed booking costs more.
///
/// What is paid with a card is confirmed by the provider's word, see ``HearFromProvider``.
public struct ConfirmBooking: Command {
    public enum Basis: String, Sendable, CaseIterable {
        case free
        /// Staff has taken what the booking costs.
        case paidAtTheDock = "paid_at_the_dock"
        /// The customer takes the seats that he was offered when his money came late.
        case alternativeTaken = "alternative_taken"
    }

    public var booking: BookingID
    public var basis: Basis
    /// How the money was taken at the dock, where that is said.
    public var means: PaymentMeans?

    public init(booking: BookingID, basis: Basis, means: PaymentMeans? = nil) {
        self.booking = booking
        self.basis = basis
        self.means = means
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(booking, in: world)
        switch life.status {
        case .held: break
        case .confirmed, .checkedIn, .completed: return balance(of: placed, in: world)
        case .expired: throw .holdOver(deadline: life.deadline)
        case .abandoned, .cancelled:
            throw .notInThatState(status: life.status, wanted: "held")
        }
        switch basis {
        case .free:
            guard placed.quote.total.minorUnits == 0 else {
                throw .paymentDue(total: placed.quote.total)
            }
        case .alternativeTaken:
            let due = world.look(at: BookingMoney.self, of: booking).due(for: placed.quote)
            guard due.minorUnits <= 0 else { throw .paymentDue(total: due) }
        case .paidAtTheDock: break
        }
        try checkHold(life, placed, in: world, at: now)
        switch basis {
        case .free: return [confirmed(placed, .free)]
        case .alternativeTaken: return [confirmed(placed, .paid)]
        case .paidAtTheDock:
            return balance(of: placed, in: world) + [confirmed(placed, .paidAtTheDock)]
        }
    }

    /// Staff has taken what the booking still costs.
    private func balance(of placed: BookingPlaced, in world: borrowing World) -> [Event] {
        guard basis == .paidAtTheDock else { return [] }
        let money = world.look(at: BookingMoney.self, of: booking)
        let due = money.due(for: placed.quote)
        guard due.minorUnits > 0 else { return [] }
        return [Domain.paidAtTheDock(due, by: means, for: booking, money)]
    }

    private func confirmed(_ placed: BookingPlaced, _ basis: ConfirmationBasis) -> Event {
        .bookingConfirmed(
            BookingConfirmed(booking: booking, holdings: placed.quote.holdings, basis: basis))
    }
}

/// The customer walks away from a hold. Only a hold can be abandoned.
public struct AbandonBooking: Command {
    public var booking: BookingID

    public init(booking: BookingID) {
        self.booking = booking
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(booking, in: world)
        switch life.status {
        case .held:
            let ended = HoldEnded(booking: booking, holdings: placed.quote.holdings)
            return [.bookingAbandoned(ended)] + lateMoneyBack(life, for: booking, in: world)
        case .abandoned, .expired: return []
        case .confirmed, .checkedIn, .completed, .cancelled:
            throw .notInThatState(status: life.status, wanted: "held")
        }
    }
}

/// Another command, for a booking of the version that its sender looked at; refused for any other.
///
/// One command and not two in one request: those are a batch of their own.
public struct ExpectVersion: Command {
    public var booking: BookingID
    public var version: Int64
    public var command: any Command

    public init(of booking: BookingID, _ version: Int64, for command: any Command) {
        self.booking = booking
        self.version = version
        self.command = command
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, _) = try Domain.booking(booking, in: world)
        guard life.version == version else {
            throw .versionMismatch(expected: version, current: life.version)
        }
        return try command.decide(in: world, at: now)
    }
}

/// Takes a booking back, whatever it was, unless its trips are over; what was paid for it goes back.
public struct CancelBooking: Command {
    public var booking: BookingID
    public var reason: String
    /// The version that the caller looked at; refused when the booking has moved on since.
    public var version: Int64
    /// A customer gets his money back until the mission's cutoff only, and not for what he has in his hands; staff
    /// gives back all of it.
    public var seller: Seller

    public init(booking: BookingID, reason: String, version: Int64, seller: Seller = .staff) {
        self.booking = booking
        self.reason = reason
        self.version = version
        self.seller = seller
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(booking, in: world)
        if life.status == .cancelled { return [] }
        guard life.version == version else {
            throw .versionMismatch(expected: version, current: life.version)
        }
        let holdings: Holdings
        switch life.status {
        case .held, .confirmed, .checkedIn: holdings = life.returnable
        case .expired, .abandoned: holdings = .none
        case .completed, .cancelled:
            throw .notInThatState(status: life.status, wanted: "not completed")
        }
        if seller == .public {
            guard life.aboard.isEmpty else {
                throw .passengersAboard(aboard: life.aboard.count, wanted: 0)
            }
            try life.checkHandedOver()
        }
        let money = world.look(at: BookingMoney.self, of: booking)
        var isPastCutoff = false
        if money.kept.minorUnits > 0 {
            isPastCutoff = try checkCutoff(placed, for: seller, in: world, at: now)
        }
        return [
            .bookingCancelled(
                BookingCancelled(
                    booking: booking, holdings: holdings, wasHeld: life.status == .held,
                    reason: reason))
        ]
            + money.refundingAll(
                of: booking, .cancelled, reason: reason, by: seller, isPastCutoff: isPastCutoff)
    }
}

/// Records that a hold has run out; the seats were free from its deadline on.
public struct ExpireHold: Command {
    public var booking: BookingID

    public init(booking: BookingID) {
        self.booking = booking
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(booking, in: world)
        guard life.status == .held else { return [] }
        guard now >= life.deadline else { throw .holdNotOver(deadline: life.deadline) }
        let ended = HoldEnded(booking: booking, holdings: placed.quote.holdings)
        return [.holdExpired(ended)] + lateMoneyBack(life, for: booking, in: world)
    }
}

/// What was paid for seats that the customer did not take goes back.
private func lateMoneyBack(
    _ life: BookingLife, for booking: BookingID, in world: borrowing World
) -> [Event] {
    guard life.wasCharged else { return [] }
    return world.look(at: BookingMoney.self, of: booking).refundingAll(
        of: booking, .paidTooLate, reason: "", by: .public)
}

/// Records that all trips of a sold booking have departed.
public struct CompleteBooking: Command {
    public var booking: BookingID

    public init(booking: BookingID) {
        self.booking = booking
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(booking, in: world)
        switch life.status {
        case .confirmed, .checkedIn: break
        case .completed: return []
        case .held, .expired, .abandoned, .cancelled:
            throw .notInThatState(status: life.status, wanted: "confirmed")
        }
        for trip in Set(placed.quote.lines.map(\.trip)) {
            guard let times = world.look(at: TripTerms.self, of: trip).scheduled?.times else {
                throw .unknown(kind: "trip", id: trip.entity)
            }
            guard now >= times.departure else {
                throw .tripNotDeparted(departure: times.departure)
            }
        }
        return [
            .bookingCompleted(
                BookingCompleted(booking: booking, sailings: placed.quote.sailings))
        ]
    }
}

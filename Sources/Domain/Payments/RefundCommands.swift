/// Gives money back as goodwill: no seat comes back with it.
public struct RefundGoodwill: Command {
    public var booking: BookingID
    public var amount: Money
    public var reason: String

    public init(booking: BookingID, amount: Money, reason: String) {
        self.booking = booking
        self.amount = amount
        self.reason = reason
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        _ = try Domain.booking(booking, in: world)
        let money = world.look(at: BookingMoney.self, of: booking)
        guard amount.minorUnits > 0 else {
            throw .invalid(field: "amount", reason: "must be more than nothing")
        }
        guard amount.minorUnits <= money.kept.minorUnits else {
            throw .refundTooLarge(wanted: amount, refundable: money.kept)
        }
        return money.refunding(amount, of: booking, .goodwill, reason: reason, by: .staff)
    }
}

/// Records that money which was paid at the dock, and which its customer asked for by himself, is in his hands. Once
/// more changes nothing.
public struct HandOutRefund: Command {
    public var booking: BookingID
    public var refund: RefundID

    public init(booking: BookingID, refund: RefundID) {
        self.booking = booking
        self.refund = refund
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        _ = try Domain.booking(booking, in: world)
        let money = world.look(at: BookingMoney.self, of: booking)
        guard let known = money.refunds[refund] else {
            throw .unknown(kind: "refund", id: refund.entity)
        }
        guard money.payments[known.payment]?.provider == .dock else {
            throw .invalid(field: "refund", reason: "is made by who took the card, who says when")
        }
        guard known.state == .requested else { return [] }
        return [.refundSucceeded(known.success(refund, of: booking))]
    }
}

/// Gives back what was paid for lines of a booking, with their seats and their merchandise. A booking of
/// which nothing is left is cancelled. Without lines: what was paid too much for it.
///
/// Never more than was paid. Merchandise that is named and was handed over has been brought back; with the last seats
/// all of it must have been.
public struct RefundLines: Command {
    public enum Line: Hashable, Sendable {
        /// So many seats; nil: all of the place.
        case seats(Place, quantity: Int?)
        case merchandise(OfferID, quantity: Int?)
    }

    public var booking: BookingID
    public var lines: [Line]
    public var reason: String
    public var seller: Seller

    public init(booking: BookingID, lines: [Line], reason: String, seller: Seller) {
        self.booking = booking
        self.lines = lines
        self.reason = reason
        self.seller = seller
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        guard lines.count <= ChangeBooking.changeLimit else {
            throw .invalid(field: "lines", reason: "must be at most \(ChangeBooking.changeLimit)")
        }
        let (life, placed) = try Domain.booking(booking, in: world)
        switch life.status {
        case .confirmed, .checkedIn: break
        // What was paid too much is so also when the trip is over.
        case .completed where lines.isEmpty: break
        case .held, .completed, .expired, .abandoned, .cancelled:
            throw .notInThatState(status: life.status, wanted: "confirmed")
        }
        let money = world.look(at: BookingMoney.self, of: booking)
        let isPastCutoff = try checkCutoff(placed, for: seller, in: world, at: now)
        let changes = try changes(of: placed.quote)
        try changes.checkEachOnce()
        let draft = try draft(changes, of: life, placed, .kept, in: world)
        // What a customer says that he has brought back nobody has seen.
        if seller == .public { try life.checkKept(by: draft) }
        if draft.lines.isEmpty, !changes.isEmpty {
            try life.checkHandedOver(broughtBack: seller == .staff ? broughtBack : [:])
            return [
                .bookingCancelled(
                    BookingCancelled(
                        booking: booking, holdings: placed.quote.holdings, wasHeld: false,
                        reason: reason))
            ]
                + money.refundingAll(
                    of: booking, .cancelled, reason: reason, by: seller,
                    isPastCutoff: isPastCutoff)
        }
        let events = try draft.events(of: life, placed, .kept, in: world, at: now)
        let total = events.last.flatMap(\.changedTotal) ?? placed.quote.total
        let back = min((money.paid - total).minorUnits, money.kept.minorUnits)
        return events
            + money.refunding(
                Money(minorUnits: max(0, back), currency: total.currency), of: booking, .overpaid,
                reason: reason, by: seller, isPastCutoff: isPastCutoff)
    }

    /// Merchandise that is named: what was handed over of so many has been brought back.
    private var broughtBack: [OfferID: Int] {
        var counts: [OfferID: Int] = [:]
        for line in lines {
            if case .merchandise(let offer, let quantity) = line {
                counts[offer] = quantity ?? QuoteOrder.seatLimit
            }
        }
        return counts
    }

    /// What is left of each line. Merchandise goes with the last seats of its trip only where it is named.
    private func changes(of quote: Quote) throws(Refusal) -> [OrderChange] {
        var changes: [OrderChange] = []
        var (seats, things) = (0, 0)
        for line in lines {
            switch line {
            case .seats(let place, let quantity):
                let count = quote.lines.reduce(0) { $0 + ($1.place == place ? $1.quantity : 0) }
                let left = try left(
                    of: count, less: quantity, place.ticketType.entity, "seats[\(seats)]")
                seats += 1
                changes.append(.seats(place, quantity: left))
            case .merchandise(let offer, let quantity):
                let count = quote.merchandise.first { $0.offer == offer }?.quantity ?? 0
                let left = try left(
                    of: count, less: quantity, offer.entity, "merchandise[\(things)]")
                things += 1
                changes.append(.merchandise(offer, quantity: left))
            }
        }
        return changes
    }

    private func left(
        of count: Int, less quantity: Int?, _ entity: EntityID, _ line: String
    ) throws(Refusal) -> Int {
        guard count > 0 else { throw .unknown(kind: "line", id: entity) }
        guard (1...count).contains(quantity ?? count) else {
            throw .invalid(field: "\(line).quantity", reason: "must be 1 to \(count)")
        }
        return count - (quantity ?? count)
    }
}

extension Event {
    fileprivate var changedTotal: Money? {
        if case .lineQuantityChanged(let fact) = self { fact.quote.total } else { nil }
    }
}

/// Refuses a customer who comes after the cutoff of his mission, counted from his first departure; true
/// where staff goes past it.
func checkCutoff(
    _ placed: BookingPlaced, for seller: Seller, in world: borrowing World, at now: Instant
) throws(Refusal) -> Bool {
    let hours = world.look(at: MissionTerms.self, of: placed.mission).planned?.refundCutoffHours
    let cutoff = departure(of: placed.quote, in: world) - .hours(hours ?? 0)
    if now < cutoff { return false }
    guard seller == .staff else { throw .refundCutoffPassed(cutoff: cutoff) }
    return true
}

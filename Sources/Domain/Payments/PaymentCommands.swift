/// Asks a customer to pay what he holds. The same payment once more changes nothing.
public struct StartPayment: Command {
    /// Payments that may be begun for one booking.
    public static let countLimit = 20

    public var payment: PaymentID
    public var booking: BookingID
    public var provider: ProviderKind

    public init(payment: PaymentID, booking: BookingID, provider: ProviderKind) {
        self.payment = payment
        self.booking = booking
        self.provider = provider
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(booking, in: world)
        let money = world.look(at: BookingMoney.self, of: booking)
        if money.payments[payment] != nil { return [] }
        switch life.status {
        case .held: break
        case .expired: throw .holdOver(deadline: life.deadline)
        case .confirmed, .checkedIn, .completed, .abandoned, .cancelled:
            throw .notInThatState(status: life.status, wanted: "held")
        }
        try checkHold(life, placed, in: world, at: now)
        guard placed.quote.total.minorUnits > 0 else { throw .nothingDue }
        guard money.payments.count < Self.countLimit else {
            throw .tooManyPayments(limit: Self.countLimit)
        }
        return [
            .paymentStarted(
                PaymentStarted(
                    payment: payment, booking: booking, amount: placed.quote.total,
                    provider: provider))
        ]
    }
}

/// What a provider says has become of a payment or a refund. Providers say things late, twice and out
/// of order: what is known already changes nothing.
public struct HearFromProvider: Command {
    public enum Message: Hashable, Sendable {
        case declined(reason: String)
        case succeeded(Money)
        case disputed(Money)
        case refundSucceeded(RefundID)
        case refundFailed(RefundID, reason: String)
    }

    /// Attempts to give the same money back; after them the office has to look.
    public static let refundAttemptLimit = 10

    public var payment: PaymentID
    public var message: Message

    public init(payment: PaymentID, message: Message) {
        self.payment = payment
        self.message = message
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        guard let started = world.look(at: PaymentTerms.self, of: payment).started else {
            throw .unknown(kind: "payment", id: payment.entity)
        }
        let money = world.look(at: BookingMoney.self, of: started.booking)
        switch message {
        case .declined(let reason):
            if case .charged = money.payments[payment]?.state { return [] }
            return [
                .paymentDeclined(
                    PaymentDeclined(payment: payment, booking: started.booking, reason: reason))
            ]
        case .succeeded(let amount):
            if case .charged = money.payments[payment]?.state { return [] }
            return try received(started.charge(amount), money, in: world, at: now)
        case .disputed(let amount):
            if money.payments[payment]?.isDisputed == true { return [] }
            return [.chargeDisputed(started.charge(amount))]
        case .refundSucceeded(let id): return try refunded(id, money, started)
        case .refundFailed(let id, let reason): return try failed(id, reason, money, started)
        }
    }

    /// Money has come: for seats that are held, or free again, or it goes back at once.
    private func received(
        _ charge: ChargeMade, _ money: BookingMoney, in world: borrowing World, at now: Instant
    ) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(charge.booking, in: world)
        func back(_ cause: RefundCause) -> Event {
            .refundRequested(charge.refund(money.nextRefund(of: payment), charge.amount, cause))
        }
        let confirmed = Event.bookingConfirmed(
            BookingConfirmed(
                booking: charge.booking, holdings: placed.quote.holdings, basis: .paid,
                wasHeld: life.status == .held))
        switch life.status {
        case .confirmed, .checkedIn, .completed:
            return [.paymentSucceeded(charge), back(.notDue)]
        case .cancelled: return [.paymentArrivedLate(charge), back(.paidTooLate)]
        case .held, .expired, .abandoned: break
        }
        if life.status == .held, isHeld(life, placed, in: world, at: now) {
            guard charge.amount == placed.quote.total else {
                return [.paymentSucceeded(charge), back(.notDue)]
            }
            return [.paymentSucceeded(charge), confirmed]
        }
        guard charge.amount == placed.quote.total, isFree(placed, in: world, at: now) else {
            return [.paymentArrivedLate(charge), back(.paidTooLate)]
        }
        return [.paymentArrivedLate(charge), confirmed]
    }

    private func refunded(
        _ id: RefundID, _ money: BookingMoney, _ started: PaymentStarted
    ) throws(Refusal) -> [Event] {
        guard let known = money.refunds[id], known.payment == payment else {
            throw .unknown(kind: "refund", id: id.entity)
        }
        guard known.state == .requested else { return [] }
        return [
            .refundSucceeded(
                RefundSucceeded(
                    refund: id, payment: payment, booking: started.booking, amount: known.amount))
        ]
    }

    /// Tries again at once, under a new id.
    private func failed(
        _ id: RefundID, _ reason: String, _ money: BookingMoney, _ started: PaymentStarted
    ) throws(Refusal) -> [Event] {
        guard let known = money.refunds[id], known.payment == payment else {
            throw .unknown(kind: "refund", id: id.entity)
        }
        guard known.state == .requested else { return [] }
        let failed = Event.refundFailed(
            RefundFailed(
                refund: id, payment: payment, booking: started.booking, amount: known.amount,
                reason: reason))
        guard money.failedRefundCount + 1 < Self.refundAttemptLimit else { return [failed] }
        return [failed]
            + money.refunding(known.amount, of: payment, started.booking, .again, reason: "")
    }
}

/// Whether all that a booking needs could be sold now, to somebody whose hold is over.
private func isFree(
    _ placed: BookingPlaced, in world: borrowing World, at now: Instant
) -> Bool {
    for trip in placed.quote.lines.map(\.trip).unique {
        guard let times = world.look(at: TripTerms.self, of: trip).scheduled?.times,
            now < times.departure
        else { return false }
    }
    let holdings = placed.quote.holdings
    for sailing in holdings.seats.sailings {
        let seats = world.look(at: SailingSeats.self, of: sailing)
        guard let assigned = seats.assigned else { return false }
        let capacity = world.look(at: BoatTerms.self, of: assigned.boat).capacity
        let figures = seats.figures(capacity: capacity, at: now)
        let wanted = holdings.seats.filter { $0.sailing == sailing }
        guard wanted.seatCount <= figures.available,
            wanted.allSatisfy({ $0.quantity <= figures.available(of: $0.ticketType) })
        else { return false }
    }
    for use in holdings.codes {
        let uses = world.look(at: CodeUses.self, of: use.code.id)
        if let limit = uses.useLimit, uses.useCount(at: now) >= limit { return false }
    }
    return holdings.merchandise.allSatisfy { line in
        let ofVariation = holdings.merchandise.filter { $0.variation == line.variation }
        let stock = world.look(at: VariationStock.self, of: line.variation).available(at: now)
        let allotment = world.look(at: OfferTerms.self, of: line.offer).available(at: now)
        return ofVariation.reduce(0) { $0 + $1.quantity } <= stock
            && line.quantity <= allotment ?? line.quantity
    }
}

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
        let payment = money.charged.first {
            money.refundable(of: $0).minorUnits >= amount.minorUnits
        }
        guard let payment else {
            let most = money.charged.map { money.refundable(of: $0).minorUnits }.max() ?? 0
            throw .refundTooLarge(wanted: amount, refundable: Money(minorUnits: most))
        }
        return money.refunding(amount, of: payment, booking, .goodwill, reason: reason)
    }
}

extension BookingMoney {
    /// The events by which money of a payment goes back; what was paid at the dock is handed out there.
    func refunding(
        _ amount: Money, of payment: PaymentID, _ booking: BookingID, _ cause: RefundCause,
        reason: String
    ) -> [Event] {
        guard let known = payments[payment], amount.minorUnits > 0 else { return [] }
        let charge = ChargeMade(
            payment: payment, booking: booking, amount: known.amount, provider: known.provider)
        var fact = charge.refund(nextRefund(of: payment), amount, cause)
        fact.reason = reason
        let requested = Event.refundRequested(fact)
        switch known.provider {
        case .sandbox: return [requested]
        case .dock:
            let done = RefundSucceeded(
                refund: fact.refund, payment: payment, booking: booking, amount: amount)
            return [requested, .refundSucceeded(done)]
        }
    }

    /// The events by which all that is kept for a booking goes back.
    func refundingAll(of booking: BookingID, _ cause: RefundCause, reason: String) -> [Event] {
        charged.flatMap { payment in
            refunding(refundable(of: payment), of: payment, booking, cause, reason: reason)
        }
    }

    /// An id for the next refund of a payment: derived from its id, so that decisions stay pure.
    fileprivate func nextRefund(of payment: PaymentID) -> RefundID {
        let number = refunds.values.count { $0.payment == payment } + 1
        return RefundID(payment.entity.derived(number))
    }
}

/// Takes money at the dock for what a booking still costs.
func paidAtTheDock(
    _ due: Money, for booking: BookingID, _ money: BookingMoney
) -> Event {
    .paymentSucceeded(
        ChargeMade(
            payment: PaymentID(booking.entity.derived(money.payments.count + 1)),
            booking: booking, amount: due, provider: .dock))
}

extension EntityID {
    /// The id of the entity that comes of this one as number `number`, from 1.
    fileprivate func derived(_ number: Int) -> EntityID {
        EntityID(customHigh: high, low: low &+ UInt64(number))
    }
}

extension PaymentStarted {
    fileprivate func charge(_ amount: Money) -> ChargeMade {
        ChargeMade(payment: payment, booking: booking, amount: amount, provider: provider)
    }
}

extension ChargeMade {
    fileprivate func refund(
        _ refund: RefundID, _ amount: Money, _ cause: RefundCause
    ) -> RefundRequested {
        RefundRequested(
            refund: refund, payment: payment, booking: booking, amount: amount, provider: provider,
            cause: cause, reason: "")
    }
}

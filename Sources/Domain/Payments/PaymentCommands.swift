/// Asks a customer to pay what he holds, or what a changed booking costs more. The same payment once more changes nothing.
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
        case .held: try checkHold(life, placed, in: world, at: now)
        case .confirmed, .checkedIn, .completed: break
        case .expired: throw .holdOver(deadline: life.deadline)
        case .abandoned, .cancelled:
            throw .notInThatState(status: life.status, wanted: "held or confirmed")
        }
        let due = money.due(for: placed.quote)
        guard due.minorUnits > 0 else { throw .nothingDue }
        guard money.payments.count < Self.countLimit else {
            throw .tooManyPayments(limit: Self.countLimit)
        }
        return [
            .paymentStarted(
                PaymentStarted(
                    payment: payment, booking: booking, amount: due, provider: provider))
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
            if money.payments[payment]?.disputed != nil { return [] }
            return [.chargeDisputed(started.charge(amount))]
        case .refundSucceeded(let id): return try refunded(id, money, started)
        case .refundFailed(let id, let reason):
            return try failed(id, reason, money, started, at: now)
        }
    }

    /// Money has come: for seats that are held, or free again, or for others of the trip; or it goes back
    /// at once.
    private func received(
        _ charge: ChargeMade, _ money: BookingMoney, in world: borrowing World, at now: Instant
    ) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(charge.booking, in: world)
        // What the customer's bank holds is not given back as well.
        let disputed = money.payments[payment]?.disputed ?? .zero
        let free = Money(
            minorUnits: max(0, (charge.amount - disputed).minorUnits),
            currency: charge.amount.currency)
        func back(_ cause: RefundCause) -> [Event] {
            guard free.minorUnits > 0 else { return [] }
            return [.refundRequested(charge.refund(money.nextRefund(of: payment), free, cause))]
        }
        let confirmed = Event.bookingConfirmed(
            BookingConfirmed(
                booking: charge.booking, holdings: placed.quote.holdings, basis: .paid,
                wasHeld: life.status == .held))
        let due = money.due(for: placed.quote)
        switch life.status {
        case .confirmed, .checkedIn, .completed:
            let isDue = charge.amount.minorUnits <= due.minorUnits
            return isDue
                ? [.paymentSucceeded(charge)] : [.paymentSucceeded(charge)] + back(.notDue)
        case .cancelled: return [.paymentArrivedLate(charge)] + back(.paidTooLate)
        case .held, .expired, .abandoned: break
        }
        if life.status == .held, isHeld(life, placed, in: world, at: now) {
            guard charge.amount == due else {
                return [.paymentSucceeded(charge)] + back(.notDue)
            }
            return [.paymentSucceeded(charge), confirmed]
        }
        guard charge.amount == due else {
            return [.paymentArrivedLate(charge)] + back(.paidTooLate)
        }
        if isFree(placed.quote, in: world, at: now) {
            return [.paymentArrivedLate(charge), confirmed]
        }
        if let offered = alternative(to: placed, of: life, in: world, at: now) {
            return [.paymentArrivedLate(charge), .alternativeOffered(offered)]
        }
        return [.paymentArrivedLate(charge)] + back(.paidTooLate)
    }

    private func refunded(
        _ id: RefundID, _ money: BookingMoney, _ started: PaymentStarted
    ) throws(Refusal) -> [Event] {
        guard let known = money.refunds[id], known.payment == payment else {
            throw .unknown(kind: "refund", id: id.entity)
        }
        guard known.state == .requested else { return [] }
        return [.refundSucceeded(known.success(id, of: started.booking))]
    }

    /// Tries again at once, under a new id; also what was said to have arrived, and came back after all.
    private func failed(
        _ id: RefundID, _ reason: String, _ money: BookingMoney, _ started: PaymentStarted,
        at now: Instant
    ) throws(Refusal) -> [Event] {
        guard let known = money.refunds[id], known.payment == payment else {
            throw .unknown(kind: "refund", id: id.entity)
        }
        guard known.state != .failed else { return [] }
        let failed = Event.refundFailed(
            RefundFailed(
                refund: id, payment: payment, booking: started.booking, amount: known.amount,
                reason: reason, hadSucceeded: known.state == .succeeded))
        guard money.failedRefundCount + 1 < Self.refundAttemptLimit else { return [failed] }
        var after = money
        after.evolve(RecordedEvent(position: 0, recordedAt: now, event: failed))
        // Meanwhile the customer may have gone to his bank.
        let left = min(
            known.amount.minorUnits, after.refundable(of: payment).minorUnits)
        return [failed]
            + after.refunding(
                Money(minorUnits: left, currency: known.amount.currency), of: payment,
                started.booking, .again, reason: "", by: .public,
                isGoodwill: known.isGoodwill)
    }
}

extension BookingMoney {
    /// The events by which money of a payment goes back. What was paid at the dock is handed out there: by staff as it
    /// says so, and to somebody who is not at the dock later, see ``HandOutRefund``.
    fileprivate func refunding(
        _ amount: Money, of payment: PaymentID, _ booking: BookingID, _ cause: RefundCause,
        reason: String, by seller: Seller, isGoodwill: Bool? = nil, isPastCutoff: Bool = false
    ) -> [Event] {
        guard let known = payments[payment], amount.minorUnits > 0 else { return [] }
        let charge = ChargeMade(
            payment: payment, booking: booking, amount: known.amount, provider: known.provider)
        var fact = charge.refund(nextRefund(of: payment), amount, cause)
        fact.reason = reason
        fact.isGoodwill = isGoodwill ?? (cause == .goodwill)
        fact.isPastCutoff = isPastCutoff
        let requested = Event.refundRequested(fact)
        guard known.provider == .dock, seller == .staff else { return [requested] }
        let done = RefundSucceeded(
            refund: fact.refund, payment: payment, booking: booking, amount: amount)
        return [requested, .refundSucceeded(done)]
    }

    /// The events by which so much goes back, of the payments that came first first.
    func refunding(
        _ amount: Money, of booking: BookingID, _ cause: RefundCause, reason: String,
        by seller: Seller, isPastCutoff: Bool = false
    ) -> [Event] {
        var left = amount
        return charged.flatMap { payment in
            let part = min(left.minorUnits, refundable(of: payment).minorUnits)
            let money = Money(minorUnits: part, currency: amount.currency)
            left = left - money
            return refunding(
                money, of: payment, booking, cause, reason: reason, by: seller,
                isPastCutoff: isPastCutoff)
        }
    }

    /// The same with all that is kept for a booking.
    func refundingAll(
        of booking: BookingID, _ cause: RefundCause, reason: String, by seller: Seller,
        isPastCutoff: Bool = false
    ) -> [Event] {
        refunding(
            kept, of: booking, cause, reason: reason, by: seller, isPastCutoff: isPastCutoff)
    }

    /// What is still to be paid for a booking; negative: what is paid too much.
    public func due(for quote: Quote) -> Money { Quote.chargeable(quote.total - paid) }

    /// An id for the next refund of a payment: derived from its id, so that decisions stay pure.
    fileprivate func nextRefund(of payment: PaymentID) -> RefundID {
        let number = refunds.values.count { $0.payment == payment } + 1
        return RefundID(payment.entity.refund(number))
    }
}

/// Takes money at the dock for what a booking still costs.
func paidAtTheDock(
    _ due: Money, by means: PaymentMeans?, for booking: BookingID, _ money: BookingMoney
) -> Event {
    .paymentSucceeded(
        ChargeMade(
            payment: PaymentID(booking.entity.payment(money.payments.count + 1)),
            booking: booking, amount: due, provider: .dock, means: means))
}

extension EntityID {
    /// The id of a booking's payment at the dock, number `number` of its payments.
    fileprivate func payment(_ number: Int) -> EntityID {
        EntityID(customHigh: high, low: low &+ UInt64(number))
    }

    /// The id of a payment's refund, number `number` of them: far from the payments of the same booking,
    /// whose ids follow one on another.
    fileprivate func refund(_ number: Int) -> EntityID {
        EntityID(customHigh: high, low: low &+ UInt64(number) << 32)
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

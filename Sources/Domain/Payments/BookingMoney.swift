/// Which booking a payment is for.
public struct PaymentTerms: DecisionModel {
    public static let types: Set<EventType> = [.paymentStarted]
    public private(set) var started: PaymentStarted?

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        if case .paymentStarted(let fact) = recorded.event { started = fact }
    }
}

/// All money that was ever moved for one booking, each payment and refund in one named state.
public struct BookingMoney: DecisionModel {
    public static let types: Set<EventType> = [
        .paymentStarted, .paymentDeclined, .paymentSucceeded, .paymentArrivedLate,
        .refundRequested, .refundSucceeded, .refundFailed, .chargeDisputed,
    ]

    public enum PaymentState: Hashable, Sendable {
        case started
        case declined
        case charged(Money)
    }

    public enum RefundState: Hashable, Sendable {
        case requested
        case succeeded
        case failed
    }

    public struct Payment: Hashable, Sendable {
        public var amount: Money
        public var provider: ProviderKind
        public var state: PaymentState
        /// What the customer's bank holds, or has taken back.
        public var disputed: Money?
    }

    public struct Refund: Hashable, Sendable {
        public var payment: PaymentID
        public var amount: Money
        public var state: RefundState
        /// It lowers what is kept, and not what was paid for the booking.
        public var isGoodwill: Bool

        func success(_ id: RefundID, of booking: BookingID) -> RefundSucceeded {
            RefundSucceeded(refund: id, payment: payment, booking: booking, amount: amount)
        }
    }

    public private(set) var payments: [PaymentID: Payment] = [:]
    public private(set) var refunds: [RefundID: Refund] = [:]
    /// In the order in which they were charged.
    public private(set) var charged: [PaymentID] = []

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .paymentStarted(let fact):
            payments[fact.payment] = Payment(
                amount: fact.amount, provider: fact.provider, state: .started)
        case .paymentDeclined(let fact): payments[fact.payment]?.state = .declined
        case .paymentSucceeded(let fact), .paymentArrivedLate(let fact):
            payments[fact.payment, default: Payment(fact)].state = .charged(fact.amount)
            charged.append(fact.payment)
        case .chargeDisputed(let fact): payments[fact.payment]?.disputed = fact.amount
        case .refundRequested(let fact):
            refunds[fact.refund] = Refund(
                payment: fact.payment, amount: fact.amount, state: .requested,
                isGoodwill: fact.isGoodwill)
        case .refundSucceeded(let fact): refunds[fact.refund]?.state = .succeeded
        case .refundFailed(let fact): refunds[fact.refund]?.state = .failed
        default: break
        }
    }

    /// What was charged, in all.
    public var chargedAmount: Money {
        payments.values.reduce(.zero) { sum, payment in
            guard case .charged(let amount) = payment.state else { return sum }
            return sum + amount
        }
    }

    /// What is back with the customer, or on its way there.
    public var refundAmount: Money {
        refunds.values.filter { $0.state != .failed }.reduce(.zero) { $0 + $1.amount }
    }

    /// What is charged, not on its way back and not disputed.
    public var kept: Money {
        payments.keys.reduce(chargedAmount - refundAmount) { $0 - disputed(of: $1) }
    }

    /// What is disputed of a payment and was not given back before.
    private func disputed(of payment: PaymentID) -> Money {
        guard let disputed = payments[payment]?.disputed else { return .zero }
        let left = max(0, unreturned(of: payment).minorUnits)
        return Money(minorUnits: min(disputed.minorUnits, left), currency: disputed.currency)
    }

    /// What was paid for the booking and is still paid for it: goodwill makes it no less.
    public var paid: Money {
        refunds.values.filter { $0.state != .failed && !$0.isGoodwill }
            .reduce(chargedAmount) { $0 - $1.amount }
    }

    /// What may still be given back of one payment.
    public func refundable(of payment: PaymentID) -> Money {
        unreturned(of: payment) - disputed(of: payment)
    }

    private func unreturned(of payment: PaymentID) -> Money {
        guard case .charged(let amount) = payments[payment]?.state else { return .zero }
        return refunds.values.filter { $0.payment == payment && $0.state != .failed }
            .reduce(amount) { $0 - $1.amount }
    }

    public var failedRefundCount: Int { refunds.values.count { $0.state == .failed } }
}

extension BookingMoney.Payment {
    fileprivate init(_ charge: ChargeMade) {
        self.init(amount: charge.amount, provider: charge.provider, state: .started)
    }
}

/// How long seats are set aside, and how often that may be prolonged.
public struct HoldPolicy: Hashable, Sendable {
    public var span: TimeSpan
    public var extensionLimit: Int

    public init(span: TimeSpan = .minutes(10), extensionLimit: Int = 2) {
        self.span = span
        self.extensionLimit = extensionLimit
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
    /// Whose program sells it for a commission, where one does.
    public var reseller: APIKeyID?
    /// Why the order may go beyond the operator's limit, where it may.
    public var oversaleReason: String

    public init(
        booking: BookingID, customer: CustomerID, code: ConfirmationCode, order: QuoteOrder,
        namedTotal: Money?, contact: Sealed, wantsUpdates: Bool, policy: HoldPolicy,
        reseller: APIKeyID? = nil, oversaleReason: String = ""
    ) {
        self.booking = booking
        self.customer = customer
        self.code = code
        self.order = order
        self.namedTotal = namedTotal
        self.contact = contact
        self.wantsUpdates = wantsUpdates
        self.policy = policy
        self.reseller = reseller
        self.oversaleReason = oversaleReason
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let quoted = try order.answer(in: world, at: now)
        let quote = quoted.quote
        for outcome in quoted.codes {
            guard case .nothing(let obstacle) = outcome.effect, obstacle != .notNeeded else {
                continue
            }
            throw .codeNotAccepted(outcome.code, because: obstacle)
        }
        if let namedTotal, namedTotal != quote.total {
            throw .totalChanged(named: namedTotal, current: quote.total)
        }
        world.claim(code.entity, as: [.bookingPlaced])
        let oversales = quoted.oversold.map { portion in
            Event.oversaleAuthorised(
                OversaleAuthorised(
                    sailing: portion.thing, booking: booking, seatCount: portion.quantity,
                    reason: oversaleReason))
        }
        return oversales + [
            .bookingPlaced(
                BookingPlaced(
                    booking: booking, customer: customer, code: code, mission: quoted.mission,
                    quote: quote, deadline: min(now + policy.span, departure(of: quote, in: world)),
                    contact: contact,
                    wantsUpdates: wantsUpdates, reseller: reseller))
        ]
    }
}

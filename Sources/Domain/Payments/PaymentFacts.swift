/// Who moves the money.
public enum ProviderKind: String, Sendable, CaseIterable {
    /// Staff, with a till or a card terminal of their own.
    case dock
    /// A card provider for trying things out, which moves nothing.
    case sandbox
}

/// How money is taken at the dock.
public enum PaymentMeans: String, Sendable, CaseIterable {
    case cash
    case cardTerminal = "card_terminal"
}

/// A customer is asked to pay a booking's total; nothing has been charged.
public struct PaymentStarted: Hashable, Sendable {
    public var payment: PaymentID
    public var booking: BookingID
    public var amount: Money
    public var provider: ProviderKind

    public init(payment: PaymentID, booking: BookingID, amount: Money, provider: ProviderKind) {
        self.payment = payment
        self.booking = booking
        self.amount = amount
        self.provider = provider
    }
}

/// An attempt was turned down: the hold lives on, and the customer may try again.
public struct PaymentDeclined: Hashable, Sendable {
    public var payment: PaymentID
    public var booking: BookingID
    public var reason: String

    public init(payment: PaymentID, booking: BookingID, reason: String) {
        self.payment = payment
        self.booking = booking
        self.reason = reason
    }
}

/// Money was charged, in time or too late for its hold; or a bank was asked to take it back.
public struct ChargeMade: Hashable, Sendable {
    public var payment: PaymentID
    public var booking: BookingID
    public var amount: Money
    public var provider: ProviderKind
    /// At the dock, where staff said so.
    public var means: PaymentMeans?

    public init(
        payment: PaymentID, booking: BookingID, amount: Money, provider: ProviderKind,
        means: PaymentMeans? = nil
    ) {
        self.payment = payment
        self.booking = booking
        self.amount = amount
        self.provider = provider
        self.means = means
    }
}

/// Why money goes back.
public enum RefundCause: String, Sendable, CaseIterable {
    /// The seats were gone when it came.
    case paidTooLate = "paid_too_late"
    /// The booking was paid already, or with another amount.
    case notDue = "not_due"
    case cancelled
    /// Lines of the booking were given back, or it costs less than was paid for it.
    case overpaid
    /// The office gives something back, and takes nothing back.
    case goodwill
    /// An earlier attempt to give it back failed.
    case again
}

public struct RefundRequested: Hashable, Sendable {
    public var refund: RefundID
    public var payment: PaymentID
    public var booking: BookingID
    public var amount: Money
    public var provider: ProviderKind
    public var cause: RefundCause
    /// In the office's words; empty where nobody said any.
    public var reason: String
    /// It is given beside what was due, so the booking is paid no less for it.
    public var isGoodwill: Bool
    /// Whether staff went past the mission's cutoff, until which customers may help themselves.
    public var isPastCutoff: Bool

    public init(
        refund: RefundID, payment: PaymentID, booking: BookingID, amount: Money,
        provider: ProviderKind, cause: RefundCause, reason: String,
        isGoodwill: Bool? = nil, isPastCutoff: Bool = false
    ) {
        self.refund = refund
        self.payment = payment
        self.booking = booking
        self.amount = amount
        self.provider = provider
        self.cause = cause
        self.reason = reason
        self.isGoodwill = isGoodwill ?? (cause == .goodwill)
        self.isPastCutoff = isPastCutoff
    }
}

/// The money is back with the customer.
public struct RefundSucceeded: Hashable, Sendable {
    public var refund: RefundID
    public var payment: PaymentID
    public var booking: BookingID
    public var amount: Money

    public init(refund: RefundID, payment: PaymentID, booking: BookingID, amount: Money) {
        self.refund = refund
        self.payment = payment
        self.booking = booking
        self.amount = amount
    }
}

/// The money did not reach the customer.
public struct RefundFailed: Hashable, Sendable {
    public var refund: RefundID
    public var payment: PaymentID
    public var booking: BookingID
    public var amount: Money
    public var reason: String
    /// Whether it was said before to be with the customer: banks send back what they can't book.
    public var hadSucceeded: Bool

    public init(
        refund: RefundID, payment: PaymentID, booking: BookingID, amount: Money, reason: String,
        hadSucceeded: Bool = false
    ) {
        self.hadSucceeded = hadSucceeded
        self.refund = refund
        self.payment = payment
        self.booking = booking
        self.amount = amount
        self.reason = reason
    }
}

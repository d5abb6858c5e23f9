/// Personal data, encrypted with the key of one customer. Only the `Sealing` module opens it.
public struct Sealed: Hashable, Sendable {
    public var bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// Who booked, in clear. It never stands in an event like this, only ``Sealed``.
public struct Contact: Hashable, Sendable {
    public var firstName: String
    public var lastName: String
    public var email: String
    public var phone: String?
    public var address: String?
    public var specialRequests: String?

    public init(
        firstName: String, lastName: String, email: String, phone: String?, address: String?,
        specialRequests: String?
    ) {
        self.firstName = firstName
        self.lastName = lastName
        self.email = email
        self.phone = phone
        self.address = address
        self.specialRequests = specialRequests
    }
}

/// An order took its seats; until the deadline this is the hold.
public struct BookingPlaced: Hashable, Sendable {
    public var booking: BookingID
    public var customer: CustomerID
    public var code: ConfirmationCode
    public var mission: MissionID
    public var quote: Quote
    public var deadline: Instant
    public var contact: Sealed
    public var wantsUpdates: Bool
    /// Whose program sold it for a commission, where one did.
    public var reseller: APIKeyID?

    public init(
        booking: BookingID, customer: CustomerID, code: ConfirmationCode, mission: MissionID,
        quote: Quote, deadline: Instant, contact: Sealed, wantsUpdates: Bool,
        reseller: APIKeyID? = nil
    ) {
        self.booking = booking
        self.customer = customer
        self.code = code
        self.mission = mission
        self.quote = quote
        self.deadline = deadline
        self.contact = contact
        self.wantsUpdates = wantsUpdates
        self.reseller = reseller
    }
}

/// What a booking takes of what is limited: all of it is set aside, sold and given back together.
public struct Holdings: Hashable, Sendable {
    public var seats: [SeatLine]
    public var codes: [CodeUse]
    public var merchandise: [MerchandiseLine]

    public static let none = Holdings(seats: [])

    public init(
        seats: [SeatLine], codes: [CodeUse] = [], merchandise: [MerchandiseLine] = []
    ) {
        self.seats = seats
        self.codes = codes
        self.merchandise = merchandise
    }
}

public struct HoldExtended: Hashable, Sendable {
    public var booking: BookingID
    public var sailings: [SailingID]
    /// The codes that the booking uses, and its merchandise.
    public var codes: [SalesCode]
    public var merchandise: [MerchandiseLine]
    public var deadline: Instant

    public init(
        booking: BookingID, sailings: [SailingID], codes: [SalesCode] = [],
        merchandise: [MerchandiseLine] = [], deadline: Instant
    ) {
        self.booking = booking
        self.sailings = sailings
        self.codes = codes
        self.merchandise = merchandise
        self.deadline = deadline
    }
}

/// A hold ended without becoming a booking, and what it held is free again.
public struct HoldEnded: Hashable, Sendable {
    public var booking: BookingID
    public var holdings: Holdings

    public init(booking: BookingID, holdings: Holdings) {
        self.booking = booking
        self.holdings = holdings
    }
}

/// Why a booking counts as paid.
public enum ConfirmationBasis: String, Sendable, CaseIterable {
    /// There was nothing to pay.
    case free
    case paidAtTheDock = "paid_at_the_dock"
    /// With a card, through a provider.
    case paid
}

/// What a booking held is sold, or what it had given back and was still free.
public struct BookingConfirmed: Hashable, Sendable {
    public var booking: BookingID
    public var holdings: Holdings
    public var basis: ConfirmationBasis
    /// Whether nobody had recorded an end of the hold.
    public var wasHeld: Bool

    public init(
        booking: BookingID, holdings: Holdings, basis: ConfirmationBasis, wasHeld: Bool = true
    ) {
        self.booking = booking
        self.holdings = holdings
        self.basis = basis
        self.wasHeld = wasHeld
    }
}

public struct BookingCancelled: Hashable, Sendable {
    public var booking: BookingID
    /// What is given back: nothing where an earlier event has given it back.
    public var holdings: Holdings
    /// Whether it was only held, or sold.
    public var wasHeld: Bool
    public var reason: String

    public init(booking: BookingID, holdings: Holdings, wasHeld: Bool, reason: String) {
        self.booking = booking
        self.holdings = holdings
        self.wasHeld = wasHeld
        self.reason = reason
    }
}

/// People of a booking went aboard a sailing, or that was taken back.
public struct PassengersChecked: Hashable, Sendable {
    public var booking: BookingID
    public var sailing: SailingID
    /// The passengers' numbers.
    public var passengers: [Int]
    /// When a scanner saw it that told of it later; nil: when it was recorded.
    public var at: Instant?

    public init(
        booking: BookingID, sailing: SailingID, passengers: [Int], at: Instant? = nil
    ) {
        self.booking = booking
        self.sailing = sailing
        self.passengers = passengers
        self.at = at
    }
}

/// A scanner saw passengers go aboard, or ashore again. Whether that changed anything is another fact.
public struct PassengersScanned: Hashable, Sendable {
    public var scan: ScanID
    public var booking: BookingID
    public var sailing: SailingID
    public var passengers: [Int]
    /// What the scanner calls itself.
    public var scanner: String
    /// By the scanner's clock.
    public var at: Instant
    /// Aboard, or ashore again.
    public var isAboard: Bool

    public init(
        scan: ScanID, booking: BookingID, sailing: SailingID, passengers: [Int], scanner: String,
        at: Instant, isAboard: Bool
    ) {
        self.scan = scan
        self.booking = booking
        self.sailing = sailing
        self.passengers = passengers
        self.scanner = scanner
        self.at = at
        self.isAboard = isAboard
    }
}

/// Every trip of the booking has departed.
public struct BookingCompleted: Hashable, Sendable {
    public var booking: BookingID
    public var sailings: [SailingID]

    public init(booking: BookingID, sailings: [SailingID]) {
        self.booking = booking
        self.sailings = sailings
    }
}

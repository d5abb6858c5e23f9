/// A customer is reached in another way, or is called differently.
public struct ContactChanged: Hashable, Sendable {
    public var booking: BookingID
    /// Whose key the contact is sealed with: the one who booked.
    public var customer: CustomerID
    public var contact: Sealed

    public init(booking: BookingID, customer: CustomerID, contact: Sealed) {
        self.booking = booking
        self.customer = customer
        self.contact = contact
    }
}

/// What staff has to remember of a booking; never shown to its customer.
public struct StaffNoteWritten: Hashable, Sendable {
    public var booking: BookingID
    public var customer: CustomerID
    /// Sealed with the customer's key, because it is about him.
    public var note: Sealed

    public init(booking: BookingID, customer: CustomerID, note: Sealed) {
        self.booking = booking
        self.customer = customer
        self.note = note
    }
}

/// A booking holds something else than before: the event's type says what was changed.
public struct OrderChanged: Hashable, Sendable {
    public var booking: BookingID
    /// The mission that its sailings belong to from now on.
    public var mission: MissionID
    /// What it held until now; all of it is given back.
    public var before: Holdings
    /// The whole order as it is from now on; its holdings are taken.
    public var quote: Quote
    /// The deadline of a booking that is only held; nil: it is sold.
    public var heldUntil: Instant?
    /// Whether prices are those of now, or those that the customer had bought at.
    public var isRepriced: Bool

    public init(
        booking: BookingID, mission: MissionID, before: Holdings, quote: Quote,
        heldUntil: Instant?, isRepriced: Bool
    ) {
        self.booking = booking
        self.mission = mission
        self.before = before
        self.quote = quote
        self.heldUntil = heldUntil
        self.isRepriced = isRepriced
    }
}

/// Money came when the seats were gone: seats on another sailing of the trip are set aside instead, until
/// the deadline. Who does not take them gets his money back.
public struct AlternativeOffered: Hashable, Sendable {
    public var booking: BookingID
    public var mission: MissionID
    /// What it held at first.
    public var before: Holdings
    /// The order on the other sailing; its holdings are set aside.
    public var quote: Quote
    public var deadline: Instant
    /// Whether nobody had recorded the end of the first hold.
    public var wasHeld: Bool

    public init(
        booking: BookingID, mission: MissionID, before: Holdings, quote: Quote, deadline: Instant,
        wasHeld: Bool
    ) {
        self.booking = booking
        self.mission = mission
        self.before = before
        self.quote = quote
        self.deadline = deadline
        self.wasHeld = wasHeld
    }
}

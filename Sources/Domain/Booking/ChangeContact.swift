/// Reaches a customer in another way. The same contact sealed once more is another fact: nobody here can
/// read either.
public struct ChangeContact: Command {
    public var booking: BookingID
    public var contact: Sealed

    public init(booking: BookingID, contact: Sealed) {
        self.booking = booking
        self.contact = contact
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (life, placed) = try Domain.booking(booking, in: world)
        switch life.status {
        case .held, .confirmed, .checkedIn: break
        case .completed, .expired, .abandoned, .cancelled:
            throw .notInThatState(status: life.status, wanted: "held or confirmed")
        }
        return [
            .contactChanged(
                ContactChanged(booking: booking, customer: placed.customer, contact: contact))
        ]
    }
}

/// Keeps what staff has to remember of a booking, whatever has become of it.
public struct WriteStaffNote: Command {
    public var booking: BookingID
    public var note: Sealed

    public init(booking: BookingID, note: Sealed) {
        self.booking = booking
        self.note = note
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let placed = try Domain.booking(booking, in: world).placed
        return [
            .staffNoteWritten(
                StaffNoteWritten(booking: booking, customer: placed.customer, note: note))
        ]
    }
}

/// Whose key a booking's contact is sealed with.
public struct CustomerOf: Question {
    public var booking: BookingID

    public init(booking: BookingID) {
        self.booking = booking
    }

    public func answer(
        in world: borrowing World, at now: Instant
    ) throws(Refusal) -> CustomerID {
        try Domain.booking(booking, in: world).placed.customer
    }
}

/// Lets people aboard a sailing. Twice is the same as once.
public struct CheckInPassengers: Command {
    public var booking: BookingID
    public var sailing: SailingID
    /// Seat numbers; nil: everybody that the booking has on this sailing.
    public var passengers: [Int]?

    public init(booking: BookingID, sailing: SailingID, passengers: [Int]?) {
        self.booking = booking
        self.sailing = sailing
        self.passengers = passengers
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let life = world.look(at: BookingLife.self, of: booking)
        let wanted = try boardable(passengers, of: life, booking, on: sailing)
        let coming = wanted.filter { !life.aboard.contains($0) }
        guard !coming.isEmpty else { return [] }
        return [
            .passengerCheckedIn(
                PassengersChecked(booking: booking, sailing: sailing, passengers: coming))
        ]
    }
}

/// Takes a check-in back. Twice is the same as once.
public struct RevertCheckIn: Command {
    public var booking: BookingID
    public var sailing: SailingID
    /// Seat numbers; nil: everybody that the booking has on this sailing.
    public var passengers: [Int]?

    public init(booking: BookingID, sailing: SailingID, passengers: [Int]?) {
        self.booking = booking
        self.sailing = sailing
        self.passengers = passengers
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let life = world.look(at: BookingLife.self, of: booking)
        let wanted = try boardable(passengers, of: life, booking, on: sailing)
        let leaving = wanted.filter { life.aboard.contains($0) }
        guard !leaving.isEmpty else { return [] }
        return [
            .checkInReverted(
                PassengersChecked(booking: booking, sailing: sailing, passengers: leaving))
        ]
    }
}

/// The seat numbers meant, in order, for a booking that is sold and has seats on this sailing.
private func boardable(
    _ passengers: [Int]?, of life: BookingLife, _ booking: BookingID, on sailing: SailingID
) throws(Refusal) -> [Int] {
    guard life.placed != nil else { throw .unknown(kind: "booking", id: booking.entity) }
    switch life.status {
    case .confirmed, .checkedIn: break
    case .held, .completed, .expired, .abandoned, .cancelled:
        throw .notInThatState(status: life.status, wanted: "confirmed")
    }
    let ours = life.passengers(on: sailing)
    guard !ours.isEmpty else { throw .bookingNotOnSailing(booking: booking, sailing: sailing) }
    guard let passengers else { return ours }
    guard !passengers.isEmpty else {
        throw .invalid(field: "passengers", reason: "must not be empty")
    }
    let strangers = passengers.filter { !ours.contains($0) }
    guard strangers.isEmpty else {
        throw .unknownPassengers(numbers: strangers, passengerCount: life.passengerCount)
    }
    return Set(passengers).sorted()
}

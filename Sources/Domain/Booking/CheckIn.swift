/// Lets people aboard a sailing, and hands over what they bought with its trip. Twice is the same as once.
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
        let aboard = Event.passengerCheckedIn(
            PassengersChecked(booking: booking, sailing: sailing, passengers: coming))
        let trip = life.placed?.quote.lines.first { $0.sailing == sailing }?.trip
        let goods = life.placed?.quote.merchandise.filter {
            $0.trip == trip && !life.fulfilled.contains($0.offer)
        }
        guard let goods, !goods.isEmpty else { return [aboard] }
        return [
            aboard,
            .merchandiseFulfilled(
                MerchandiseFulfilled(booking: booking, merchandise: goods.map(\.line))),
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

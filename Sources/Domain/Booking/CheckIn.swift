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
        let wanted = try boardable(
            passengers, of: life, booking, on: sailing, orCompleted: true, in: world)
        let coming = wanted.filter { !life.aboard.contains($0) }
        // Who is aboard may have bought something since.
        guard !coming.isEmpty else { return handingOver(of: life, booking, on: sailing) }
        return boarding(coming, of: life, booking, on: sailing, at: nil)
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
        let wanted = try boardable(
            passengers, of: life, booking, on: sailing, orCompleted: true, isLeaving: true,
            in: world)
        let leaving = wanted.filter { life.aboard.contains($0) }
        guard !leaving.isEmpty else { return [] }
        return [
            .checkInReverted(
                PassengersChecked(booking: booking, sailing: sailing, passengers: leaving))
        ]
    }
}

/// People go aboard, and get what they bought with the trip.
func boarding(
    _ passengers: [Int], of life: BookingLife, _ booking: BookingID, on sailing: SailingID,
    at: Instant?
) -> [Event] {
    let aboard = Event.passengerCheckedIn(
        PassengersChecked(booking: booking, sailing: sailing, passengers: passengers, at: at))
    return [aboard] + handingOver(of: life, booking, on: sailing, boughtBy: at)
}

/// They get what they have not got yet of what they bought with the trip; with `boughtBy`, of what they had bought by
/// then; with `isTold`, where somebody tells of what was done before, nothing of a thing that they had some of by then,
/// for what was bought since is not in their hands.
func handingOver(
    of life: BookingLife, _ booking: BookingID, on sailing: SailingID, isTold: Bool = false,
    boughtBy moment: Instant? = nil
) -> [Event] {
    let trip = life.placed?.quote.lines.first { $0.sailing == sailing }?.trip
    let bought = (life.placed?.quote.merchandise ?? []).filter {
        $0.trip == trip && !(isTold && life.handedOver[$0.offer] > 0)
    }
    let then = moment.map { life.goods(boughtBy: $0) }
    let lines = bought.map { goods in
        var line = goods.line
        if let then { line.quantity = min(line.quantity, then[line.offer] ?? 0) }
        return line
    }
    let goods = life.notHandedOver(lines)
    guard !goods.isEmpty else { return [] }
    return [.merchandiseFulfilled(MerchandiseFulfilled(booking: booking, merchandise: goods))]
}

/// What things that were handed over are called, as the customer bought them.
public struct HandedOver: Question {
    public var booking: BookingID
    public var merchandise: [MerchandiseLine]

    public init(booking: BookingID, merchandise: [MerchandiseLine]) {
        self.booking = booking
        self.merchandise = merchandise
    }

    public func answer(in world: borrowing World, at now: Instant) throws(Refusal) -> [Quote
        .Portion]
    {
        let (_, placed) = try Domain.booking(booking, in: world)
        return merchandise.compactMap { line in
            placed.quote.merchandise.first { $0.offer == line.offer }
                .map { Quote.Portion(label: $0.label, quantity: line.quantity) }
        }
    }
}

/// The passengers meant, in order, of a booking that is sold, paid, and has seats on this sailing.
///
/// A boat leaves late, and what was scanned before it left is told after, so that a booking may be completed by then.
/// Who goes ashore need not pay before, and who was `seen` aboard before something became due is aboard.
func boardable(
    _ passengers: [Int]?, of life: BookingLife, _ booking: BookingID, on sailing: SailingID,
    orCompleted: Bool = false, isLeaving: Bool = false, seen: Instant? = nil,
    in world: borrowing World
) throws(Refusal) -> [Int] {
    guard let placed = life.placed else { throw .unknown(kind: "booking", id: booking.entity) }
    switch life.status {
    case .confirmed, .checkedIn: break
    case .completed where orCompleted: break
    case .held: throw .paymentDue(total: placed.quote.total)
    case .completed, .expired, .abandoned, .cancelled:
        throw .notInThatState(status: life.status, wanted: "confirmed")
    }
    let ours = life.passengers(on: sailing)
    guard !ours.isEmpty else { throw try elsewhere(placed, not: sailing, in: world) }
    let money = world.look(at: BookingMoney.self, of: booking)
    let due = money.due(for: placed.quote)
    let increase = life.firstIncrease(since: seen)
    let wasSettled = increase.map { Quote.chargeable($0.before - money.paid).minorUnits <= 0 }
    let last = wasSettled == true ? increase?.lastPassenger : nil
    let there = ours.filter { $0 <= last ?? .max }
    let passengers = passengers ?? (there.isEmpty ? ours : there)
    let isSettled = due.minorUnits <= 0 || passengers.allSatisfy { $0 <= last ?? 0 }
    guard isSettled || isLeaving else { throw .paymentDue(total: due) }
    guard !passengers.isEmpty else {
        throw .invalid(field: "passengers", reason: "must not be empty")
    }
    let strangers = passengers.filter { !ours.contains($0) }
    guard strangers.isEmpty else {
        throw .unknownPassengers(numbers: strangers, passengerCount: life.passengerCount)
    }
    return Set(passengers).sorted()
}

/// Where a booking belongs that is shown at a boat that it has no seats on: at another boat, or on another
/// day.
private func elsewhere(
    _ placed: BookingPlaced, not sailing: SailingID, in world: borrowing World
) throws(Refusal) -> Refusal {
    guard let here = world.look(at: SailingSeats.self, of: sailing).assigned else {
        throw .unknown(kind: "sailing", id: sailing.entity)
    }
    let departsHere = world.look(at: TripTerms.self, of: here.trip).scheduled?.times.departure
    var nearest: (line: Quote.Line, departure: Instant, distance: Int64)?
    for line in placed.quote.lines {
        let times = world.look(at: TripTerms.self, of: line.trip).scheduled?.times
        guard let departsHere, let departure = times?.departure else { continue }
        let distance = abs(departure.microseconds - departsHere.microseconds)
        if distance < nearest?.distance ?? .max { nearest = (line, departure, distance) }
    }
    guard let nearest else { throw .unknown(kind: "trip", id: here.trip.entity) }
    return nearest.distance < TimeSpan.hours(12).microseconds
        ? .wrongSailing(theirs: nearest.line.sailing) : .wrongDay(departure: nearest.departure)
}

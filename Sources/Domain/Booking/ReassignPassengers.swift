/// Moves a booking's passengers from one boat to another of the same trip, at the price they bought at.
public struct ReassignPassengers: Command {
    /// Bookings that are moved together.
    public static let bookingLimit = 500

    public var booking: BookingID
    public var from: SailingID
    public var to: SailingID
    /// What type of the other boat stands for each of this one; a type that is not named keeps its id.
    public var ticketTypes: [TicketTypeID: TicketTypeID]
    /// Why it may go beyond the operator's limit; nil: it may not.
    public var oversaleReason: String?

    public init(
        booking: BookingID, from: SailingID, to: SailingID,
        ticketTypes: [TicketTypeID: TicketTypeID], oversaleReason: String? = nil
    ) {
        self.booking = booking
        self.from = from
        self.to = to
        self.ticketTypes = ticketTypes
        self.oversaleReason = oversaleReason
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let (_, placed) = try changeable(booking, in: world, at: now)
        let trip = placed.quote.lines.first { $0.sailing == from }?.trip
        guard let trip else { return [] }
        let other = world.look(at: SailingSeats.self, of: to).assigned
        guard let other else { throw .unknown(kind: "sailing", id: to.entity) }
        guard other.trip == trip else { throw .sailingNotOfTrip(sailing: to, trip: trip) }
        let changes = placed.quote.seats.filter { $0.sailing == from }.map(\.ticketType).unique
            .map { type in
                OrderChange.move(
                    from: Place(sailing: from, ticketType: type),
                    to: Place(sailing: to, ticketType: ticketTypes[type] ?? type), quantity: nil)
            }
        let change = ChangeBooking(
            booking: booking, changes: changes, oversaleReason: oversaleReason)
        return try change.decide(in: world, at: now)
    }
}

/// The bookings that have seats on a sailing, held or sold.
public struct SailingBookings: DecisionModel {
    public static let types = Commitments<TicketTypeID>.types
    private var seatCounts: [BookingID: Int] = [:]
    private let sailing: SailingID

    public init(of entity: EntityID) {
        sailing = SailingID(entity)
    }

    public mutating func evolve(_ recorded: RecordedEvent) {
        guard let booking = recorded.event.concernedBooking else { return }
        for change in recorded.event.commitmentChanges {
            let count = change.holdings.seatCount(on: sailing) * (change.held + change.sold)
            seatCounts[booking, default: 0] += count
        }
        if seatCounts[booking] == 0 { seatCounts[booking] = nil }
    }

    /// In the order of their ids, which is that in which they were placed.
    public var bookings: [BookingID] { seatCounts.keys.sorted { $0.entity < $1.entity } }
}

/// Who is to be moved when a boat does not go: holds that have run out are not.
public struct BookingsOnSailing: Question {
    public var sailing: SailingID

    public init(sailing: SailingID) {
        self.sailing = sailing
    }

    public func answer(
        in world: borrowing World, at now: Instant
    ) throws(Refusal) -> [BookingID] {
        let seats = world.look(at: SailingSeats.self, of: sailing)
        guard seats.assigned != nil else { throw .unknown(kind: "sailing", id: sailing.entity) }
        var bookings: [BookingID] = []
        for booking in world.look(at: SailingBookings.self, of: sailing).bookings {
            let life = world.look(at: BookingLife.self, of: booking)
            if life.status != .held || seats.holds(booking, at: now) { bookings.append(booking) }
        }
        return bookings
    }
}

/// A boat goes on a trip: this makes the sailing, which is what is really sold.
public struct BoatAssigned: Hashable, Sendable {
    public var sailing: SailingID
    public var trip: TripID
    public var mission: MissionID
    public var launch: LaunchID
    public var boat: BoatID
    public var jurisdiction: JurisdictionID
    /// The operator's own limit; nil: the boat's capacity.
    public var limit: Int?
    public var ticketTypes: [TicketType]

    public init(
        sailing: SailingID, trip: TripID, mission: MissionID, launch: LaunchID, boat: BoatID,
        jurisdiction: JurisdictionID, limit: Int?, ticketTypes: [TicketType]
    ) {
        self.sailing = sailing
        self.trip = trip
        self.mission = mission
        self.launch = launch
        self.boat = boat
        self.jurisdiction = jurisdiction
        self.limit = limit
        self.ticketTypes = ticketTypes
    }
}

/// nil: the boat's capacity is the limit again.
public struct SailingLimitSet: Hashable, Sendable {
    public var sailing: SailingID
    public var limit: Int?

    public init(sailing: SailingID, limit: Int?) {
        self.sailing = sailing
        self.limit = limit
    }
}

/// The boat does not go after all: the sailing is over before it began.
public struct BoatUnassigned: Hashable, Sendable {
    public var sailing: SailingID
    public var trip: TripID
    public var boat: BoatID

    public init(sailing: SailingID, trip: TripID, boat: BoatID) {
        self.sailing = sailing
        self.trip = trip
        self.boat = boat
    }
}

/// A type that the sailing did not have is for sale on it.
public struct TicketTypeDefined: Hashable, Sendable {
    public var sailing: SailingID
    public var ticketType: TicketType

    public init(sailing: SailingID, ticketType: TicketType) {
        self.sailing = sailing
        self.ticketType = ticketType
    }
}

/// Something about a ticket type is another from now on; what was sold stays as it was.
public struct TicketTypeChanged<Value: Hashable & Sendable>: Hashable, Sendable {
    public var sailing: SailingID
    public var ticketType: TicketTypeID
    public var value: Value

    public init(sailing: SailingID, ticketType: TicketTypeID, value: Value) {
        self.sailing = sailing
        self.ticketType = ticketType
        self.value = value
    }
}

public struct TicketTypeWithdrawn: Hashable, Sendable {
    public var sailing: SailingID
    public var ticketType: TicketTypeID

    public init(sailing: SailingID, ticketType: TicketTypeID) {
        self.sailing = sailing
        self.ticketType = ticketType
    }
}

/// A booking may have seats beyond the operator's own limit, as long as it has its seats.
public struct OversaleAuthorised: Hashable, Sendable {
    public var sailing: SailingID
    public var booking: BookingID
    /// Seats beyond the limit.
    public var seatCount: Int
    public var reason: String

    public init(sailing: SailingID, booking: BookingID, seatCount: Int, reason: String) {
        self.sailing = sailing
        self.booking = booking
        self.seatCount = seatCount
        self.reason = reason
    }
}

/// Seats of one ticket type on one sailing.
public struct SeatLine: Hashable, Sendable {
    public var sailing: SailingID
    public var ticketType: TicketTypeID
    /// At least 1.
    public var quantity: Int

    public init(sailing: SailingID, ticketType: TicketTypeID, quantity: Int) {
        self.sailing = sailing
        self.ticketType = ticketType
        self.quantity = quantity
    }
}

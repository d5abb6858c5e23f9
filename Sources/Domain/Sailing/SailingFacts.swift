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

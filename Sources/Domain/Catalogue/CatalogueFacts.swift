/// A launch region. All times of its launches are shown in its zone.
public struct LocationAdded: Hashable, Sendable {
    public var location: LocationID
    public var name: String
    /// State or province.
    public var region: String
    public var country: Country
    /// A name of the IANA time zone database, such as `America/New_York`.
    public var timeZone: String

    public init(
        location: LocationID, name: String, region: String, country: Country = .unitedStates,
        timeZone: String
    ) {
        self.location = location
        self.name = name
        self.region = region
        self.country = country
        self.timeZone = timeZone
    }
}

/// A tax authority.
public struct JurisdictionAdded: Hashable, Sendable {
    public var jurisdiction: JurisdictionID
    public var location: LocationID
    public var name: String

    public init(jurisdiction: JurisdictionID, location: LocationID, name: String) {
        self.jurisdiction = jurisdiction
        self.location = location
        self.name = name
    }
}

/// From `effectiveFrom` on, the sales tax is this.
public struct TaxRateSet: Hashable, Sendable {
    public var jurisdiction: JurisdictionID
    public var rate: BasisPoints
    public var effectiveFrom: Instant

    public init(jurisdiction: JurisdictionID, rate: BasisPoints, effectiveFrom: Instant) {
        self.jurisdiction = jurisdiction
        self.rate = rate
        self.effectiveFrom = effectiveFrom
    }
}

/// Who operates boats from a dock.
public struct ProviderAdded: Hashable, Sendable {
    public var provider: ProviderID
    public var jurisdiction: JurisdictionID
    public var name: String
    public var dock: String
    public var address: String
    public var mapLink: String?

    public init(
        provider: ProviderID, jurisdiction: JurisdictionID, name: String, dock: String,
        address: String, mapLink: String?
    ) {
        self.provider = provider
        self.jurisdiction = jurisdiction
        self.name = name
        self.dock = dock
        self.address = address
        self.mapLink = mapLink
    }
}

/// A boat, with the number of passengers that the law allows and its default ticket types.
public struct BoatRegistered: Hashable, Sendable {
    public var boat: BoatID
    public var provider: ProviderID
    /// The provider's jurisdiction, which taxes what is sold on this boat.
    public var jurisdiction: JurisdictionID
    public var name: String
    public var slug: String
    public var capacity: Int
    public var ticketTypes: [TicketType]

    public init(
        boat: BoatID, provider: ProviderID, jurisdiction: JurisdictionID, name: String,
        slug: String, capacity: Int, ticketTypes: [TicketType]
    ) {
        self.boat = boat
        self.provider = provider
        self.jurisdiction = jurisdiction
        self.name = name
        self.slug = slug
        self.capacity = capacity
        self.ticketTypes = ticketTypes
    }
}

/// The law allows another number of passengers.
public struct BoatCapacityChanged: Hashable, Sendable {
    public var boat: BoatID
    public var capacity: Int

    public init(boat: BoatID, capacity: Int) {
        self.boat = boat
        self.capacity = capacity
    }
}

/// What a boat's seats cost on the sailings that it gets from now on, unless those say otherwise.
public struct BoatTicketTypesSet: Hashable, Sendable {
    public var boat: BoatID
    public var ticketTypes: [TicketType]

    public init(boat: BoatID, ticketTypes: [TicketType]) {
        self.boat = boat
        self.ticketTypes = ticketTypes
    }
}

/// How sure a target lift-off is.
public enum Confidence: String, Sendable, CaseIterable {
    /// Not earlier than.
    case net
    case confirmed
}

/// One rocket and its target lift-off.
public struct LaunchAnnounced: Hashable, Sendable {
    public var launch: LaunchID
    public var location: LocationID
    public var name: String
    public var summary: String?
    public var liftOff: Instant
    public var confidence: Confidence

    public init(
        launch: LaunchID, location: LocationID, name: String, summary: String?, liftOff: Instant,
        confidence: Confidence
    ) {
        self.launch = launch
        self.location = location
        self.name = name
        self.summary = summary
        self.liftOff = liftOff
        self.confidence = confidence
    }
}

/// One organised attempt to watch a launch.
public struct MissionPlanned: Hashable, Sendable {
    public static let refundCutoffRange = 0...72

    public var mission: MissionID
    public var launch: LaunchID
    public var name: String
    /// How long before departure a customer may ask for the money back: 0 to 72 hours.
    public var refundCutoffHours: Int

    public init(mission: MissionID, launch: LaunchID, name: String, refundCutoffHours: Int) {
        self.mission = mission
        self.launch = launch
        self.name = name
        self.refundCutoffHours = refundCutoffHours
    }
}

/// A mission's customers may ask for their money back until another time before departure.
public struct RefundCutoffSet: Hashable, Sendable {
    public var mission: MissionID
    /// 0 to 72.
    public var hours: Int

    public init(mission: MissionID, hours: Int) {
        self.mission = mission
        self.hours = hours
    }
}

public enum TripKind: String, Sendable, CaseIterable {
    case launchViewing = "launch_viewing"
    case preLaunch = "pre_launch"

    /// How long boarding lasts before departure, and check-in before boarding.
    public var boardingSpan: TimeSpan {
        switch self {
        case .launchViewing: .minutes(30)
        case .preLaunch: .minutes(15)
        }
    }
}

/// When people meet, board and leave: check-in <= boarding <= departure.
public struct TripTimes: Hashable, Sendable {
    public var checkIn: Instant
    public var boarding: Instant
    public var departure: Instant

    public init(checkIn: Instant, boarding: Instant, departure: Instant) {
        self.checkIn = checkIn
        self.boarding = boarding
        self.departure = departure
    }

    /// A trip that watches a launch is suggested to depart so long before lift-off.
    public static let viewingSpan = TimeSpan.hours(1)

    /// Derives boarding and check-in from the departure by the kind's usual spans.
    public init(departure: Instant, of kind: TripKind) {
        self.departure = departure
        boarding = departure - kind.boardingSpan
        checkIn = boarding - kind.boardingSpan
    }
}

/// One departure of a mission.
public struct TripScheduled: Hashable, Sendable {
    public var trip: TripID
    public var mission: MissionID
    public var launch: LaunchID
    public var location: LocationID
    public var kind: TripKind
    public var label: String?
    public var times: TripTimes
    public var saleMode: SaleMode
    public var salesOpenAt: Instant?
    public var isListed: Bool

    public init(
        trip: TripID, mission: MissionID, launch: LaunchID, location: LocationID, kind: TripKind,
        label: String?, times: TripTimes, saleMode: SaleMode, salesOpenAt: Instant?, isListed: Bool
    ) {
        self.trip = trip
        self.mission = mission
        self.launch = launch
        self.location = location
        self.kind = kind
        self.label = label
        self.times = times
        self.saleMode = saleMode
        self.salesOpenAt = salesOpenAt
        self.isListed = isListed
    }
}

public struct SaleModeSet: Hashable, Sendable {
    public var trip: TripID
    public var saleMode: SaleMode

    public init(trip: TripID, saleMode: SaleMode) {
        self.trip = trip
        self.saleMode = saleMode
    }
}

/// nil: the mode is no longer raised by itself.
public struct SalesOpeningSet: Hashable, Sendable {
    public var trip: TripID
    public var salesOpenAt: Instant?

    public init(trip: TripID, salesOpenAt: Instant?) {
        self.trip = trip
        self.salesOpenAt = salesOpenAt
    }
}

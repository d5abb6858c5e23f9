import Testing

@testable import Domain

/// More boats than the fleet's one: another of the same trip, and one of another trip of another mission.
enum Harbour {
    static let sister: SailingID = id(700)
    static let sisterBoat: BoatID = id(701)
    /// The sister's types have ids of their own.
    static let sisterAdult: TicketTypeID = id(702)
    static let laterMission: MissionID = id(703)
    static let laterTrip: TripID = id(704)
    static let later: SailingID = id(705)
    static let laterDeparture = departure + .days(3)
    /// Another jurisdiction, with a higher rate.
    static let texas: JurisdictionID = id(706)
    static let taxesOfTexas: [Event] = [
        .jurisdictionAdded(
            JurisdictionAdded(
                jurisdiction: texas, location: Fleet.location, name: "Cameron County")),
        .taxRateSet(
            TaxRateSet(
                jurisdiction: texas, rate: BasisPoints(825)!,
                effectiveFrom: Instant(microseconds: 0))),
    ]

    /// `sisterSeats` is the sister's capacity.
    static func events(
        sisterSeats: Int = 20, sisterPrice: Int = 9900,
        sisterIn jurisdiction: JurisdictionID = Fleet.jurisdiction
    ) -> [Event] {
        let types = [
            TicketType(
                id: sisterAdult, label: "Adult", price: Money(minorUnits: sisterPrice), cap: .shared
            )
        ]
        let fleet = Fleet()
        return fleet.events + [
            .boatRegistered(
                BoatRegistered(
                    boat: sisterBoat, provider: Fleet.provider, jurisdiction: jurisdiction,
                    name: "Triton", slug: "triton", capacity: sisterSeats, ticketTypes: types)),
            .boatAssigned(
                BoatAssigned(
                    sailing: sister, trip: Fleet.trip, mission: Fleet.mission,
                    launch: Fleet.launch, boat: sisterBoat, jurisdiction: jurisdiction,
                    limit: nil, ticketTypes: types)),
            .missionPlanned(
                MissionPlanned(
                    mission: laterMission, launch: Fleet.launch, name: "Take 2",
                    refundCutoffHours: 24)),
            .tripScheduled(
                TripScheduled(
                    trip: laterTrip, mission: laterMission, launch: Fleet.launch,
                    location: Fleet.location, kind: .launchViewing, label: nil,
                    times: TripTimes(departure: laterDeparture, of: .launchViewing),
                    saleMode: .private, salesOpenAt: nil, isListed: true)),
            .boatAssigned(
                BoatAssigned(
                    sailing: later, trip: laterTrip, mission: laterMission, launch: Fleet.launch,
                    boat: Fleet.boat, jurisdiction: Fleet.jurisdiction, limit: nil,
                    ticketTypes: fleet.types)),
        ]
    }

    static let adult = Place(sailing: Fleet.sailing, ticketType: Fleet.adult)
    static let deck = Place(sailing: Fleet.sailing, ticketType: Fleet.deck)
    static let onSister = Place(sailing: sister, ticketType: sisterAdult)
    static let onLater = Place(sailing: later, ticketType: Fleet.adult)
}

extension Story {
    /// What the booking of somebody is after a command.
    func after(
        _ command: some Command, of customer: Customer = ada, at now: Instant = noon
    ) throws -> (life: BookingLife, quote: Quote, money: BookingMoney, events: [Event]) {
        let events = try decide(command, at: now).get()
        let story = adding(events)
        let world = World(source: StorySource(story.history))
        let life = world.look(at: BookingLife.self, of: customer.booking)
        let placed = try #require(life.placed)
        return (
            life, placed.quote, world.look(at: BookingMoney.self, of: customer.booking), events
        )
    }

    func adding(_ events: [Event]) -> Story { Story(history: history + events) }

    func figures(of sailing: SailingID, at now: Instant = noon) -> SeatFigures {
        let world = World(source: StorySource(history))
        let seats = world.look(at: SailingSeats.self, of: sailing)
        let boat = seats.assigned.map { world.look(at: BoatTerms.self, of: $0.boat).capacity }
        return seats.figures(capacity: boat ?? 0, at: now)
    }
}

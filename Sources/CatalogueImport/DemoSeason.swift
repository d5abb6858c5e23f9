public import Domain

/// A few trips in the coming weeks, so that something is for sale: one launch each Saturday.
///
/// Ids are derived from the day, so a second start on the same day adds nothing, and one next week
/// adds a week.
public struct DemoSeason: Sendable {
    public let additions: [AddToCatalogue.Addition]
    /// What the first example sells.
    public let trip: TripID
    public let sailing: SailingID
    public let ticketType: TicketTypeID

    static let weekCount = 4

    /// Needs the locations and boats of the project's own catalogue.
    public init(around now: Instant) {
        let today = now.microseconds / 86_400_000_000
        // 1970-01-01 was a Thursday.
        let saturday = today + (9 - today % 7) % 7
        var additions: [AddToCatalogue.Addition] = []
        var first: (trip: TripID, sailing: SailingID)?
        for week in 1...Int64(Self.weekCount) {
            let day = saturday + week * 7
            let date = CivilDate(daysSince1970: day)
            let isEven = day / 7 % 2 == 0
            let location = isEven ? "canaveral" : "starbase"
            let liftOff = Instant(microseconds: (day * 86_400 + 20 * 3600) * 1_000_000)
            let reference = "demo/\(date.year)-\(date.month)-\(date.day)"
            let launch: LaunchID = CatalogueReader.id("launch", reference)
            let mission: MissionID = CatalogueReader.id("mission", reference)
            let trip: TripID = CatalogueReader.id("trip", reference)
            additions += [
                .launch(
                    LaunchAnnounced(
                        launch: launch, location: CatalogueReader.id("location", location),
                        name: "Saturday launch \(date.month)/\(date.day)", summary: nil,
                        liftOff: liftOff, confidence: .net)),
                .mission(
                    MissionPlanned(
                        mission: mission, launch: launch, name: "Take 1", refundCutoffHours: 12)),
                .trip(
                    TripScheduled(
                        trip: trip, mission: mission, launch: launch,
                        location: CatalogueReader.id("location", location), kind: .launchViewing,
                        label: nil,
                        times: TripTimes(
                            departure: liftOff - TripTimes.viewingSpan, of: .launchViewing),
                        saleMode: .public, salesOpenAt: nil, isListed: true)),
            ]
            for boat in isEven ? ["trident", "osprey"] : ["pelican", "dorado"] {
                let sailing: SailingID = CatalogueReader.id("sailing", "\(reference)/\(boat)")
                additions.append(
                    .sailing(
                        BoatAssigned(
                            sailing: sailing, trip: trip, mission: mission, launch: launch,
                            boat: CatalogueReader.id("boat", boat),
                            jurisdiction: ID(trip.entity), limit: nil, ticketTypes: [])))
                if first == nil { first = (trip, sailing) }
            }
        }
        self.additions = additions
        guard let first else { preconditionFailure("a season without a sailing") }
        trip = first.trip
        sailing = first.sailing
        let firstBoat = (saturday + 7) / 7 % 2 == 0 ? "trident" : "pelican"
        ticketType = CatalogueReader.id("ticketType", "\(firstBoat)/Adult")
    }
}

import EventCodec
import Testing

@testable import Domain

/// What the office brings into being before anything can be sold.
@Suite struct CatalogueTests {
    private let fleet = Story.given(Fleet().events)
    private let provider = ProviderAdded(
        provider: Fleet.provider, jurisdiction: Fleet.jurisdiction, name: "Port Charters",
        dock: "Dock 2", address: "1 Harbor Road", mapLink: nil)

    private func unknown<K>(_ kind: String, _ id: ID<K>) -> Refusal {
        .unknown(kind: kind, id: id.entity)
    }

    private func trip(
        _ times: TripTimes = TripTimes(departure: departure, of: .launchViewing),
        mission: MissionID = Fleet.mission, salesOpenAt: Instant? = nil
    ) -> TripScheduled {
        TripScheduled(
            trip: id(70), mission: mission, launch: id(71), location: id(72),
            kind: .launchViewing, label: nil, times: times, saleMode: .public,
            salesOpenAt: salesOpenAt, isListed: true)
    }

    private func sailing(
        trip: TripID = Fleet.trip, boat: BoatID = id(75), types: [TicketType] = [],
        limit: Int? = nil
    ) -> BoatAssigned {
        BoatAssigned(
            sailing: id(74), trip: trip, mission: id(71), launch: id(71), boat: boat,
            jurisdiction: id(71), limit: limit, ticketTypes: types)
    }

    private func boat(
        _ provider: ProviderID = Fleet.provider, capacity: Int = 20, types: [TicketType]? = nil
    ) -> BoatRegistered {
        BoatRegistered(
            boat: id(75), provider: provider, jurisdiction: id(71), name: "Argosy",
            slug: "argosy", capacity: capacity, ticketTypes: types ?? Fleet().types)
    }

    // MARK: Adding

    @Test("adds nothing to what is not there")
    func needsParents() {
        let nothing = Story.given([])
        let cases: [(AddToCatalogue.Addition, Refusal)] = [
            (
                .jurisdiction(
                    JurisdictionAdded(
                        jurisdiction: Fleet.jurisdiction, location: Fleet.location, name: "Brevard"),
                    rate: BasisPoints(700)!, effectiveFrom: noon),
                unknown("location", Fleet.location)
            ),
            (.provider(provider), unknown("jurisdiction", Fleet.jurisdiction)),
            (.boat(boat()), unknown("provider", Fleet.provider)),
            (
                .launch(
                    LaunchAnnounced(
                        launch: id(73), location: Fleet.location, name: "Artemis", summary: nil,
                        liftOff: departure, confidence: .net)), unknown("location", Fleet.location)
            ),
            (
                .mission(
                    MissionPlanned(
                        mission: id(73), launch: Fleet.launch, name: "Take 1",
                        refundCutoffHours: 12)), unknown("launch", Fleet.launch)
            ),
            (.trip(trip()), unknown("mission", Fleet.mission)),
            (.sailing(sailing()), unknown("trip", Fleet.trip)),
        ]
        for (addition, refusal) in cases { nothing.when(AddToCatalogue(addition)).then(refusal) }
        fleet.when(AddToCatalogue(.sailing(sailing()))).then(
            unknown("boat", id(75, Kind.Boat.self)))
    }

    @Test("adds a thing once, and refuses another of the same id")
    func addsOnce() {
        let story = fleet.adding([.providerAdded(provider)])
        story.when(AddToCatalogue(.provider(provider))).thenNothing()
        var other = provider
        other.dock = "Dock 3"
        story.when(AddToCatalogue(.provider(other)))
            .then(.alreadyExists(kind: "provider", id: Fleet.provider.entity))
    }

    @Test("schedules a trip of its mission's launch, with its times in their order")
    func schedulesTrips() {
        var fact = trip()
        (fact.launch, fact.location) = (Fleet.launch, Fleet.location)
        fleet.when(AddToCatalogue(.trip(trip()))).then(.tripScheduled(fact))
        #expect(fact.times.boarding == departure - .minutes(30))
        #expect(fact.times.checkIn == departure - .minutes(60))
        let before = TripTimes(departure: departure, of: .preLaunch)
        #expect(before.checkIn == departure - .minutes(30))
        for (checkIn, boarding) in [(-10, -20), (-20, 10)] {
            let times = TripTimes(
                checkIn: departure + .minutes(checkIn), boarding: departure + .minutes(boarding),
                departure: departure)
            fleet.when(AddToCatalogue(.trip(trip(times)))).then(
                .invalid(field: "boarding", reason: "check-in <= boarding <= departure must hold"))
        }
        // The last minute that can be written down, and half an hour more.
        let end = TripTimes(
            departure: Instant("9999-12-31T23:59:00Z")! + .minutes(30), of: .launchViewing)
        fleet.when(AddToCatalogue(.trip(trip(end)))).then(
            .invalid(
                field: "departure",
                reason: "must be in the years 1 to 9999, as its check-in and boarding"))
        fleet.when(AddToCatalogue(.trip(trip(salesOpenAt: departure))))
            .then(.invalid(field: "salesOpenAt", reason: "must be before departure"))
        // After lift-off is allowed.
        let late = TripTimes(departure: departure + .hours(2), of: .launchViewing)
        #expect(throws: Never.self) {
            try fleet.decide(AddToCatalogue(.trip(trip(late)))).get()
        }
    }

    @Test("gives a sailing the boat's types, and the jurisdiction that taxes its provider")
    func assignsBoats() throws {
        let story = fleet.adding([.providerAdded(provider)])
        let registered = try story.decide(AddToCatalogue(.boat(boat()))).get()
        guard case .boatRegistered(let fact) = registered.first else {
            Issue.record("another event came of it")
            return
        }
        #expect(fact.jurisdiction == Fleet.jurisdiction)
        let assigned = try story.adding(registered).decide(AddToCatalogue(.sailing(sailing())))
            .get()
        guard case .boatAssigned(let sold) = assigned.first else {
            Issue.record("another event came of it")
            return
        }
        #expect(sold.jurisdiction == Fleet.jurisdiction && sold.mission == Fleet.mission)
        #expect(sold.ticketTypes == Fleet().types)
        story.adding(registered).when(AddToCatalogue(.sailing(sailing(limit: 21))))
            .then(.limitAboveCapacity(limit: 21, capacity: 20))
        story.adding(registered).when(AddToCatalogue(.sailing(sailing(limit: -1))))
            .then(.invalid(field: "limit", reason: "must not be negative"))
        story.when(AddToCatalogue(.boat(boat(capacity: 0))))
            .then(.invalid(field: "capacity", reason: "must be at least 1"))
    }

    @Test("takes no ticket types that are none, repeated, too dear or capped below nothing")
    func checksTypes() {
        let type = Fleet().types[0]
        func changed(_ change: (inout TicketType) -> Void) -> [TicketType] {
            var other = type
            change(&other)
            return [other]
        }
        let limit = Money.minorUnitsLimit
        let cases: [([TicketType], String, String)] = [
            ([], "ticketTypes", "must be 1 to \(TicketType.countLimit)"),
            ([type, type], "ticketTypes", "must not repeat an id"),
            (
                changed { $0.price = Money(minorUnits: -1) }, "ticketTypes[0].price",
                "must be 0 to \(limit) cents"
            ),
            (
                changed { $0.price = Money(minorUnits: limit + 1) }, "ticketTypes[0].price",
                "must be 0 to \(limit) cents"
            ),
            (changed { $0.cap = .fixed(-1) }, "ticketTypes[0].cap", "must not be negative"),
        ]
        for (types, field, reason) in cases {
            fleet.when(SetBoatTicketTypes(boat: Fleet.boat, ticketTypes: types))
                .then(.invalid(field: field, reason: reason))
        }
        fleet.when(SetBoatTicketTypes(boat: Fleet.boat, ticketTypes: Fleet().types)).thenNothing()
        fleet.when(SetBoatTicketTypes(boat: id(99), ticketTypes: [type]))
            .then(unknown("boat", id(99, Kind.Boat.self)))
    }

    // MARK: Tax

    @Test("taxes at the rate in force, from the instant on from which it is")
    func changesRates() throws {
        let change = SetTaxRate(
            jurisdiction: Fleet.jurisdiction, rate: BasisPoints(1000)!,
            effectiveFrom: noon + .seconds(1))
        let story = fleet.adding(try fleet.decide(change).get())
        func tax(at now: Instant) throws -> Int? {
            guard
                case .bookingPlaced(let fact) = try story.decide(ada.order(1), at: now).get().first
            else { return nil }
            return fact.quote.taxes.first?.amount.minorUnits
        }
        #expect(try tax(at: noon) == 903)
        #expect(try tax(at: noon + .seconds(1)) == 1290)
        fleet.when(
            SetTaxRate(jurisdiction: id(99), rate: BasisPoints(1)!, effectiveFrom: noon)
        ).then(unknown("jurisdiction", id(99, Kind.Jurisdiction.self)))
    }

    @Test("taxes an order over boats of two jurisdictions side by side")
    func taxesSideBySide() throws {
        let story = Story.given(
            Harbour.events(sisterPrice: 10000, sisterIn: Harbour.texas), Harbour.taxesOfTexas)
        var order = ada.order(1)
        order.order.lines.append(
            OrderLine(
                trip: Fleet.trip, sailing: Harbour.sister, ticketType: Harbour.sisterAdult,
                quantity: 1))
        let fact = try story.decide(order).get().placed
        #expect(fact.quote.taxes.map(\.jurisdiction) == [Fleet.jurisdiction, Harbour.texas])
        #expect(fact.quote.taxes.map(\.amount.minorUnits) == [903, 825])
        #expect(fact.quote.total.minorUnits == 12900 + 10000 + 903 + 825)
    }

    // MARK: Changing

    @Test("changes who may find and buy a trip, each change once")
    func changesTrips() {
        let trip = Fleet.trip
        let cases: [(ChangeTrip.Change, Event)] = [
            (
                .saleMode(.private), .saleModeSet(SaleModeSet(trip: trip, saleMode: .private))
            ),
            (
                .salesOpening(noon),
                .salesOpeningSet(SalesOpeningSet(trip: trip, salesOpenAt: noon))
            ),
            (.listed(false), .tripUnlisted(trip)), (.active(false), .tripDeactivated(trip)),
            (.archived(true), .tripArchived(trip)),
        ]
        for (change, event) in cases {
            let command = ChangeTrip(trip: trip, changes: [change])
            fleet.when(command).then(event)
            fleet.adding([event]).when(command).thenNothing()
        }
        fleet.when(ChangeTrip(trip: trip, changes: [.salesOpening(departure)]))
            .then(.invalid(field: "salesOpenAt", reason: "must be before departure"))
        fleet.when(ChangeTrip(trip: id(99), changes: [.listed(true)]))
            .then(unknown("trip", id(99, Kind.Trip.self)))
    }

    @Test(
        "takes missions and launches off sale and brings them back, and sets refund cutoffs, each once"
    )
    func changesMissions() {
        let pairs: [(ChangeMission.Change, Event)] = [
            (.active(false), .missionDeactivated(Fleet.mission)),
            (.archived(true), .missionArchived(Fleet.mission)),
            (
                .refundCutoff(hours: 48),
                .refundCutoffSet(RefundCutoffSet(mission: Fleet.mission, hours: 48))
            ),
        ]
        fleet.when(ChangeMission(mission: Fleet.mission, changes: [.refundCutoff(hours: 73)]))
            .then(.invalid(field: "refundCutoffHours", reason: "must be 0 to 72"))
        for (change, event) in pairs {
            let command = ChangeMission(mission: Fleet.mission, changes: [change])
            fleet.when(command).then(event)
            fleet.adding([event]).when(command).thenNothing()
        }
        fleet.when(ChangeMission(mission: id(99), changes: [.active(false)]))
            .then(unknown("mission", id(99, Kind.Mission.self)))
        let archive = ArchiveLaunch(launch: Fleet.launch, isArchived: true)
        fleet.when(archive).then(.launchArchived(Fleet.launch))
        let archived = fleet.adding([.launchArchived(Fleet.launch)])
        archived.when(archive).thenNothing()
        archived.when(ArchiveLaunch(launch: Fleet.launch, isArchived: false))
            .then(.launchUnarchived(Fleet.launch))
        fleet.when(ArchiveLaunch(launch: id(99), isArchived: true))
            .then(unknown("launch", id(99, Kind.Launch.self)))
    }
}

/// Who works here, and which programs may act.
@Suite struct StaffRuleTests {
    @Test("opens an account in a role, changes that, and closes it for good")
    func managesStaff() {
        let account: AccountID = id(1)
        func manage(_ deeds: ManageStaff.Deed...) -> ManageStaff {
            ManageStaff(account: account, deeds: deeds)
        }
        let opened = Event.staffAccountOpened(StaffAccountOpened(account: account, role: .dock))
        let nobody = Story.given([])
        nobody.when(manage(.open(.dock))).then(opened)
        for deed in [ManageStaff.Deed.role(.office), .close] {
            nobody.when(manage(deed)).then(.unknown(kind: "account", id: account.entity))
        }
        let story = Story.given([opened])
        story.when(manage(.open(.dock))).thenNothing()
        story.when(manage(.open(.owner)))
            .then(.alreadyExists(kind: "account", id: account.entity))
        story.when(manage(.role(.dock))).thenNothing()
        story.when(manage(.role(.office)))
            .then(.staffRoleSet(StaffRoleSet(account: account, role: .office)))
        story.when(manage(.close)).then(.staffAccountClosed(account))
        story.adding([.staffAccountClosed(account)]).when(manage(.close)).thenNothing()
    }

    @Test("issues a program's key once, for something, and revokes it for good")
    func issuesKeys() {
        let fact = APIKeyIssued(key: id(1), label: "Hotel", scopes: [.reseller], commission: nil)
        let nothing = Story.given([])
        nothing.when(IssueAPIKey(fact)).then(.apiKeyIssued(fact))
        var none = fact
        none.scopes = []
        nothing.when(IssueAPIKey(none)).then(.invalid(field: "scopes", reason: "must not be empty"))
        let story = Story.given([.apiKeyIssued(fact)])
        story.when(IssueAPIKey(fact)).thenNothing()
        var other = fact
        other.label = "Beach hotel"
        story.when(IssueAPIKey(other)).then(.alreadyExists(kind: "API key", id: fact.key.entity))
        story.when(RevokeAPIKey(key: fact.key)).then(.apiKeyRevoked(fact.key))
        story.adding([.apiKeyRevoked(fact.key)]).when(RevokeAPIKey(key: fact.key)).thenNothing()
        nothing.when(RevokeAPIKey(key: fact.key))
            .then(.unknown(kind: "API key", id: fact.key.entity))
    }

    @Test("writes notes on bookings that there are")
    func writesNotes() {
        let note = WriteStaffNote(booking: ada.booking, note: Sealed(bytes: [7]))
        Story.given(Fleet().events, ada.placed(1)).when(note).then(
            .staffNoteWritten(
                StaffNoteWritten(
                    booking: ada.booking, customer: ada.customer, note: Sealed(bytes: [7]))))
        Story.given(Fleet().events).when(note)
            .then(.unknown(kind: "booking", id: ada.booking.entity))
    }

    @Test("adds a jurisdiction once, and refuses it with another rate")
    func knowsRates() {
        func add(_ rate: Int) -> AddToCatalogue {
            AddToCatalogue(
                .jurisdiction(
                    JurisdictionAdded(
                        jurisdiction: Fleet.jurisdiction, location: Fleet.location, name: "Brevard"),
                    rate: BasisPoints(rate)!, effectiveFrom: noon))
        }
        let location = Event.locationAdded(
            LocationAdded(
                location: Fleet.location, name: "Cape", region: "FL", timeZone: "America/New_York"))
        let added = try? Story.given([location]).decide(add(700)).get()
        #expect(added?.map(\.type) == [.jurisdictionAdded, .taxRateSet])
        let known = Story.given([location], added ?? [])
        known.when(add(700)).thenNothing()
        known.when(add(900))
            .then(.alreadyExists(kind: "jurisdiction", id: Fleet.jurisdiction.entity))
    }
}

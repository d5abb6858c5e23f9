import Testing

@testable import Domain

@Suite struct SailingTests {
    private static let child = TicketType(
        id: id(30), label: "Child", price: Money(minorUnits: 6900), cap: .fixed(10))

    private func changed<Value>(_ value: Value) -> TicketTypeChanged<Value> {
        TicketTypeChanged(sailing: Fleet.sailing, ticketType: Fleet.adult, value: value)
    }

    private func change(
        _ changes: ChangeTicketType.Change..., of type: TicketTypeID = Fleet.adult
    ) -> ChangeTicketType {
        ChangeTicketType(sailing: Fleet.sailing, ticketType: type, changes: changes)
    }

    // MARK: Ticket types

    @Test("puts a further type on sale, once")
    func definesTypes() throws {
        let defined = Event.ticketTypeDefined(
            TicketTypeDefined(sailing: Fleet.sailing, ticketType: Self.child))
        let define = DefineTicketType(sailing: Fleet.sailing, ticketType: Self.child)
        Story.given(Fleet().events).when(define).then(defined)
        let story = Story.given(Fleet().events, [defined])
        story.when(define).thenNothing()
        var other = Self.child
        other.label = "Infant"
        story.when(DefineTicketType(sailing: Fleet.sailing, ticketType: other))
            .then(.alreadyExists(kind: "ticket type", id: other.id.entity))
        #expect(throws: Never.self) { try story.decide(ada.order(10, type: Self.child.id)).get() }
        story.when(ada.order(11, type: Self.child.id)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Self.child.id, available: 10, wanted: 11))
    }

    @Test("changes label, price and cap, and leaves alone what is so")
    func changesTypes() {
        let story = Story.given(Fleet().events)
        story.when(change(.label("Grown-up"), .price(.zero), .cap(.fixed(0)))).then(
            .ticketTypeRelabelled(changed("Grown-up")), .ticketTypeRepriced(changed(.zero)),
            .ticketTypeCapped(changed(.fixed(0))))
        story.when(change(.label("Adult"), .price(Money(minorUnits: 12900)), .cap(.shared)))
            .thenNothing()
        story.when(change(.label("x"), of: id(99)))
            .then(.unknown(kind: "ticket type", id: id(99, Kind.TicketType.self).entity))
    }

    @Test("takes an override price of nothing for a price of nothing")
    func sellsForNothing() throws {
        let story = Story.given(Fleet().events, [.ticketTypeRepriced(changed(.zero))])
        let events = try story.decide(ada.order(2)).get()
        let fact = try events.placed
        #expect(fact.quote.total == .zero)
    }

    @Test("sells none of a type whose cap is nothing")
    func sellsNone() {
        Story.given(Fleet().events, [.ticketTypeCapped(changed(.fixed(0)))]).when(ada.order(1))
            .then(
                .notEnoughSeats(
                    sailing: Fleet.sailing, ticketType: Fleet.adult, available: 0, wanted: 1))
    }

    @Test("brings the boat's own cap back, or none where the boat has no such type")
    func inheritsCaps() {
        let capped = Event.ticketTypeCapped(
            TicketTypeChanged(
                sailing: Fleet.sailing, ticketType: Fleet.deck, value: .fixed(40)))
        Story.given(Fleet().events, [capped]).when(change(.inheritedCap, of: Fleet.deck)).then(
            .ticketTypeCapped(
                TicketTypeChanged(
                    sailing: Fleet.sailing, ticketType: Fleet.deck, value: .fixed(4))))
        let defined = Event.ticketTypeDefined(
            TicketTypeDefined(sailing: Fleet.sailing, ticketType: Self.child))
        Story.given(Fleet().events, [defined]).when(change(.inheritedCap, of: Self.child.id)).then(
            .ticketTypeCapped(
                TicketTypeChanged(
                    sailing: Fleet.sailing, ticketType: Self.child.id, value: .shared)))
    }

    @Test("refuses a cap below what is taken, and a withdrawal while any is")
    func refusesTypesInUse() {
        let story = Story.given(Fleet().events, ada.placed(3))
        story.when(change(.cap(.fixed(2))))
            .then(.capBelowUse(ticketType: Fleet.adult, cap: 2, used: 3))
        story.when(change(.cap(.fixed(3)))).then(.ticketTypeCapped(changed(.fixed(3))))
        story.when(WithdrawTicketType(sailing: Fleet.sailing, ticketType: Fleet.adult))
            .then(.ticketTypeInUse(ticketType: Fleet.adult, used: 3))
        let withdrawn = TicketTypeWithdrawn(sailing: Fleet.sailing, ticketType: Fleet.deck)
        story.when(WithdrawTicketType(sailing: Fleet.sailing, ticketType: Fleet.deck))
            .then(.ticketTypeWithdrawn(withdrawn))
        let last = Story.given(Fleet().events, [.ticketTypeWithdrawn(withdrawn)])
        last.when(WithdrawTicketType(sailing: Fleet.sailing, ticketType: Fleet.adult))
            .then(.invalid(field: "ticketType", reason: "is the last one of its sailing"))
        last.when(ada.order(1, type: Fleet.deck))
            .then(.unknown(kind: "ticket type", id: Fleet.deck.entity))
    }

    @Test("rewrites no past booking when a type is relabelled or repriced")
    func keepsPastBookings() throws {
        let held = ada.placed(2)
        let story = Story.given(
            Fleet().events, held,
            [.ticketTypeRelabelled(changed("Grown-up")), .ticketTypeRepriced(changed(.zero))])
        story.when(ConfirmBooking(booking: ada.booking, basis: .free))
            .then(.paymentDue(total: Money(minorUnits: 27606)))
        let events = try story.decide(bob.order(1)).get()
        let fact = try events.placed
        #expect(fact.quote.lines[0].label == "Grown-up")
    }

    // MARK: The boat

    @Test("takes a boat off a trip when nobody has a seat on it, and sells it no more")
    func unassigns() {
        let gone = Event.boatUnassigned(
            BoatUnassigned(sailing: Fleet.sailing, trip: Fleet.trip, boat: Fleet.boat))
        let unassign = UnassignBoat(sailing: Fleet.sailing)
        Story.given(Fleet().events).when(unassign).then(gone)
        Story.given(Fleet().events, ada.placed(2)).when(unassign)
            .then(.sailingInUse(sailing: Fleet.sailing, committed: 0, held: 2))
        Story.given(Fleet().events, ada.placed(2), ada.confirmed(2)).when(unassign)
            .then(.sailingInUse(sailing: Fleet.sailing, committed: 2, held: 0))
        Story.given(Fleet().events, ada.placed(2)).when(unassign, at: noon + .minutes(10))
            .then(gone)
        Story.given(Fleet().events, [gone]).when(ada.order(1))
            .then(.unknown(kind: "sailing", id: Fleet.sailing.entity))
    }

    // MARK: Beyond the operator's limit

    private func beyond(_ seats: Int, _ customer: Customer = ada) -> PlaceBooking {
        var order = customer.order(seats, seller: .staff)
        order.order.mayOversell = true
        order.oversaleReason = "the crew's parents"
        return order
    }

    private func authorised(_ seats: Int) -> Event {
        .oversaleAuthorised(
            OversaleAuthorised(
                sailing: Fleet.sailing, booking: ada.booking, seatCount: seats,
                reason: "the crew's parents"))
    }

    @Test("lets staff sell beyond the operator's limit, and says how far in an event of its own")
    func oversells() throws {
        let fleet = Fleet(capacity: 5, limit: 3)
        let events = try Story.given(fleet.events).decide(beyond(5)).get()
        #expect(events.first == authorised(2))
        #expect(events.count == 2)
        let within = try Story.given(fleet.events).decide(beyond(3)).get()
        #expect(within.count == 1)
    }

    @Test("lets nobody sell beyond the boat's capacity")
    func neverAboveCapacity() {
        let fleet = Fleet(capacity: 5, limit: 3)
        Story.given(fleet.events).when(beyond(6))
            .then(.aboveCapacity(sailing: Fleet.sailing, capacity: 5, used: 0, wanted: 6))
        Story.given(fleet.events, bob.placed(3, fleet: fleet)).when(beyond(3))
            .then(.aboveCapacity(sailing: Fleet.sailing, capacity: 5, used: 3, wanted: 3))
    }

    @Test("sells the public nothing of what was sold beyond the limit, not even when it comes back")
    func keepsOversalesApart() throws {
        let fleet = Fleet(capacity: 6, limit: 3)
        let sold = try Story.given(fleet.events).decide(beyond(5)).get()
        let full = Refusal.notEnoughSeats(
            sailing: Fleet.sailing, ticketType: Fleet.adult, available: 0, wanted: 1)
        Story.given(fleet.events, sold).when(bob.order(1)).then(full)
        Story.given(fleet.events, sold).when(
            SetSailingLimit(sailing: Fleet.sailing, limit: 2)
        ).then(.limitBelowUse(limit: 2, used: 5))
        // One that is above what it was is no lowering; nothing becomes free by it.
        Story.given(fleet.events, sold).when(SetSailingLimit(sailing: Fleet.sailing, limit: 4))
            .then(.sailingLimitSet(SailingLimitSet(sailing: Fleet.sailing, limit: 4)))
        let late = noon + .minutes(10)
        let back = Refusal.notEnoughSeats(
            sailing: Fleet.sailing, ticketType: Fleet.adult, available: 3, wanted: 4)
        Story.given(fleet.events, sold).when(bob.order(4), at: late).then(back)
        // When others come back, what was sold beyond the limit has their seats.
        let before = bob.placed(2, fleet: fleet)
        let beyondBob = try Story.given(fleet.events, before).decide(beyond(3)).get()
        #expect(beyondBob.first == authorised(2))
        let gone = Event.bookingAbandoned(
            HoldEnded(booking: bob.booking, holdings: bob.holdings(2)))
        let after = Story.given(fleet.events, before, beyondBob, [gone])
        #expect(after.figures(of: Fleet.sailing).available == 0)
        let abandoned = Event.bookingAbandoned(
            HoldEnded(booking: ada.booking, holdings: ada.holdings(5)))
        Story.given(fleet.events, sold, [abandoned]).when(bob.order(4)).then(back)
    }

    @Test("changes types of a sailing that was sold beyond its limit")
    func changesOversold() throws {
        let fleet = Fleet(capacity: 5, limit: 3)
        let sold = try Story.given(fleet.events).decide(beyond(5)).get()
        let story = Story.given(fleet.events, sold)
        story.when(change(.cap(.fixed(4))))
            .then(.capBelowUse(ticketType: Fleet.adult, cap: 4, used: 5))
        story.when(UnassignBoat(sailing: Fleet.sailing))
            .then(.sailingInUse(sailing: Fleet.sailing, committed: 0, held: 5))
    }

    @Test("refuses a boat fewer passengers than are to go with it, until they have gone")
    func keepsCapacity() {
        let story = Story.given(Fleet().events, ada.placed(3), ada.confirmed(3))
        let change = ChangeBoatCapacity(boat: Fleet.boat, capacity: 2)
        let changed = Event.boatCapacityChanged(BoatCapacityChanged(boat: Fleet.boat, capacity: 2))
        story.when(change).then(.limitBelowUse(limit: 2, used: 3))
        story.when(change, at: departure).then(changed)
        story.when(ChangeBoatCapacity(boat: Fleet.boat, capacity: 3))
            .then(.boatCapacityChanged(BoatCapacityChanged(boat: Fleet.boat, capacity: 3)))
    }

    @Test(
        "gives a boat's next sailing the types that the boat has by then, and leaves the others theirs"
    )
    func changesBoatTypes() {
        let types = [
            TicketType(
                id: Fleet.adult, label: "Deck", price: Money(minorUnits: 150_00), cap: .shared)
        ]
        let set = SetBoatTicketTypes(boat: Fleet.boat, ticketTypes: types)
        let changed = Event.boatTicketTypesSet(
            BoatTicketTypesSet(boat: Fleet.boat, ticketTypes: types))
        let before = Story.given(Fleet().events)
        before.when(set).then(changed)
        let story = Story.given(Fleet().events, [changed])
        story.when(set).thenNothing()
        func assigned(_ sailing: SailingID, _ types: [TicketType]) -> BoatAssigned {
            BoatAssigned(
                sailing: sailing, trip: Fleet.trip, mission: Fleet.mission, launch: Fleet.launch,
                boat: Fleet.boat, jurisdiction: Fleet.jurisdiction, limit: nil, ticketTypes: types)
        }
        let next: SailingID = id(70)
        let gone = Event.boatUnassigned(
            BoatUnassigned(sailing: Fleet.sailing, trip: Fleet.trip, boat: Fleet.boat))
        story.adding([gone]).when(AddToCatalogue(.sailing(assigned(next, []))))
            .then(.boatAssigned(assigned(next, types)))
        story.when(AddToCatalogue(.sailing(assigned(Fleet.sailing, [])))).thenNothing()
        // The boat is there once, and has its seats once.
        story.when(AddToCatalogue(.sailing(assigned(next, []))))
            .then(.alreadyExists(kind: "sailing", id: Fleet.sailing.entity))
        story.adding([gone]).when(AddToCatalogue(.sailing(assigned(Fleet.sailing, []))))
            .then(
                .invalid(
                    field: "sailing",
                    reason: "was taken off its trip: give the boat a new sailing"))
        story.adding([gone])
            .when(AddToCatalogue(.sailing(assigned(Fleet.sailing, [])), isOfFile: true))
            .thenNothing()
        before.when(SetBoatTicketTypes(boat: Fleet.boat, ticketTypes: []))
            .then(.invalid(field: "ticketTypes", reason: "must be 1 to 20"))
    }

    @Test("confirms what was sold beyond the limit")
    func confirmsOversales() throws {
        let fleet = Fleet(capacity: 5, limit: 3)
        let sold = try Story.given(fleet.events).decide(beyond(5)).get()
        let confirmed = try Story.given(fleet.events, sold)
            .decide(ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)).get()
        let story = Story.given(fleet.events, sold, confirmed)
        story.when(bob.order(1), at: noon + .hours(3)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 0, wanted: 1))
    }
}

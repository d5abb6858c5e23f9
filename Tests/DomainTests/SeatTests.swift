import Testing

@testable import Domain

@Suite struct SeatTests {
    @Test("sets seats aside until the hold's deadline")
    func places() {
        guard case .success(let events) = Story.given(Fleet().events).decide(ada.order(2)),
            case .bookingPlaced(let fact) = events.first
        else { return #expect(Bool(false), "no booking was placed") }
        #expect(fact.deadline == noon + .minutes(10))
        #expect(fact.quote.holdings == ada.holdings(2))
        #expect(fact.mission == Fleet.mission)
    }

    @Test("sells the last seat, and refuses the next with the figures")
    func refusesWhenFull() {
        let fleet = Fleet(capacity: 3)
        let story = Story.given(fleet.events, ada.placed(2, fleet: fleet))
        #expect(throws: Never.self) { try story.decide(bob.order(1)).get() }
        story.when(bob.order(2)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 1, wanted: 2))
    }

    @Test("gives away the seats of a hold that has run out, though nobody has recorded it")
    func reusesSeatsOfLapsedHold() {
        let fleet = Fleet(capacity: 2)
        let story = Story.given(fleet.events, ada.placed(2, until: noon, fleet: fleet))
        story.when(bob.order(2), at: noon - .seconds(1)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 0, wanted: 2))
        #expect(throws: Never.self) { try story.decide(bob.order(2), at: noon).get() }
    }

    @Test("keeps to a ticket type's own cap")
    func respectsTypeCap() {
        Story.given(Fleet().events).when(ada.order(5, type: Fleet.deck)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.deck, available: 4, wanted: 5))
        Story.given(Fleet(deckCap: .fixed(0)).events).when(ada.order(1, type: Fleet.deck)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.deck, available: 0, wanted: 1))
    }

    @Test("keeps to the operator's limit where it is lower than the boat's capacity")
    func respectsLimit() {
        Story.given(Fleet(capacity: 50, limit: 10).events).when(ada.order(11)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 10, wanted: 11))
    }

    @Test("keeps to the law though the limit was set when the boat could carry more")
    func respectsCapacity() {
        let smaller = Event.boatCapacityChanged(BoatCapacityChanged(boat: Fleet.boat, capacity: 5))
        Story.given(Fleet(capacity: 50, limit: 40).events, [smaller]).when(ada.order(6)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 5, wanted: 6))
    }

    @Test("refuses a limit above the boat's capacity or below what is taken")
    func refusesBadLimits() {
        let story = Story.given(Fleet(capacity: 50).events, ada.placed(7))
        story.when(SetSailingLimit(sailing: Fleet.sailing, limit: 51))
            .then(.limitAboveCapacity(limit: 51, capacity: 50))
        story.when(SetSailingLimit(sailing: Fleet.sailing, limit: 6))
            .then(.limitBelowUse(limit: 6, used: 7))
        story.when(SetSailingLimit(sailing: Fleet.sailing, limit: 7))
            .then(.sailingLimitSet(SailingLimitSet(sailing: Fleet.sailing, limit: 7)))
    }

    @Test("sells nothing while sales are paused, and goes on when they are resumed")
    func pauses() {
        Story.given(Fleet().events, [.salesPaused(Fleet.sailing)]).when(ada.order(1))
            .then(.salesPaused(sailing: Fleet.sailing))
        let resumed = Story.given(
            Fleet().events, [.salesPaused(Fleet.sailing), .salesResumed(Fleet.sailing)])
        #expect(throws: Never.self) { try resumed.decide(ada.order(1)).get() }
    }

    @Test("gives each seat back once, whatever ends a booking")
    func givesBackOnce() {
        let fleet = Fleet(capacity: 2)
        let expired = Event.holdExpired(HoldEnded(booking: ada.booking, holdings: ada.holdings(2)))
        let cancelled = Event.bookingCancelled(
            BookingCancelled(
                booking: ada.booking, holdings: .none, wasHeld: false, reason: "weather"))
        let story = Story.given(
            fleet.events, ada.placed(2, fleet: fleet), [expired, expired, cancelled])
        story.when(bob.order(3)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 2, wanted: 3))
    }

    @Test("keeps exact count of holds through random histories")
    func countsHolds() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var holds = LiveHolds<TicketTypeID>()
            var model: [BookingID: (deadline: Instant, seats: Int)] = [:]
            var now = noon
            for _ in 0..<60 {
                let booking: BookingID = id(UInt64.random(in: 1...12, using: &generator))
                switch Int.random(in: 0..<5, using: &generator) {
                case 0, 1:
                    let seats = Int.random(in: 1...5, using: &generator)
                    let deadline = now + .seconds(Int.random(in: 1...50, using: &generator))
                    holds.add(
                        booking, deadline: deadline, [Portion(of: Fleet.adult, quantity: seats)])
                    model[booking] = (deadline, seats)
                case 2:
                    let deadline = now + .seconds(Int.random(in: 1...90, using: &generator))
                    holds.extend(booking, to: deadline)
                    if model[booking] != nil, holds[booking] != nil {
                        model[booking]?.deadline = deadline
                    }
                case 3:
                    holds.remove(booking)
                    model[booking] = nil
                default:
                    now = now + .seconds(Int.random(in: 0...20, using: &generator))
                    if Bool.random(using: &generator) {
                        holds.lapse(at: now)
                        model = model.filter { $0.value.deadline > now }
                    }
                }
                let live = model.values.filter { $0.deadline > now }.reduce(0) { $0 + $1.seats }
                #expect(holds.tally(at: now).total == live)
            }
        }
    }
}

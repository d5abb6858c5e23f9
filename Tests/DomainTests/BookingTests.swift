import Testing

@testable import Domain

@Suite struct BookingTests {
    private let held = Story.given(Fleet().events, ada.placed(2))
    private let sold = Story.given(Fleet().events, ada.placed(2), ada.confirmed(2))

    @Test("confirms a hold by what is paid at the dock, once")
    func confirms() {
        let confirm = ConfirmBooking(
            booking: ada.booking, basis: .paidAtTheDock, means: .cardTerminal)
        held.when(confirm).then(
            .paymentSucceeded(
                ChargeMade(
                    payment: id(102), booking: ada.booking, amount: Money(minorUnits: 27606),
                    provider: .dock, means: .cardTerminal)),
            .bookingConfirmed(
                BookingConfirmed(
                    booking: ada.booking, holdings: ada.holdings(2), basis: .paidAtTheDock)))
        sold.when(confirm).thenNothing()
    }

    @Test("confirms nothing as free that has a price")
    func refusesFree() {
        held.when(ConfirmBooking(booking: ada.booking, basis: .free))
            .then(.paymentDue(total: Money(minorUnits: 27606)))
    }

    @Test("refuses to confirm or extend a hold that is over, recorded or not")
    func refusesOverHolds() {
        let deadline = noon + .minutes(10)
        let expired = Event.holdExpired(HoldEnded(booking: ada.booking, holdings: ada.holdings(2)))
        for story in [held, Story.given(Fleet().events, ada.placed(2), [expired])] {
            story.when(ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock), at: deadline)
                .then(.holdOver(deadline: deadline))
            story.when(ExtendHold(booking: ada.booking, policy: policy), at: deadline)
                .then(.holdOver(deadline: deadline))
        }
    }

    @Test(
        "lets only the hold be over whose seats were sold too early, by another clock, and no other"
    )
    func blamesResoldHold() throws {
        let fleet = Fleet(capacity: 3)
        let (carol, late) = (Customer(3), noon + .minutes(20))
        // Bob's seats are sold to Carol when his hold has run out by her clock, and not yet by ours.
        let story = Story.given(
            fleet.events, bob.placed(2, fleet: fleet), ada.placed(1, until: late, fleet: fleet),
            carol.placed(2, until: late, fleet: fleet))
        let now = noon + .minutes(10) - .seconds(1)
        func confirm(_ customer: Customer) -> ConfirmBooking {
            ConfirmBooking(booking: customer.booking, basis: .paidAtTheDock)
        }
        story.when(confirm(bob), at: now).then(.holdOver(deadline: noon + .minutes(10)))
        let sold = story.adding(try story.decide(confirm(ada), at: now).get())
        let all = sold.adding(try sold.decide(confirm(carol), at: now).get())
        all.when(confirm(bob), at: now).then(.holdOver(deadline: noon + .minutes(10)))
        #expect(all.figures(of: Fleet.sailing, at: noon + .minutes(10)).committed == 3)
    }

    @Test("refuses to confirm when another process has sold the seats as run out")
    func refusesResoldSeats() {
        let fleet = Fleet(capacity: 2)
        let story = Story.given(
            fleet.events, ada.placed(2, fleet: fleet), bob.placed(2, fleet: fleet),
            bob.confirmed(2))
        story.when(ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock))
            .then(.holdOver(deadline: noon + .minutes(10)))
    }

    @Test("extends a hold a named number of times")
    func extends() {
        let extended = { (minutes: Int) -> Event in
            .holdExtended(
                HoldExtended(
                    booking: ada.booking, sailings: [Fleet.sailing],
                    deadline: noon + .minutes(minutes)))
        }
        let later = noon + .minutes(5)
        held.when(ExtendHold(booking: ada.booking, policy: policy), at: later).then(extended(15))
        // Where that would be no later, nothing is used up.
        held.when(ExtendHold(booking: ada.booking, policy: policy), at: noon).thenNothing()
        Story.given(Fleet().events, ada.placed(2), [extended(15), extended(25)])
            .when(ExtendHold(booking: ada.booking, policy: policy), at: later)
            .then(.extensionLimitReached(limit: 2))
    }

    @Test("holds nothing beyond the departure, and sells nothing of what is held after it")
    func endsWithDeparture() throws {
        let late = departure - .minutes(4)
        guard
            case .bookingPlaced(let fact) = try Story.given(Fleet().events)
                .decide(ada.order(2), at: late).get().last
        else {
            Issue.record("another event came of it")
            return
        }
        #expect(fact.deadline == departure)
        let story = Story.given(Fleet().events, [.bookingPlaced(fact)])
        let extend = ExtendHold(booking: ada.booking, policy: policy)
        story.when(extend, at: late + .minutes(1)).then(.holdEndsAtDeparture(departure))
        let confirm = ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)
        story.when(confirm, at: departure).then(.holdOver(deadline: departure))
        story.when(
            StartPayment(payment: id(1), booking: ada.booking, provider: .sandbox), at: departure
        ).then(.holdOver(deadline: departure))
        // A hold of some minutes earlier is extended until then.
        let early = Story.given(Fleet().events, ada.placed(2, until: departure - .minutes(2)))
        guard case .holdExtended(let extended) = try early.decide(extend, at: late).get().first
        else {
            Issue.record("another event came of it")
            return
        }
        #expect(extended.deadline == departure)
    }

    @Test("records that a hold has run out, once, and not too early")
    func expires() {
        let expired = Event.holdExpired(HoldEnded(booking: ada.booking, holdings: ada.holdings(2)))
        let deadline = noon + .minutes(10)
        held.when(ExpireHold(booking: ada.booking), at: deadline).then(expired)
        held.when(ExpireHold(booking: ada.booking), at: deadline - .seconds(1))
            .then(.holdNotOver(deadline: deadline))
        Story.given(Fleet().events, ada.placed(2), [expired])
            .when(ExpireHold(booking: ada.booking), at: deadline).thenNothing()
        sold.when(ExpireHold(booking: ada.booking), at: deadline).thenNothing()
    }

    @Test("lets a customer walk away from a hold, and from nothing else")
    func abandons() {
        held.when(AbandonBooking(booking: ada.booking))
            .then(.bookingAbandoned(HoldEnded(booking: ada.booking, holdings: ada.holdings(2))))
        sold.when(AbandonBooking(booking: ada.booking))
            .then(.notInThatState(status: .confirmed, wanted: "held"))
    }

    @Test("cancels what was looked at, and nothing that has changed since")
    func cancels() throws {
        let version = Int64(Fleet().events.count + 3)
        let cancel = CancelBooking(booking: ada.booking, reason: "ill", version: version)
        #expect(
            try sold.decide(cancel).get().first
                == .bookingCancelled(
                    BookingCancelled(
                        booking: ada.booking, holdings: ada.holdings(2), wasHeld: false,
                        reason: "ill")))
        sold.when(CancelBooking(booking: ada.booking, reason: "ill", version: version - 1))
            .then(.versionMismatch(expected: version - 1, current: version))
    }

    @Test("gives no seats back when what is cancelled has given them back already")
    func cancelsExpired() {
        let expired = Event.holdExpired(HoldEnded(booking: ada.booking, holdings: ada.holdings(2)))
        Story.given(Fleet().events, ada.placed(2), [expired])
            .when(
                CancelBooking(
                    booking: ada.booking, reason: "late", version: Int64(Fleet().events.count + 2))
            )
            .then(
                .bookingCancelled(
                    BookingCancelled(
                        booking: ada.booking, holdings: .none, wasHeld: false, reason: "late")))
    }

    @Test("checks people in one by one, twice as once, and takes it back")
    func checksIn() {
        func aboard(_ numbers: [Int]) -> PassengersChecked {
            PassengersChecked(booking: ada.booking, sailing: Fleet.sailing, passengers: numbers)
        }
        func checkIn(_ numbers: [Int]?) -> CheckInPassengers {
            CheckInPassengers(booking: ada.booking, sailing: Fleet.sailing, passengers: numbers)
        }
        sold.when(checkIn([2])).then(.passengerCheckedIn(aboard([2])))
        let one = Story.given(
            Fleet().events, ada.placed(2), ada.confirmed(2), [.passengerCheckedIn(aboard([2]))])
        one.when(checkIn([2])).thenNothing()
        one.when(checkIn(nil)).then(.passengerCheckedIn(aboard([1])))
        one.when(
            RevertCheckIn(booking: ada.booking, sailing: Fleet.sailing, passengers: nil)
        ).then(.checkInReverted(aboard([2])))
        sold.when(checkIn([3])).then(.unknownPassengers(numbers: [3], passengerCount: 2))
        held.when(checkIn(nil)).then(.paymentDue(total: Money(minorUnits: 27606)))
    }

    @Test(
        "takes a check-in back whatever is due, and checks in by hand also when the boat leaves late"
    )
    func checksInLate() throws {
        let aboard = PassengersChecked(
            booking: ada.booking, sailing: Fleet.sailing, passengers: [1, 2])
        let checkIn = CheckInPassengers(
            booking: ada.booking, sailing: Fleet.sailing, passengers: nil)
        let revert = RevertCheckIn(
            booking: ada.booking, sailing: Fleet.sailing, passengers: nil)
        let history =
            Harbour.events() + ada.placed(2) + ada.confirmed(2) + [.passengerCheckedIn(aboard)]
        let more = try Story.given(history).decide(
            ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 3)])
        ).get()
        let due = Story.given(history, more)
        due.when(checkIn).then(.paymentDue(total: Money(minorUnits: 13803)))
        due.when(revert).then(.checkInReverted(aboard))
        let over = Event.bookingCompleted(
            BookingCompleted(booking: ada.booking, sailings: [Fleet.sailing]))
        Story.given(Harbour.events(), ada.placed(2), ada.confirmed(2), [over]).when(checkIn)
            .then(.passengerCheckedIn(aboard))
        Story.given(history, [over]).when(revert).then(.checkInReverted(aboard))
    }

    @Test("does nothing to another version of a booking than its sender looked at")
    func expectsVersion() throws {
        let version = Int64(Fleet().events.count + 3)
        let cancel = CancelBooking(booking: ada.booking, reason: "ill", version: version)
        let cancelled = try sold.decide(cancel).get()
        let expecting = ExpectVersion(of: ada.booking, version, for: cancel)
        #expect(try sold.decide(expecting).get() == cancelled)
        sold.when(ExpectVersion(of: ada.booking, version - 1, for: cancel))
            .then(.versionMismatch(expected: version - 1, current: version))
    }

    @Test("completes a booking when its trips have departed, not before")
    func completes() {
        sold.when(CompleteBooking(booking: ada.booking), at: departure).then(
            .bookingCompleted(
                BookingCompleted(booking: ada.booking, sailings: [Fleet.sailing])))
        sold.when(CompleteBooking(booking: ada.booking), at: departure - .seconds(1))
            .then(.tripNotDeparted(departure: departure))
    }

    @Test("refuses everything about a booking that nobody placed")
    func refusesUnknownBookings() {
        let unknown = Refusal.unknown(kind: "booking", id: ada.booking.entity)
        let story = Story.given(Fleet().events)
        story.when(ConfirmBooking(booking: ada.booking, basis: .free)).then(unknown)
        story.when(ExtendHold(booking: ada.booking, policy: policy)).then(unknown)
        story.when(AbandonBooking(booking: ada.booking)).then(unknown)
        story.when(CancelBooking(booking: ada.booking, reason: "x", version: 1)).then(unknown)
        story.when(
            CheckInPassengers(booking: ada.booking, sailing: Fleet.sailing, passengers: nil)
        ).then(unknown)
    }
}

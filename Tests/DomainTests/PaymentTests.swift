import EventCodec
import Testing

@testable import Domain

@Suite struct PaymentTests {
    private static let payment: PaymentID = id(300)
    private static let total = Money(minorUnits: 27606)
    private static let charge = ChargeMade(
        payment: payment, booking: ada.booking, amount: total, provider: .sandbox)
    private static let deadline = noon + .minutes(10)

    private static let started: [Event] = [
        .paymentStarted(
            PaymentStarted(
                payment: payment, booking: ada.booking, amount: total, provider: .sandbox))
    ]
    private let held = Story.given(Fleet().events, ada.placed(2), started)

    private func hear(_ message: HearFromProvider.Message) -> HearFromProvider {
        HearFromProvider(payment: Self.payment, message: message)
    }

    private static func refundID(_ number: UInt64) -> RefundID {
        let entity = payment.entity
        return RefundID(EntityID(customHigh: entity.high, low: entity.low &+ number << 32))
    }

    private static func refund(
        _ number: UInt64, _ cause: RefundCause, amount: Money = total
    ) -> Event {
        .refundRequested(
            RefundRequested(
                refund: refundID(number), payment: payment, booking: ada.booking, amount: amount,
                provider: .sandbox, cause: cause, reason: ""))
    }

    private static func confirmed(wasHeld: Bool) -> Event {
        .bookingConfirmed(
            BookingConfirmed(
                booking: ada.booking, holdings: ada.holdings(2), basis: .paid, wasHeld: wasHeld))
    }

    // MARK: Paying

    @Test("asks for the total of a hold, once for each payment")
    func starts() {
        let start = StartPayment(
            payment: Self.payment, booking: ada.booking, provider: .sandbox)
        Story.given(Fleet().events, ada.placed(2)).when(start).then(Self.started[0])
        held.when(start).thenNothing()
        held.when(start, at: Self.deadline).thenNothing()
    }

    @Test("asks for nothing where nothing is due, or the hold is over, or it is sold")
    func refusesToStart() {
        let start = StartPayment(
            payment: Self.payment, booking: ada.booking, provider: .sandbox)
        let free = Fleet(price: 0)
        Story.given(free.events, ada.placed(2, fleet: free)).when(start).then(.nothingDue)
        Story.given(Fleet().events, ada.placed(2)).when(start, at: Self.deadline)
            .then(.holdOver(deadline: Self.deadline))
        Story.given(Fleet().events, ada.placed(2), ada.confirmed(2)).when(start)
            .then(.nothingDue)
    }

    @Test("confirms a booking by the charge, once however often it is told")
    func confirms() {
        held.when(hear(.succeeded(Self.total)))
            .then(.paymentSucceeded(Self.charge), Self.confirmed(wasHeld: true))
        Story.given(
            Fleet().events, ada.placed(2), Self.started,
            [.paymentSucceeded(Self.charge), Self.confirmed(wasHeld: true)]
        ).when(hear(.succeeded(Self.total))).thenNothing()
    }

    @Test("keeps the hold when a card is declined, and sells the same booking on the next try")
    func retries() {
        let declined = Event.paymentDeclined(
            PaymentDeclined(payment: Self.payment, booking: ada.booking, reason: "no cover"))
        held.when(hear(.declined(reason: "no cover"))).then(declined)
        let again = Story.given(Fleet().events, ada.placed(2), Self.started, [declined])
        again.when(hear(.succeeded(Self.total)))
            .then(.paymentSucceeded(Self.charge), Self.confirmed(wasHeld: true))
        again.when(bob.order(49)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 48, wanted: 49))
    }

    @Test("takes no notice of a decline that arrives after the charge")
    func ignoresOldDeclines() {
        Story.given(
            Fleet().events, ada.placed(2), Self.started,
            [.paymentSucceeded(Self.charge), Self.confirmed(wasHeld: true)]
        ).when(hear(.declined(reason: "no cover"))).thenNothing()
    }

    @Test("returns a charge of another amount, and what is charged twice")
    func returnsWhatIsNotDue() {
        let little = Money(minorUnits: 100)
        var charge = Self.charge
        charge.amount = little
        held.when(hear(.succeeded(little)))
            .then(.paymentSucceeded(charge), Self.refund(1, .notDue, amount: little))
        Story.given(Fleet().events, ada.placed(2), Self.started, ada.confirmed(2))
            .when(hear(.succeeded(Self.total)))
            .then(.paymentSucceeded(Self.charge), Self.refund(1, .notDue))
    }

    @Test("knows nothing of a payment that nobody began")
    func refusesStrangers() {
        Story.given(Fleet().events, ada.placed(2)).when(hear(.succeeded(Self.total)))
            .then(.unknown(kind: "payment", id: Self.payment.entity))
        held.when(hear(.refundSucceeded(Self.refundID(1))))
            .then(.unknown(kind: "refund", id: Self.refundID(1).entity))
    }

    // MARK: Paid after the hold ran out

    @Test("confirms what is paid too late when the seats are free, recorded as over or not")
    func confirmsLate() {
        held.when(hear(.succeeded(Self.total)), at: Self.deadline)
            .then(.paymentArrivedLate(Self.charge), Self.confirmed(wasHeld: true))
        for ended in [
            Event.holdExpired(HoldEnded(booking: ada.booking, holdings: ada.holdings(2))),
            .bookingAbandoned(HoldEnded(booking: ada.booking, holdings: ada.holdings(2))),
        ] {
            Story.given(Fleet().events, ada.placed(2), Self.started, [ended])
                .when(hear(.succeeded(Self.total)), at: Self.deadline)
                .then(.paymentArrivedLate(Self.charge), Self.confirmed(wasHeld: false))
        }
    }

    @Test(
        "returns what is paid too late when the seats are gone, the boat has left, or it is cancelled"
    )
    func returnsLate() {
        let fleet = Fleet(capacity: 3)
        let taken = Story.given(
            fleet.events, ada.placed(2, fleet: fleet), Self.started,
            bob.placed(2, until: Self.deadline + .minutes(5), fleet: fleet))
        taken.when(hear(.succeeded(Self.total)), at: Self.deadline)
            .then(.paymentArrivedLate(Self.charge), Self.refund(1, .paidTooLate))
        held.when(hear(.succeeded(Self.total)), at: departure)
            .then(.paymentArrivedLate(Self.charge), Self.refund(1, .paidTooLate))
        let cancelled = Event.bookingCancelled(
            BookingCancelled(
                booking: ada.booking, holdings: ada.holdings(2), wasHeld: true, reason: "fog"))
        Story.given(Fleet().events, ada.placed(2), Self.started, [cancelled])
            .when(hear(.succeeded(Self.total)))
            .then(.paymentArrivedLate(Self.charge), Self.refund(1, .paidTooLate))
    }

    @Test("offers a boat that the order is on already, if it has room for all of it, else another")
    func offersOwnBoat() throws {
        // A third boat of the trip, with types of the sister's labels.
        let third: SailingID = id(710)
        func arrived(sisterSeats: Int, more: [Event] = []) throws -> [EventType] {
            var order = ada.order(1)
            order.order.lines.append(
                OrderLine(
                    trip: Fleet.trip, sailing: Harbour.sister, ticketType: Harbour.sisterAdult,
                    quantity: 1))
            var story = Story.given(
                Harbour.events(sisterSeats: sisterSeats, sisterPrice: 12900) + more)
            story = story.adding(try story.decide(order).get() + Self.started)
            let others = bob.order(50)
            story = story.adding(try story.decide(others, at: Self.deadline).get())
            let events = try story.decide(
                hear(.succeeded(Self.total)), at: Self.deadline + .minutes(1)
            ).get()
            for case .alternativeOffered(let fact) in events {
                let ways = sisterSeats > 1 ? [Harbour.sister] : [third, Harbour.sister]
                #expect(Set(fact.quote.sailings) == Set(ways))
            }
            return events.map(\.type)
        }
        let offered: [EventType] = [.paymentArrivedLate, .alternativeOffered]
        #expect(try arrived(sisterSeats: 2) == offered)
        #expect(try arrived(sisterSeats: 1) == [.paymentArrivedLate, .refundRequested])
        let boat = BoatAssigned(
            sailing: third, trip: Fleet.trip, mission: Fleet.mission, launch: Fleet.launch,
            boat: Fleet.boat, jurisdiction: Fleet.jurisdiction, limit: nil,
            ticketTypes: Fleet().types)
        #expect(try arrived(sisterSeats: 1, more: [.boatAssigned(boat)]) == offered)
    }

    // MARK: Giving back

    private let late: [Event] = [
        .paymentArrivedLate(charge), refund(1, .paidTooLate),
    ]

    @Test("tries a refund again that failed, under a new id, and counts one that arrived once")
    func retriesRefunds() {
        let story = Story.given(Fleet().events, ada.placed(2), Self.started, late)
        let failed = Event.refundFailed(
            RefundFailed(
                refund: Self.refundID(1), payment: Self.payment, booking: ada.booking,
                amount: Self.total, reason: "account closed"))
        let message = hear(.refundFailed(Self.refundID(1), reason: "account closed"))
        story.when(message).then(failed, Self.refund(2, .again))
        let again = Story.given(
            Fleet().events, ada.placed(2), Self.started, late, [failed, Self.refund(2, .again)])
        again.when(message).thenNothing()
        again.when(hear(.refundSucceeded(Self.refundID(1)))).thenNothing()
        let done = Event.refundSucceeded(
            RefundSucceeded(
                refund: Self.refundID(2), payment: Self.payment, booking: ada.booking,
                amount: Self.total))
        again.when(hear(.refundSucceeded(Self.refundID(2)))).then(done)
    }

    @Test("gives back again what a bank sends back after it had arrived, told in whatever order")
    func retriesReturned() {
        let requested = late + [Self.refund(2, .again)]
        func failed(_ hadSucceeded: Bool) -> Event {
            .refundFailed(
                RefundFailed(
                    refund: Self.refundID(1), payment: Self.payment, booking: ada.booking,
                    amount: Self.total, reason: "closed", hadSucceeded: hadSucceeded))
        }
        let arrived = Event.refundSucceeded(
            RefundSucceeded(
                refund: Self.refundID(1), payment: Self.payment, booking: ada.booking,
                amount: Self.total))
        let success = hear(.refundSucceeded(Self.refundID(1)))
        let failure = hear(.refundFailed(Self.refundID(1), reason: "closed"))
        let story = Story.given(Fleet().events, ada.placed(2), Self.started, late)
        story.when(success).then(arrived)
        story.adding([arrived]).when(failure).then(failed(true), requested[2])
        story.adding([arrived, failed(true), requested[2]]).when(failure).thenNothing()
        story.when(failure).then(failed(false), requested[2])
        story.adding([failed(false), requested[2]]).when(success).thenNothing()
    }

    @Test("gives nothing back of what the customer's bank has taken back, whatever is said first")
    func givesDisputedBackOnce() {
        func disputed(_ cents: Int) -> Event {
            var charge = Self.charge
            charge.amount = Money(minorUnits: cents)
            return .chargeDisputed(charge)
        }
        let cancelled = Event.bookingCancelled(
            BookingCancelled(
                booking: ada.booking, holdings: ada.holdings(2), wasHeld: true, reason: "fog"))
        let gone = Story.given(Fleet().events, ada.placed(2), Self.started, [cancelled])
        gone.adding([disputed(27606)]).when(hear(.succeeded(Self.total)))
            .then(.paymentArrivedLate(Self.charge))
        gone.adding([disputed(7606)]).when(hear(.succeeded(Self.total))).then(
            .paymentArrivedLate(Self.charge),
            Self.refund(1, .paidTooLate, amount: Money(minorUnits: 20000)))
        // He went to his bank while we gave it back, and ours did not arrive.
        let failed = Event.refundFailed(
            RefundFailed(
                refund: Self.refundID(1), payment: Self.payment, booking: ada.booking,
                amount: Self.total, reason: "closed"))
        let story = Story.given(Fleet().events, ada.placed(2), Self.started, late)
        let message = hear(.refundFailed(Self.refundID(1), reason: "closed"))
        story.adding([disputed(27606)]).when(message).then(failed)
        story.adding([disputed(7606)]).when(message)
            .then(failed, Self.refund(2, .again, amount: Money(minorUnits: 20000)))
    }

    @Test("begins no more payments for a booking than anybody needs")
    func limitsPayments() {
        let begun = (0..<UInt64(StartPayment.countLimit)).map { number in
            Event.paymentStarted(
                PaymentStarted(
                    payment: id(400 + number), booking: ada.booking, amount: Self.total,
                    provider: .sandbox))
        }
        let start = StartPayment(
            payment: Self.payment, booking: ada.booking, provider: .sandbox)
        let held = Story.given(Fleet().events, ada.placed(2))
        held.adding(Array(begun.dropLast())).when(start).then(Self.started[0])
        held.adding(begun).when(start).then(.tooManyPayments(limit: StartPayment.countLimit))
    }

    @Test("gives back all that was paid when a booking is cancelled; at the dock, at once")
    func refundsCancelled() throws {
        let sold = Story.given(
            Fleet().events, ada.placed(2), Self.started,
            [.paymentSucceeded(Self.charge), Self.confirmed(wasHeld: true)])
        let cancel = CancelBooking(
            booking: ada.booking, reason: "ill", version: Int64(Fleet().events.count + 4))
        var refund = Self.refund(1, .cancelled)
        if case .refundRequested(var fact) = refund {
            fact.reason = "ill"
            refund = .refundRequested(fact)
        }
        let cancelled = Event.bookingCancelled(
            BookingCancelled(
                booking: ada.booking, holdings: ada.holdings(2), wasHeld: false, reason: "ill"))
        sold.when(cancel).then(cancelled, refund)
        let atTheDock = Story.given(Fleet().events, ada.placed(2), ada.confirmed(2))
        let events = try atTheDock.decide(
            CancelBooking(
                booking: ada.booking, reason: "ill", version: Int64(Fleet().events.count + 3))
        ).get()
        #expect(events.map(\.type) == [.bookingCancelled, .refundRequested, .refundSucceeded])
    }

    @Test("gives goodwill up to what was paid and not given back, and no more")
    func limitsGoodwill() throws {
        let sold: [Event] = [.paymentSucceeded(Self.charge), Self.confirmed(wasHeld: true)]
        let story = Story.given(Fleet().events, ada.placed(2), Self.started, sold)
        func goodwill(_ cents: Int) -> RefundGoodwill {
            RefundGoodwill(
                booking: ada.booking, amount: Money(minorUnits: cents), reason: "late boat")
        }
        let first = try story.decide(goodwill(27000)).get()
        let rest = Story.given(Fleet().events, ada.placed(2), Self.started, sold, first)
        rest.when(goodwill(607)).then(
            .refundTooLarge(wanted: Money(minorUnits: 607), refundable: Money(minorUnits: 606)))
        #expect(try rest.decide(goodwill(606)).get().count == 1)
        story.when(goodwill(0)).then(.invalid(field: "amount", reason: "must be more than nothing"))
        // The seats stay sold.
        rest.when(bob.order(49)).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 48, wanted: 49))
    }

    @Test("marks a disputed charge, once, and takes no seat for it")
    func marksDisputes() {
        let sold: [Event] = [.paymentSucceeded(Self.charge), Self.confirmed(wasHeld: true)]
        let story = Story.given(Fleet().events, ada.placed(2), Self.started, sold)
        story.when(hear(.disputed(Self.total))).then(.chargeDisputed(Self.charge))
        Story.given(
            Fleet().events, ada.placed(2), Self.started, sold, [.chargeDisputed(Self.charge)]
        ).when(hear(.disputed(Self.total))).thenNothing()
    }

    @Test("gives back nothing that the customer's bank holds")
    func keepsDisputed() throws {
        let sold: [Event] = [
            .paymentSucceeded(Self.charge), Self.confirmed(wasHeld: true),
            .chargeDisputed(Self.charge),
        ]
        let story = Story.given(Fleet().events, ada.placed(2), Self.started, sold)
        let cancel = CancelBooking(
            booking: ada.booking, reason: "ill", version: Int64(story.history.count))
        let after = try story.after(cancel)
        #expect(after.events.map(\.type) == [.bookingCancelled])
        #expect(after.money.kept == .zero)
        story.when(RefundGoodwill(booking: ada.booking, amount: Self.total, reason: "late"))
            .then(.refundTooLarge(wanted: Self.total, refundable: .zero))
        // A part of it, and what had been given back before.
        var part = Self.charge
        part.amount = Money(minorUnits: 7606)
        let parted = Story.given(
            Fleet().events, ada.placed(2), Self.started, Array(sold.dropLast()),
            [.chargeDisputed(part), Self.refund(1, .goodwill, amount: Money(minorUnits: 20000))])
        parted.when(
            RefundGoodwill(booking: ada.booking, amount: Money(minorUnits: 1), reason: "late")
        ).then(.refundTooLarge(wanted: Money(minorUnits: 1), refundable: .zero))
    }
}

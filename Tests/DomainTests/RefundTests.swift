import EventCodec
import Testing

@testable import Domain

@Suite struct RefundTests {
    private let sold = Story.given(Harbour.events(), ada.placed(2), ada.confirmed(2))
    private let cutoff = departure - .hours(12)

    private func refund(
        _ lines: RefundLines.Line..., by seller: Seller = .staff
    ) -> RefundLines {
        RefundLines(booking: ada.booking, lines: lines, reason: "ill", seller: seller)
    }

    private func cents(_ count: Int) -> Money { Money(minorUnits: count) }

    @Test("gives back what was paid for a line, with its seats")
    func refundsLine() throws {
        let after = try sold.after(refund(.seats(Harbour.adult, quantity: 1)))
        #expect(
            after.events.map(\.type) == [.lineQuantityChanged, .refundRequested, .refundSucceeded])
        #expect(after.money.kept == cents(13803))
        #expect(after.money.due(for: after.quote) == .zero)
        #expect(sold.adding(after.events).figures(of: Fleet.sailing).available == 49)
    }

    @Test("cancels a booking all of whose lines are refunded")
    func cancels() throws {
        let after = try sold.after(refund(.seats(Harbour.adult, quantity: nil)))
        #expect(
            after.events.map(\.type) == [.bookingCancelled, .refundRequested, .refundSucceeded])
        #expect(after.life.status == .cancelled)
        #expect(after.money.kept == .zero)
        #expect(sold.adding(after.events).figures(of: Fleet.sailing).available == 50)
        sold.adding(after.events).when(refund(.seats(Harbour.adult, quantity: nil)))
            .then(.notInThatState(status: .cancelled, wanted: "confirmed"))
    }

    @Test("refuses what names one thing twice: each says how many, and not how many more")
    func refusesTwice() {
        let twice = Refusal.invalid(
            field: "seats", reason: "names one ticket type of a sailing twice")
        let one = RefundLines.Line.seats(Harbour.adult, quantity: 1)
        sold.when(refund(one, one)).then(twice)
        sold.when(
            ChangeBooking(
                booking: ada.booking,
                changes: [.seats(Harbour.adult, quantity: 3), .seats(Harbour.adult, quantity: 1)])
        ).then(twice)
    }

    @Test("gives back what was paid too much, and nothing where nothing was")
    func refundsBalance() throws {
        sold.when(refund()).thenNothing()
        let fewer = try sold.decide(
            ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 1)])
        ).get()
        let after = try sold.adding(fewer).after(refund())
        #expect(after.events.map(\.type) == [.refundRequested, .refundSucceeded])
        #expect(after.money.kept == cents(13803))
    }

    @Test(
        "settles what is due or paid too much also when the trip is over, and cancels for nobody aboard"
    )
    func settlesLate() throws {
        let more = try sold.decide(
            ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 3)])
        ).get()
        let fewer = try sold.decide(
            ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 1)])
        ).get()
        func over(_ story: Story) throws -> Story {
            story.adding(
                try story.decide(CompleteBooking(booking: ada.booking), at: departure).get())
        }
        let due = try over(sold.adding(more))
        let paid = try due.after(
            ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock), at: departure)
        #expect(paid.events.map(\.type) == [.paymentSucceeded])
        #expect(paid.money.due(for: paid.quote) == .zero)
        let start = StartPayment(payment: id(901), booking: ada.booking, provider: .sandbox)
        #expect(try due.after(start, at: departure).events.map(\.type) == [.paymentStarted])
        let tooMuch = try over(sold.adding(fewer)).after(refund(), at: departure)
        #expect(tooMuch.money.kept == cents(13803))
        let aboard = sold.adding(
            try sold.decide(
                CheckInPassengers(booking: ada.booking, sailing: Fleet.sailing, passengers: [1])
            ).get())
        aboard.when(
            CancelBooking(
                booking: ada.booking, reason: "late", version: Int64(aboard.history.count),
                seller: .public)
        ).then(.passengersAboard(aboard: 1, wanted: 0))
    }

    @Test("never gives back more than was paid, whatever was given as goodwill before")
    func neverMore() throws {
        let goodwill = RefundGoodwill(booking: ada.booking, amount: cents(20000), reason: "late")
        let story = sold.adding(try sold.decide(goodwill).get())
        let line = try story.after(refund(.seats(Harbour.adult, quantity: 1)))
        #expect(line.money.kept == .zero)
        let all = try story.after(refund(.seats(Harbour.adult, quantity: nil)))
        #expect(all.money.kept == .zero)
        story.when(goodwill).then(
            .refundTooLarge(wanted: cents(20000), refundable: cents(7606)))
    }

    @Test("takes goodwill for no payment: what is due stays what it was")
    func goodwillIsNoDebt() throws {
        let goodwill = RefundGoodwill(booking: ada.booking, amount: cents(5000), reason: "late")
        let after = try sold.after(goodwill)
        #expect(after.money.due(for: after.quote) == .zero)
        #expect(after.money.kept == cents(22606))
    }

    @Test("lets customers help themselves until the cutoff, and staff go past it, recorded as such")
    func keepsCutoff() throws {
        let line = RefundLines.Line.seats(Harbour.adult, quantity: 1)
        func isPastCutoff(_ events: [Event]) -> Bool? {
            for case .refundRequested(let fact) in events { return fact.isPastCutoff }
            return nil
        }
        let early = try sold.decide(refund(line, by: .public), at: cutoff - .seconds(1)).get()
        #expect(isPastCutoff(early) == false)
        sold.when(refund(line, by: .public), at: cutoff).then(.refundCutoffPassed(cutoff: cutoff))
        #expect(isPastCutoff(try sold.decide(refund(line), at: cutoff).get()) == true)
        let version = Int64(sold.history.count)
        func cancel(_ seller: Seller) -> CancelBooking {
            CancelBooking(
                booking: ada.booking, reason: "ill", version: version, seller: seller)
        }
        sold.when(cancel(.public), at: cutoff).then(.refundCutoffPassed(cutoff: cutoff))
        #expect(isPastCutoff(try sold.decide(cancel(.staff), at: cutoff).get()) == true)
        #expect(isPastCutoff(try sold.decide(cancel(.public), at: noon).get()) == false)
        let longer = sold.adding([
            .refundCutoffSet(RefundCutoffSet(mission: Fleet.mission, hours: 48))
        ])
        longer.when(refund(line, by: .public), at: cutoff - .seconds(1))
            .then(.refundCutoffPassed(cutoff: departure - .hours(48)))
    }

    @Test("hands out at the dock what a customer asked back from afar, when staff says so, once")
    func handsOut() throws {
        let line = RefundLines.Line.seats(Harbour.adult, quantity: 1)
        let paid = Story.given(
            Harbour.events(), ada.placed(2),
            try Story.given(Harbour.events(), ada.placed(2)).decide(
                ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)
            ).get())
        let asked = try paid.after(refund(line, by: .public))
        #expect(asked.events.map(\.type) == [.lineQuantityChanged, .refundRequested])
        let cancelled = try paid.after(
            CancelBooking(
                booking: ada.booking, reason: "ill", version: Int64(paid.history.count),
                seller: .public))
        #expect(cancelled.events.map(\.type) == [.bookingCancelled, .refundRequested])
        #expect(cancelled.money.kept == .zero)
        guard case .refundRequested(let fact) = asked.events[1] else {
            Issue.record("another event came of it")
            return
        }
        let handOut = HandOutRefund(booking: ada.booking, refund: fact.refund)
        let done = Event.refundSucceeded(
            RefundSucceeded(
                refund: fact.refund, payment: fact.payment, booking: ada.booking,
                amount: cents(13803)))
        let story = paid.adding(asked.events)
        story.when(handOut).then(done)
        story.adding([done]).when(handOut).thenNothing()
        paid.when(handOut).then(.unknown(kind: "refund", id: fact.refund.entity))
        var card = fact
        (card.payment, card.refund, card.provider) = (id(700), id(701), .sandbox)
        let charge = ChargeMade(
            payment: card.payment, booking: ada.booking, amount: cents(100), provider: .sandbox)
        story.adding([.paymentSucceeded(charge), .refundRequested(card)])
            .when(HandOutRefund(booking: ada.booking, refund: card.refund))
            .then(
                .invalid(field: "refund", reason: "is made by who took the card, who says when"))
    }

    @Test("refunds no line that is not there, nobody who is aboard, and no more than the line")
    func refuses() {
        sold.when(refund(.seats(Harbour.deck, quantity: nil)))
            .then(.unknown(kind: "line", id: Fleet.deck.entity))
        sold.when(refund(.seats(Harbour.adult, quantity: 3)))
            .then(.invalid(field: "seats[0].quantity", reason: "must be 1 to 2"))
        let aboard = sold.adding([
            .passengerCheckedIn(
                PassengersChecked(booking: ada.booking, sailing: Fleet.sailing, passengers: [1, 2]))
        ])
        aboard.when(refund(.seats(Harbour.adult, quantity: 1)))
            .then(.passengersAboard(aboard: 2, wanted: 1))
    }

    // MARK: What a changed booking costs more

    @Test("asks for nothing that is too little to be charged, and lets its people aboard")
    func waivesBalance() throws {
        let dearer = sold.adding([
            .ticketTypeRepriced(
                TicketTypeChanged(
                    sailing: Fleet.sailing, ticketType: Fleet.adult,
                    value: Money(minorUnits: 12920)))
        ])
        let changed = dearer.adding(
            try dearer.decide(
                ChangeBooking(
                    booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 2)],
                    pricing: .current)
            ).get())
        #expect(changed.history.count > dearer.history.count)
        changed.when(StartPayment(payment: id(1), booking: ada.booking, provider: .sandbox))
            .then(.nothingDue)
        #expect(throws: Never.self) {
            try changed.decide(
                CheckInPassengers(booking: ada.booking, sailing: Fleet.sailing, passengers: nil)
            ).get()
        }
    }

    @Test("takes what a changed booking costs more at the dock, once, or with a card")
    func takesBalance() throws {
        let more = try sold.decide(
            ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 3)])
        ).get()
        let story = sold.adding(more)
        let confirm = ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)
        let after = try story.after(confirm)
        #expect(after.events.map(\.type) == [.paymentSucceeded])
        #expect(after.money.due(for: after.quote) == .zero)
        story.adding(after.events).when(confirm).thenNothing()
        let payment: PaymentID = id(800)
        let start = StartPayment(payment: payment, booking: ada.booking, provider: .sandbox)
        let started = try story.decide(start).get()
        let paid = try story.adding(started).after(
            HearFromProvider(payment: payment, message: .succeeded(cents(13803))))
        #expect(paid.events.map(\.type) == [.paymentSucceeded])
        #expect(paid.money.due(for: paid.quote) == .zero)
    }
}

/// Money that comes when the seats are gone.
@Suite struct LateMoneyTests {
    private static let payment: PaymentID = id(900)
    private static let late = noon + .minutes(11)
    private static let total = Money(minorUnits: 27606)

    /// Ada's hold has run out, and Bob has bought the boat.
    private func taken(sisterSeats: Int = 20) -> Story {
        let fleet = Fleet(capacity: 50)
        let story = Story.given(Harbour.events(sisterSeats: sisterSeats), ada.placed(2))
        let start = StartPayment(payment: Self.payment, booking: ada.booking, provider: .sandbox)
        let started = (try? story.decide(start).get()) ?? []
        let bought = bob.placed(50, until: noon + .minutes(20), fleet: fleet)
        return story.adding(started + bought)
    }

    private let paid = HearFromProvider(payment: payment, message: .succeeded(total))

    @Test("offers another boat of the trip when the money came late and its own is full")
    func offersAlternative() throws {
        let after = try taken().after(paid, at: Self.late)
        #expect(after.events.map(\.type) == [.paymentArrivedLate, .alternativeOffered])
        #expect(after.life.status == .held)
        #expect(after.life.passengers(on: Harbour.sister) == [1, 2])
        #expect(after.quote.total == Self.total)
        let story = taken().adding(after.events)
        #expect(story.figures(of: Harbour.sister, at: Self.late).held == 2)
        let take = ConfirmBooking(booking: ada.booking, basis: .alternativeTaken)
        let confirmed = try story.after(take, at: Self.late + .hours(2))
        #expect(confirmed.events.map(\.type) == [.bookingConfirmed])
        #expect(confirmed.money.kept == Self.total)
        #expect(story.adding(confirmed.events).figures(of: Harbour.sister).committed == 2)
    }

    @Test(
        "sells nothing late that nobody sells: paused, or on a trip or mission that was taken down")
    func sellsNothingWithdrawn() throws {
        let start = StartPayment(payment: Self.payment, booking: ada.booking, provider: .sandbox)
        let story = Story.given(Harbour.events(), ada.placed(2))
        let begun = story.adding(try story.decide(start).get())
        #expect(try begun.after(paid, at: Self.late).events.map(\.type).last == .bookingConfirmed)
        for stop in [
            Event.missionDeactivated(Fleet.mission), .tripDeactivated(Fleet.trip),
            .tripArchived(Fleet.trip),
        ] {
            let after = try begun.adding([stop]).after(paid, at: Self.late)
            #expect(after.events.map(\.type) == [.paymentArrivedLate, .refundRequested], "\(stop)")
        }
        let paused = try begun.adding([.salesPaused(Fleet.sailing)]).after(paid, at: Self.late)
        #expect(paused.events.map(\.type) == [.paymentArrivedLate, .alternativeOffered])
    }

    @Test("gives the money back when nobody takes what was offered, or it is declined")
    func givesBack() throws {
        let offered = try taken().after(paid, at: Self.late)
        let story = taken().adding(offered.events)
        let deadline = offered.life.deadline
        for (command, now) in [
            (ExpireHold(booking: ada.booking) as any Command, deadline),
            (AbandonBooking(booking: ada.booking), Self.late),
        ] {
            let decided = World(source: StorySource(story.history))
            let events = try command.decide(in: decided, at: now)
            #expect(events.map(\.type).last == .refundRequested)
            #expect(story.adding(events).figures(of: Harbour.sister, at: now).used == 0)
        }
    }

    @Test("gives the money back at once when no boat of the trip has seats left")
    func noAlternative() throws {
        let after = try taken(sisterSeats: 1).after(paid, at: Self.late)
        #expect(after.events.map(\.type) == [.paymentArrivedLate, .refundRequested])
        #expect(after.money.kept == .zero)
    }

    @Test(
        "sells an offered alternative to nobody who has not paid for it, and takes no second payment"
    )
    func refusesUnpaid() throws {
        Story.given(Harbour.events(), ada.placed(2))
            .when(ConfirmBooking(booking: ada.booking, basis: .alternativeTaken))
            .then(.paymentDue(total: Self.total))
        let offered = try taken().after(paid, at: Self.late)
        let story = taken().adding(offered.events)
        story.when(
            StartPayment(payment: id(901), booking: ada.booking, provider: .sandbox), at: Self.late
        ).then(.nothingDue)
    }
}

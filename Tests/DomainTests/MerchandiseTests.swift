import EventCodec
import Testing

@testable import Domain

@Suite struct MerchandiseTests {
    private static let merchandise: MerchandiseID = id(40)
    private static let variation: VariationID = id(41)
    private static let offer: OfferID = id(42)

    /// A shelf of patches, offered with the fleet's trip.
    private func shelf(_ stock: Int, allotment: Int? = nil) -> [Event] {
        [
            .merchandiseAdded(
                MerchandiseAdded(merchandise: Self.merchandise, name: "Mission patch")),
            .variationAdded(
                VariationAdded(
                    variation: Self.variation, merchandise: Self.merchandise, label: "blue",
                    price: Money(minorUnits: 900))),
            .stockReceived(StockReceived(variation: Self.variation, quantity: stock)),
            .merchandiseOffered(
                MerchandiseOffered(
                    offer: Self.offer, trip: Fleet.trip, variation: Self.variation,
                    allotment: allotment)),
        ]
    }

    private func order(
        _ customer: Customer, _ quantity: Int, offer: OfferID = offer
    ) -> PlaceBooking {
        customer.order(1, merchandise: [OrderedMerchandise(offer: offer, quantity: quantity)])
    }

    private func lines(_ quantity: Int) -> [MerchandiseLine] {
        [MerchandiseLine(offer: Self.offer, variation: Self.variation, quantity: quantity)]
    }

    private func outOfStock(_ available: Int, _ wanted: Int) -> Refusal {
        .notEnoughStock(offer: Self.offer, available: available, wanted: wanted)
    }

    // MARK: Selling

    @Test("sells merchandise with a seat, at its price and with the seat's tax")
    func sells() throws {
        let story = Story.given(Fleet(rate: 1000, price: 10000).events, shelf(5))
        let fact = try story.decide(order(ada, 2)).get().placed
        #expect(fact.quote.subtotal.minorUnits == 11800)
        #expect(fact.quote.taxes.map(\.amount.minorUnits) == [1180])
        #expect(fact.quote.merchandise.map(\.label) == ["Mission patch, blue"])
        #expect(fact.quote.holdings.merchandise == lines(2))
    }

    @Test("sells what there is and what the trip is allotted, and no more")
    func limitsStock() {
        let fleet = Fleet().events
        Story.given(fleet, shelf(5)).when(order(ada, 6)).then(outOfStock(5, 6))
        Story.given(fleet, shelf(5, allotment: 2)).when(order(ada, 3)).then(outOfStock(2, 3))
        Story.given(fleet, shelf(5, allotment: 0)).when(order(ada, 1)).then(outOfStock(0, 1))
    }

    @Test("counts two offers of one variation against one shelf")
    func sharesShelves() {
        let second: OfferID = id(43)
        let offered = Event.merchandiseOffered(
            MerchandiseOffered(
                offer: second, trip: Fleet.trip, variation: Self.variation, allotment: nil))
        let both = ada.order(
            1,
            merchandise: [
                OrderedMerchandise(offer: Self.offer, quantity: 3),
                OrderedMerchandise(offer: second, quantity: 3),
            ])
        Story.given(Fleet().events, shelf(5), [offered]).when(both)
            .then(.notEnoughStock(offer: second, available: 2, wanted: 3))
    }

    @Test("offers a thing once on a trip, so that its allotment holds")
    func offersOnce() {
        let again = MerchandiseOffered(
            offer: id(43), trip: Fleet.trip, variation: Self.variation, allotment: 2)
        Story.given(Fleet().events, shelf(5, allotment: 2)).when(KeepMerchandise(.offer(again)))
            .then(.alreadyExists(kind: "offer", id: Self.offer.entity))
    }

    @Test("sells none without a seat on its trip, and nothing that nobody offered")
    func refusesStrangers() {
        let elsewhere = Event.merchandiseOffered(
            MerchandiseOffered(
                offer: Self.offer, trip: id(99), variation: Self.variation, allotment: nil))
        Story.given(Fleet().events, shelf(5), [elsewhere]).when(order(ada, 1))
            .then(.merchandiseWithoutSeats(offer: Self.offer, trip: id(99)))
        let unknown: OfferID = id(98)
        Story.given(Fleet().events, shelf(5)).when(order(ada, 1, offer: unknown))
            .then(.unknown(kind: "offer", id: unknown.entity))
        Story.given(Fleet().events, shelf(5)).when(order(ada, 0))
            .then(.invalid(field: "merchandise[0].quantity", reason: "must be 1 to 100"))
    }

    // MARK: Giving back

    @Test("reserves with the hold, and gives back exactly once, whatever ends it and repeats")
    func givesBackOnce() throws {
        let history = Fleet().events + shelf(3)
        let held = try Story.given(history).decide(order(ada, 2)).get()
        Story.given(history, held).when(order(bob, 2)).then(outOfStock(1, 2))
        let holdings = ada.holdings(1, merchandise: lines(2))
        let ended = HoldEnded(booking: ada.booking, holdings: holdings)
        let cancelled = Event.bookingCancelled(
            BookingCancelled(
                booking: ada.booking, holdings: .none, wasHeld: false, reason: "again"))
        for end in [Event.holdExpired(ended), .bookingAbandoned(ended)] {
            Story.given(history, held, [end, end, cancelled]).when(order(bob, 4))
                .then(outOfStock(3, 4))
        }
        Story.given(history, held).when(order(bob, 4), at: noon + .minutes(10))
            .then(outOfStock(3, 4))
    }

    @Test("hands over what was bought when somebody comes aboard, once, and takes none of it back")
    func fulfils() throws {
        let history = Fleet().events + shelf(3)
        let held = try Story.given(history).decide(order(ada, 2)).get()
        let confirm = ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)
        let sold = history + held + (try Story.given(history, held).decide(confirm).get())
        let checkIn = CheckInPassengers(
            booking: ada.booking, sailing: Fleet.sailing, passengers: nil)
        let fulfilled = Event.merchandiseFulfilled(
            MerchandiseFulfilled(booking: ada.booking, merchandise: lines(2)))
        let aboard = PassengersChecked(
            booking: ada.booking, sailing: Fleet.sailing, passengers: [1])
        Story.given(sold).when(checkIn).then(.passengerCheckedIn(aboard), fulfilled)
        let handedOver =
            sold + [.passengerCheckedIn(aboard), fulfilled, .checkInReverted(aboard)]
        Story.given(handedOver).when(checkIn).then(.passengerCheckedIn(aboard))
        let cancel = CancelBooking(
            booking: ada.booking, reason: "fog", version: Int64(handedOver.count))
        guard
            case .bookingCancelled(let fact) = try Story.given(handedOver).decide(cancel).get()
                .first
        else {
            Issue.record("another event came of it")
            return
        }
        #expect(fact.holdings == ada.holdings(1))
        Story.given(handedOver, [.bookingCancelled(fact)]).when(order(bob, 2))
            .then(outOfStock(1, 2))
        // Nobody gets the price of what he keeps; what is named has been brought back.
        func refunded(_ lines: RefundLines.Line...) throws -> Holdings? {
            let refund = RefundLines(
                booking: ada.booking, lines: lines, reason: "fog", seller: .staff)
            let events = try Story.given(handedOver).decide(refund).get()
            guard case .bookingCancelled(let fact) = events.first else { return nil }
            return fact.holdings
        }
        let seats = RefundLines.Line.seats(
            Place(sailing: Fleet.sailing, ticketType: Fleet.adult), quantity: nil)
        let refund = RefundLines(
            booking: ada.booking, lines: [seats], reason: "fog", seller: .public)
        let kept = Refusal.merchandiseHandedOver(offer: Self.offer, quantity: 2)
        Story.given(handedOver).when(refund).then(kept)
        var own = cancel
        own.seller = .public
        Story.given(handedOver).when(own).then(kept)
        let patches = lines(2).map { RefundLines.Line.merchandise($0.offer, quantity: nil) }
        // What a customer says that he has brought back nobody has seen.
        for lines in [[patches[0]], [seats, patches[0]]] {
            let own = RefundLines(
                booking: ada.booking, lines: lines, reason: "fog", seller: .public)
            Story.given(handedOver).when(own).then(kept)
        }
        #expect(try refunded(seats, patches[0]) == ada.holdings(1, merchandise: lines(2)))
        let one = RefundLines(
            booking: ada.booking, lines: [seats, .merchandise(Self.offer, quantity: 1)],
            reason: "fog", seller: .staff)
        Story.given(handedOver).when(one).then(kept)
    }

    @Test("hands over what was bought after the rest, and takes back no more than was brought back")
    func fulfilsMore() throws {
        let history = Fleet().events + shelf(5)
        let held = try Story.given(history).decide(order(ada, 2)).get()
        let confirm = ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)
        let checkIn = CheckInPassengers(
            booking: ada.booking, sailing: Fleet.sailing, passengers: nil)
        var story = Story.given(history, held)
        func go(_ command: some Command) throws {
            story = story.adding(try story.decide(command).get())
        }
        func change(to quantity: Int) -> ChangeBooking {
            ChangeBooking(
                booking: ada.booking, changes: [.merchandise(Self.offer, quantity: quantity)])
        }
        func handedOver() -> [Int] {
            story.history.compactMap { event in
                guard case .merchandiseFulfilled(let fact) = event else { return nil }
                return fact.merchandise.reduce(0) { $0 + $1.quantity }
            }
        }
        try go(confirm)
        try go(checkIn)
        #expect(handedOver() == [2])
        // One more is bought at the quay: it is handed over alone, and not by who tells late of what was before.
        try go(change(to: 3))
        try go(confirm)
        try go(
            RecordScan(
                scan: id(1), subject: .booking(ada.booking), sailing: Fleet.sailing,
                passengers: nil, scanner: "Dock 2", at: noon - .minutes(1), isAboard: true))
        #expect(handedOver() == [2])
        try go(checkIn)
        try go(checkIn)
        #expect(handedOver() == [2, 1])
        // Two are brought back, and one of them is bought again.
        try go(change(to: 1))
        try go(change(to: 2))
        try go(RevertCheckIn(booking: ada.booking, sailing: Fleet.sailing, passengers: nil))
        let cancel = CancelBooking(
            booking: ada.booking, reason: "fog", version: Int64(story.history.count))
        guard case .bookingCancelled(let fact) = try story.decide(cancel).get().first else {
            Issue.record("another event came of it")
            return
        }
        #expect(fact.holdings.merchandise == lines(1))
    }

    @Test("hands over what was bought when a scan of before is told after one of later")
    func fulfilsLate() throws {
        let history = Fleet().events + shelf(3)
        let held = try Story.given(history).decide(order(ada, 2)).get()
        let confirm = ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)
        let sold = Story.given(
            history, held, try Story.given(history, held).decide(confirm).get())
        func scan(_ number: UInt64, aboard: Bool) -> RecordScan {
            RecordScan(
                scan: id(number), subject: .booking(ada.booking), sailing: Fleet.sailing,
                passengers: nil, scanner: "Dock 1", at: noon + .minutes(Int(number)),
                isAboard: aboard)
        }
        for order in [[1, 2], [2, 1]] as [[UInt64]] {
            let story = order.reduce(sold) { story, number in
                let told = try? story.decide(
                    scan(number, aboard: number == 1), at: noon + .hours(1)
                ).get()
                return story.adding(told ?? [])
            }
            #expect(story.history.count { $0.type == .merchandiseFulfilled } == 1, "\(order)")
        }
    }

    @Test("hands over no more than was bought when people were seen, whenever that is told")
    func fulfilsWhatWas() throws {
        let history = Fleet().events + shelf(5)
        let held = try Story.given(history).decide(order(ada, 2)).get()
        let confirm = ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)
        var story = Story.given(history, held)
        story = story.adding(try story.decide(confirm).get())
        let more = ChangeBooking(
            booking: ada.booking, changes: [.merchandise(Self.offer, quantity: 3)])
        story = story.adding(try story.decide(more).get())
        // Everything was recorded at dawn.
        let scan = RecordScan(
            scan: id(1), subject: .booking(ada.booking), sailing: Fleet.sailing,
            passengers: nil, scanner: "Dock 2", at: dawn - .minutes(1), isAboard: true)
        let told = try story.decide(scan).get()
        let goods = told.compactMap { event -> [MerchandiseLine]? in
            guard case .merchandiseFulfilled(let fact) = event else { return nil }
            return fact.merchandise
        }
        #expect(goods == [lines(2)])
    }

    // MARK: The shelf

    @Test("counts what came, was found and was lost, and never fewer than are promised")
    func keepsStock() throws {
        let history = Fleet().events + shelf(5)
        let held = try Story.given(history).decide(order(ada, 2)).get()
        let story = Story.given(history, held)
        func adjust(_ quantity: Int) -> KeepMerchandise {
            KeepMerchandise(.adjust(Self.variation, quantity: quantity, reason: "wet"))
        }
        let lost = StockAdjusted(variation: Self.variation, quantity: -3, reason: "wet")
        story.when(adjust(-3)).then(.stockAdjusted(lost))
        story.when(adjust(-4))
            .then(.stockBelowUse(variation: Self.variation, stock: 1, used: 2))
        story.when(adjust(0)).then(.invalid(field: "quantity", reason: "must not be zero"))
        story.when(KeepMerchandise(.receive(Self.variation, quantity: 0)))
            .then(.invalid(field: "quantity", reason: "must be at least 1"))
    }

    @Test("allots no fewer than a trip has sold, and takes an allotment away again")
    func allots() throws {
        let history = Fleet().events + shelf(5, allotment: 4)
        let held = try Story.given(history).decide(order(ada, 2)).get()
        let story = Story.given(history, held)
        story.when(KeepMerchandise(.allot(Self.offer, 1)))
            .then(.allotmentBelowUse(offer: Self.offer, allotment: 1, used: 2))
        story.when(KeepMerchandise(.allot(Self.offer, 4))).thenNothing()
        story.when(KeepMerchandise(.allot(Self.offer, nil)))
            .then(.offerAllotmentSet(OfferAllotmentSet(offer: Self.offer, allotment: nil)))
    }

    @Test("adds things once, and sells past ones at their old price")
    func reprices() throws {
        let history = Fleet(rate: 0, price: 0).events + shelf(5)
        guard case .merchandiseAdded(let fact) = shelf(5)[0] else {
            Issue.record("another event came of it")
            return
        }
        Story.given(history).when(KeepMerchandise(.add(fact))).thenNothing()
        let other = MerchandiseAdded(merchandise: Self.merchandise, name: "Cap")
        Story.given(history).when(KeepMerchandise(.add(other)))
            .then(.alreadyExists(kind: "merchandise", id: Self.merchandise.entity))
        let held = try Story.given(history).decide(order(ada, 1)).get()
        let repriced = Event.variationRepriced(
            VariationRepriced(variation: Self.variation, price: Money(minorUnits: 100)))
        Story.given(history, held, [repriced])
            .when(ConfirmBooking(booking: ada.booking, basis: .free))
            .then(.paymentDue(total: Money(minorUnits: 900)))
    }
}

import EventCodec
import Testing

@testable import Domain

/// What becomes of a booking between its sale and the quay.
@Suite struct ChangeTests {
    private let sold = Story.given(Harbour.events(), ada.placed(2), ada.confirmed(2))
    private let held = Story.given(Harbour.events(), ada.placed(2))

    private func change(
        _ changes: OrderChange..., prices: ChangePricing = .kept, oversale: String? = nil
    ) -> ChangeBooking {
        ChangeBooking(
            booking: ada.booking, changes: changes, pricing: prices, oversaleReason: oversale)
    }

    private func cents(_ count: Int) -> Money { Money(minorUnits: count) }

    // MARK: Quantities

    @Test("sells a further seat of a line at the line's price, and shows what is due")
    func addsSeats() throws {
        let story = sold.adding([
            .ticketTypeRepriced(
                TicketTypeChanged(
                    sailing: Fleet.sailing, ticketType: Fleet.adult, value: cents(20000)))
        ])
        let after = try story.after(change(.seats(Harbour.adult, quantity: 3)))
        #expect(after.events.map(\.type) == [.lineQuantityChanged])
        #expect(after.quote.lines.map(\.unitPrice) == [cents(12900)])
        #expect(after.quote.lines.map(\.passengers) == [[1, 2, 3]])
        #expect(after.quote.total == cents(41409))
        #expect(after.money.due(for: after.quote) == cents(13803))
    }

    @Test("gives seats back that are taken off, and shows what was paid too much")
    func removesSeats() throws {
        let after = try sold.after(change(.seats(Harbour.adult, quantity: 1)))
        #expect(after.quote.lines.map(\.passengers) == [[1]])
        #expect(after.money.due(for: after.quote) == cents(-13803))
        #expect(sold.adding(after.events).figures(of: Fleet.sailing).committed == 1)
    }

    @Test("changes a hold as well, until the deadline that it had")
    func changesHold() throws {
        let after = try held.after(change(.seats(Harbour.adult, quantity: 5)))
        let story = held.adding(after.events)
        #expect(story.figures(of: Fleet.sailing).held == 5)
        #expect(story.figures(of: Fleet.sailing, at: noon + .minutes(10)).held == 0)
        held.when(change(.seats(Harbour.adult, quantity: 5)), at: noon + .minutes(10))
            .then(.holdOver(deadline: noon + .minutes(10)))
    }

    @Test("refuses more seats than there are, and none at all")
    func refusesQuantities() {
        sold.when(change(.seats(Harbour.adult, quantity: 51))).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 48, wanted: 49))
        sold.when(change(.seats(Harbour.adult, quantity: 101)))
            .then(.orderTooLarge(wanted: 101, limit: 100))
        sold.when(change(.seats(Harbour.adult, quantity: 0))).then(
            .invalid(field: "seats", reason: "must leave a seat: cancel the booking instead"))
        sold.when(change(.seats(Harbour.adult, quantity: 2))).thenNothing()
    }

    @Test("goes beyond the operator's limit with a reason, and gives those seats back first")
    func oversells() throws {
        let story = Story.given(
            Fleet(limit: 2).events, ada.placed(2), ada.confirmed(2))
        story.when(change(.seats(Harbour.adult, quantity: 4))).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.adult, available: 0, wanted: 2))
        let more = try story.after(change(.seats(Harbour.adult, quantity: 4), oversale: "family"))
        #expect(more.events.map(\.type) == [.oversaleAuthorised, .lineQuantityChanged])
        let full = story.adding(more.events)
        #expect(full.figures(of: Fleet.sailing).oversold == 2)
        full.when(change(.seats(Harbour.adult, quantity: 51), oversale: "family"))
            .then(
                .aboveCapacity(sailing: Fleet.sailing, capacity: 50, used: 4, wanted: 47))
        let fewer = try full.after(change(.seats(Harbour.adult, quantity: 3)))
        #expect(full.adding(fewer.events).figures(of: Fleet.sailing).oversold == 1)
        #expect(full.adding(fewer.events).figures(of: Fleet.sailing).available == 0)
    }

    // MARK: Types, boats, trips

    @Test("changes a ticket type at the price that was paid, or at that of now")
    func changesType() throws {
        let move = OrderChange.move(from: Harbour.adult, to: Harbour.deck, quantity: 1)
        let kept = try sold.after(change(move))
        #expect(kept.events.map(\.type) == [.lineTicketTypeChanged])
        #expect(kept.quote.lines.map(\.passengers) == [[1], [2]])
        #expect(kept.money.due(for: kept.quote) == .zero)
        let repriced = try sold.after(change(move, prices: .current))
        #expect(repriced.quote.lines.map(\.unitPrice) == [cents(12900), cents(17900)])
        #expect(repriced.money.due(for: repriced.quote) == cents(5350))
    }

    @Test("keeps a type's cap, and lets one type's seat become another's on a full boat")
    func keepsCaps() throws {
        let full = Story.given(
            Fleet(capacity: 2).events, ada.placed(2, fleet: Fleet(capacity: 2)),
            ada.confirmed(2, fleet: Fleet(capacity: 2)))
        let move = change(.move(from: Harbour.adult, to: Harbour.deck, quantity: nil))
        #expect(try full.after(move).quote.lines.map(\.ticketType) == [Fleet.deck])
        let capped = sold.adding([
            .ticketTypeCapped(
                TicketTypeChanged(sailing: Fleet.sailing, ticketType: Fleet.deck, value: .fixed(1)))
        ])
        capped.when(move).then(
            .notEnoughSeats(
                sailing: Fleet.sailing, ticketType: Fleet.deck, available: 1, wanted: 2))
    }

    @Test("moves passengers to another boat of the trip, each with his number")
    func changesBoat() throws {
        let after = try sold.after(
            change(.move(from: Harbour.adult, to: Harbour.onSister, quantity: 1)))
        #expect(after.events.map(\.type) == [.passengersReassigned])
        #expect(after.life.passengers(on: Harbour.sister) == [2])
        #expect(after.life.passengers(on: Fleet.sailing) == [1])
        let story = sold.adding(after.events)
        #expect(story.figures(of: Fleet.sailing).committed == 1)
        #expect(story.figures(of: Harbour.sister).committed == 1)
    }

    @Test(
        "taxes who is moved to another jurisdiction as he bought, and there when he is priced anew")
    func keepsTax() throws {
        let texan = Harbour.events(sisterIn: Harbour.texas) + Harbour.taxesOfTexas
        let sold = Story.given(texan, ada.placed(2), ada.confirmed(2))
        let move = OrderChange.move(from: Harbour.adult, to: Harbour.onSister, quantity: nil)
        let kept = try sold.after(change(move))
        #expect(kept.quote.taxes.map(\.jurisdiction) == [Fleet.jurisdiction])
        #expect(kept.money.due(for: kept.quote) == .zero)
        let anew = try sold.after(change(move, prices: .current))
        #expect(anew.quote.taxes.map(\.jurisdiction) == [Harbour.texas])
        #expect(anew.quote.taxes.map(\.amount) == [cents(1634)])
        // Also at the next change, and so does nobody else who comes there then.
        let moved = sold.adding(kept.events)
        moved.when(change()).thenNothing()
        let joined = try moved.after(change(.seats(Harbour.onSister, quantity: 3)))
        #expect(joined.quote.lines.map(\.passengers) == [[1, 2], [3]])
        #expect(joined.quote.taxes.map(\.jurisdiction) == [Fleet.jurisdiction, Harbour.texas])
        #expect(joined.quote.taxes[0].amount == kept.quote.taxes[0].amount)
        moved.adding(joined.events).when(change()).thenNothing()
        sold.adding(anew.events).when(change()).thenNothing()
        // Who is new there is taxed there.
        let more = try sold.after(change(.seats(Harbour.onSister, quantity: 1)))
        #expect(more.quote.taxes.map(\.jurisdiction) == [Fleet.jurisdiction, Harbour.texas])
        try keepsTaxes(texan)
    }

    /// Of an order that was taxed in two places, each passenger as where he was.
    private func keepsTaxes(_ texan: [Event]) throws {
        var order = ada.order(1)
        order.order.lines.append(
            OrderLine(
                trip: Fleet.trip, sailing: Harbour.sister, ticketType: Harbour.sisterAdult,
                quantity: 1))
        let open = Story.given(texan)
        let held = open.adding(try open.decide(order).get())
        let before = try held.after(change()).quote
        let moved = try held.after(
            change(.move(from: Harbour.adult, to: Harbour.onSister, quantity: nil)))
        #expect(moved.quote.sailings == [Harbour.sister])
        #expect(Set(moved.quote.taxes) == Set(before.taxes) && moved.quote.total == before.total)
        held.adding(moved.events).when(change()).thenNothing()
    }

    @Test("holds seats no longer than until their trip departs, also where a hold is moved there")
    func endsWithTrip() throws {
        let shortly = departure - .minutes(5)
        var order = ada.order(2)
        order.order.seller = .staff
        order.order.lines = [
            OrderLine(
                trip: Harbour.laterTrip, sailing: Harbour.later, ticketType: Fleet.adult,
                quantity: 2)
        ]
        let open = Story.given(Harbour.events())
        let held = open.adding(try open.decide(order, at: shortly).get())
        let move = change(.move(from: Harbour.onLater, to: Harbour.adult, quantity: nil))
        let moved = held.adding(try held.decide(move, at: shortly).get())
        let life = World(source: StorySource(moved.history))
            .look(at: BookingLife.self, of: ada.booking)
        #expect(life.deadline == departure)
        #expect(moved.figures(of: Fleet.sailing, at: shortly).held == 2)
        #expect(moved.figures(of: Fleet.sailing, at: departure).held == 0)
    }

    @Test(
        "reschedules to a trip of another mission, mapping ticket types, and merchandise goes along"
    )
    func reschedules() throws {
        let after = try sold.after(
            change(.move(from: Harbour.adult, to: Harbour.onLater, quantity: nil)))
        #expect(after.events.map(\.type) == [.bookingRescheduled])
        #expect(after.life.placed?.mission == Harbour.laterMission)
        #expect(sold.adding(after.events).figures(of: Fleet.sailing).committed == 0)
        sold.when(change(.move(from: Harbour.adult, to: Harbour.onLater, quantity: 1)))
            .then(.severalMissions)
        try takesMerchandiseAlong()
    }

    /// It draws on what the later trip offers of it, where that does, and on the old trip's allotment no more.
    private func takesMerchandiseAlong() throws {
        let variation: VariationID = id(601)
        func offered(_ offer: OfferID, _ trip: TripID, _ allotment: Int) -> Event {
            .merchandiseOffered(
                MerchandiseOffered(
                    offer: offer, trip: trip, variation: variation, allotment: allotment))
        }
        let (here, there): (OfferID, OfferID) = (id(602), id(603))
        let shelf: [Event] = [
            .merchandiseAdded(MerchandiseAdded(merchandise: id(600), name: "Patch")),
            .variationAdded(
                VariationAdded(
                    variation: variation, merchandise: id(600), label: "blue",
                    price: Money(minorUnits: 900))),
            .stockReceived(StockReceived(variation: variation, quantity: 2)),
            offered(here, Fleet.trip, 2),
        ]
        let open = Story.given(Harbour.events(), shelf)
        let held = open.adding(
            try open.decide(
                ada.order(2, merchandise: [OrderedMerchandise(offer: here, quantity: 2)])
            ).get())
        let bought = held.adding(
            try held.decide(ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)).get())
        let move = change(.move(from: Harbour.adult, to: Harbour.onLater, quantity: nil))
        func offer(_ story: Story) throws -> OfferID? {
            try story.after(move).quote.merchandise.first?.offer
        }
        #expect(try offer(bought) == here)
        // By whatever ways they get there.
        let onWay = try bought.after(
            change(
                .move(from: Harbour.adult, to: Harbour.deck, quantity: 1),
                .move(from: Harbour.adult, to: Harbour.onLater, quantity: nil),
                .move(from: Harbour.deck, to: Harbour.onLater, quantity: nil)))
        #expect(onWay.quote.merchandise.map(\.quantity) == [2])
        let both = bought.adding([offered(there, Harbour.laterTrip, 2)])
        #expect(try offer(both) == there)
        let moved = both.adding(try both.decide(move).get())
        let terms = World(source: StorySource(moved.history))
        #expect(terms.look(at: OfferTerms.self, of: here).used(at: noon) == 0)
        #expect(terms.look(at: OfferTerms.self, of: there).used(at: noon) == 2)
        #expect(terms.look(at: VariationStock.self, of: variation).available(at: noon) == 0)
        bought.adding([offered(there, Harbour.laterTrip, 1)]).when(move)
            .then(.notEnoughStock(offer: there, available: 1, wanted: 2))
        // What he has in his hands stays what it was.
        let aboard = both.adding([
            .merchandiseFulfilled(
                MerchandiseFulfilled(
                    booking: ada.booking,
                    merchandise: [
                        MerchandiseLine(offer: here, variation: variation, quantity: 2)
                    ]))
        ])
        #expect(try offer(aboard) == here)
    }

    @Test("moves nobody to where there is no seat, no sale, no boat or no such type")
    func refusesMoves() {
        let move = change(.move(from: Harbour.adult, to: Harbour.onSister, quantity: nil))
        Story.given(Harbour.events(sisterSeats: 1), ada.placed(2), ada.confirmed(2)).when(move)
            .then(
                .notEnoughSeats(
                    sailing: Harbour.sister, ticketType: Harbour.sisterAdult, available: 1,
                    wanted: 2))
        sold.adding([.salesPaused(Harbour.sister)]).when(move)
            .then(.salesPaused(sailing: Harbour.sister))
        sold.adding([.tripArchived(Harbour.laterTrip)])
            .when(change(.move(from: Harbour.adult, to: Harbour.onLater, quantity: nil)))
            .then(.notOnSale(trip: Harbour.laterTrip, because: .archived))
        let nowhere = Place(sailing: Harbour.sister, ticketType: Fleet.deck)
        sold.when(change(.move(from: Harbour.adult, to: nowhere, quantity: nil)))
            .then(.unknown(kind: "ticket type", id: Fleet.deck.entity))
        sold.when(change(.move(from: Harbour.deck, to: Harbour.onSister, quantity: nil)))
            .then(.unknown(kind: "line", id: Fleet.deck.entity))
    }

    @Test("moves nobody who is aboard, and takes nobody off the booking who is")
    func keepsAboard() {
        let aboard = sold.adding([
            .passengerCheckedIn(
                PassengersChecked(booking: ada.booking, sailing: Fleet.sailing, passengers: [2]))
        ])
        aboard.when(change(.seats(Harbour.adult, quantity: 1)))
            .then(
                .lineQuantityChanged(
                    OrderChanged(
                        booking: ada.booking, mission: Fleet.mission, before: ada.holdings(2),
                        quote: quote([2]), heldUntil: nil, isRepriced: false)))
        aboard.when(change(.move(from: Harbour.adult, to: Harbour.onSister, quantity: nil)))
            .then(.passengersAboard(aboard: 1, wanted: 2))
    }

    private func quote(_ passengers: [Int]) -> Quote {
        let line = Quote.Line(
            trip: Fleet.trip, sailing: Fleet.sailing, ticketType: Fleet.adult, label: "Adult",
            passengers: passengers, unitPrice: cents(12900))
        let item = Quote.Item(line, jurisdiction: Fleet.jurisdiction, rate: BasisPoints(700)!)
        return Quote(discounted: [item], codes: [], tip: .zero)
    }

    @Test("changes nothing of what is over")
    func refusesOver() {
        let cancelled = sold.adding([
            .bookingCancelled(
                BookingCancelled(
                    booking: ada.booking, holdings: ada.holdings(2), wasHeld: false, reason: "ill"))
        ])
        cancelled.when(change(.seats(Harbour.adult, quantity: 3)))
            .then(.notInThatState(status: .cancelled, wanted: "held or confirmed"))
    }

    @Test("keeps a discount with its seats, and calculates it anew at the prices of now")
    func keepsDiscount() throws {
        let code = SalesCode(.discount, "SPRING")!
        let issued = Event.discountCodeIssued(
            DiscountCodeIssued(code: code, reduction: .share(BasisPoints(1000)!, cap: nil)))
        let story = Story.given(Harbour.events(), [issued])
        let placed = try story.decide(ada.order(4, discount: code)).get()
        let bought = story.adding(placed)
        #expect(try bought.after(change()).quote.discount == cents(5160))
        let fewer = try bought.after(change(.seats(Harbour.adult, quantity: 3)))
        #expect(fewer.quote.discount == cents(3870))
        #expect(fewer.quote.codes.map(\.discount) == [cents(3870)])
        let more = try bought.after(change(.seats(Harbour.adult, quantity: 5)))
        #expect(more.quote.discount == cents(5160))
        // What is added at its full price is taken off at that, and the others cost what they did.
        let again = try bought.adding(more.events).after(
            change(.seats(Harbour.adult, quantity: 4)))
        #expect(try bought.after(change()).quote.total == again.quote.total)
        let now = try bought.after(change(.seats(Harbour.adult, quantity: 5), prices: .current))
        #expect(now.quote.discount == cents(6450))
    }

    @Test("moves everybody of a boat that does not go to another of its trip, and nobody further")
    func reassigns() throws {
        let story = sold.adding(bob.placed(1))
        let question = BookingsOnSailing(sailing: Fleet.sailing)
        #expect(try story.ask(question, at: noon).get() == [ada.booking, bob.booking])
        #expect(try story.ask(question, at: noon + .minutes(10)).get() == [ada.booking])
        func reassign(_ to: SailingID) -> ReassignPassengers {
            ReassignPassengers(
                booking: ada.booking, from: Fleet.sailing, to: to,
                ticketTypes: [Fleet.adult: Harbour.sisterAdult])
        }
        let after = try story.after(reassign(Harbour.sister))
        #expect(after.events.map(\.type) == [.passengersReassigned])
        #expect(after.money.due(for: after.quote) == .zero)
        story.adding(after.events).when(reassign(Harbour.sister)).thenNothing()
        story.when(reassign(Harbour.later))
            .then(.sailingNotOfTrip(sailing: Harbour.later, trip: Fleet.trip))
    }

    @Test("changes a contact of a booking that is held or sold")
    func changesContact() {
        let sealed = Sealed(bytes: [9])
        let change = ChangeContact(booking: ada.booking, contact: sealed)
        sold.when(change).then(
            .contactChanged(
                ContactChanged(booking: ada.booking, customer: ada.customer, contact: sealed)))
        held.when(ChangeContact(booking: bob.booking, contact: sealed))
            .then(.unknown(kind: "booking", id: bob.booking.entity))
    }
}

import Testing

@testable import Domain

@Suite struct OrderTests {
    private func quote(_ fleet: Fleet, _ order: PlaceBooking) throws -> Quote {
        let events = try Story.given(fleet.events).decide(order).get()
        let fact = try events.placed
        return fact.quote
    }

    @Test("taxes the lines, not the tip, rounded half up")
    func calculates() throws {
        let quote = try quote(Fleet(rate: 825, price: 11900), ada.order(3, tip: 500))
        #expect(quote.subtotal.minorUnits == 35700)
        #expect(quote.taxes.map(\.amount.minorUnits) == [2945])
        #expect(quote.total.minorUnits == 35700 + 2945 + 500)
        #expect(BasisPoints(50)!.share(of: Money(minorUnits: 100)).minorUnits == 1)
        #expect(BasisPoints(49)!.share(of: Money(minorUnits: 100)).minorUnits == 0)
    }

    @Test("waives a total that can't be charged, and shows it", arguments: [1, 49])
    func waives(price: Int) throws {
        let quote = try quote(Fleet(rate: 0, price: price), ada.order(1))
        #expect(quote.waived.minorUnits == price)
        #expect(quote.total.minorUnits == 0)
    }

    @Test("charges a total of fifty cents")
    func chargesSmallestTotal() throws {
        let quote = try quote(Fleet(rate: 0, price: 50), ada.order(1))
        #expect(quote.waived == .zero)
        #expect(quote.total.minorUnits == 50)
    }

    @Test("adds up for random orders: lines + taxes + tip - waived = total")
    func addsUp() throws {
        for _ in 0..<300 {
            let fleet = Fleet(rate: .random(in: 0...10_000), price: .random(in: 0...50_000))
            let quote = try quote(fleet, ada.order(.random(in: 1...20), tip: .random(in: 0...999)))
            let lines = quote.lines.reduce(0) { $0 + $1.amount.minorUnits }
            let taxes = quote.taxes.reduce(0) { $0 + $1.amount.minorUnits }
            #expect(
                lines + taxes + quote.tip.minorUnits - quote.waived.minorUnits
                    == quote.total.minorUnits)
        }
    }

    @Test("refuses an order that comes to more than is charged in one piece")
    func refusesTooMuch() {
        let fleet = Fleet(rate: 0, price: 60_000_000)
        Story.given(fleet.events).when(ada.order(2)).then(
            .invalid(
                field: "lines",
                reason: "come to \(Money(minorUnits: 120_000_000)), and one order may come to "
                    + "\(Money(minorUnits: Money.minorUnitsLimit))"))
    }

    @Test("refuses a total that is no longer right, with both figures")
    func refusesStaleTotal() {
        Story.given(Fleet(rate: 0).events).when(ada.order(1, total: 9900)).then(
            .totalChanged(named: Money(minorUnits: 9900), current: Money(minorUnits: 12900)))
    }

    @Test("refuses quantities that are no quantities, and orders for the office")
    func refusesBadQuantities() {
        let story = Story.given(Fleet().events)
        for quantity in [0, -1, Int.min] {
            story.when(ada.order(quantity))
                .then(.invalid(field: "lines[0].quantity", reason: "must be at least 1"))
        }
        story.when(ada.order(10_000)).then(.orderTooLarge(wanted: 10_000, limit: 100))
        story.when(ada.order(Int.max)).then(.orderTooLarge(wanted: .max, limit: 100))
    }

    @Test(
        "refuses orders that are no orders: nothing, too much, something twice, a tip that is none")
    func refusesBadOrders() {
        let story = Story.given(Fleet().events)
        func order(_ change: (inout QuoteOrder) -> Void) -> PlaceBooking {
            var order = ada.order(1)
            change(&order.order)
            return order
        }
        let line = ada.order(1).order.lines[0]
        let goods = OrderedMerchandise(offer: id(42), quantity: 1)
        let cents = Money.minorUnitsLimit
        let cases: [(PlaceBooking, String, String)] = [
            (order { $0.lines = [] }, "lines", "must be 1 to 20"),
            (
                order { $0.lines = Array(repeating: line, count: 21) }, "lines", "must be 1 to 20"
            ),
            (order { $0.lines = [line, line] }, "lines[1]", "repeats an earlier line"),
            (order { $0.tip = Money(minorUnits: -1) }, "tip", "must be 0 to \(cents) cents"),
            (
                order { $0.tip = Money(minorUnits: cents + 1) }, "tip",
                "must be 0 to \(cents) cents"
            ),
            (
                order { $0.merchandise = Array(repeating: goods, count: 21) }, "merchandise",
                "must be at most 20"
            ),
            (
                order { $0.merchandise = [goods, goods] }, "merchandise[1]",
                "repeats an earlier one"
            ),
            (
                order { $0.merchandise = [OrderedMerchandise(offer: id(42), quantity: 0)] },
                "merchandise[0].quantity", "must be 1 to 100"
            ),
        ]
        for (order, field, reason) in cases {
            story.when(order).then(.invalid(field: field, reason: reason))
        }
        story.when(order { $0.merchandise = [goods] })
            .then(.unknown(kind: "offer", id: goods.offer.entity))
    }

    @Test("refuses what does not exist, and a sailing of another trip")
    func refusesStrangers() {
        Story.given([]).when(ada.order(1))
            .then(.unknown(kind: "sailing", id: Fleet.sailing.entity))
        Story.given(Fleet().events).when(ada.order(1, type: id(999)))
            .then(.unknown(kind: "ticket type", id: id(999, Kind.TicketType.self).entity))
        Story.given(Fleet().events).when(ada.order(1, trip: id(998)))
            .then(.sailingNotOfTrip(sailing: Fleet.sailing, trip: id(998)))
    }

    @Test("sells nothing of what has departed, is archived or inactive, and sells it again after")
    func refusesWhatIsOffSale() {
        Story.given(Fleet().events).when(ada.order(1, seller: .staff), at: departure)
            .then(.notOnSale(trip: Fleet.trip, because: .departed))
        let offs: [(Event, Event, Refusal.NotOnSale)] = [
            (.launchArchived(Fleet.launch), .launchUnarchived(Fleet.launch), .archived),
            (.missionArchived(Fleet.mission), .missionUnarchived(Fleet.mission), .archived),
            (.tripArchived(Fleet.trip), .tripUnarchived(Fleet.trip), .archived),
            (.missionDeactivated(Fleet.mission), .missionActivated(Fleet.mission), .inactive),
            (.tripDeactivated(Fleet.trip), .tripActivated(Fleet.trip), .inactive),
        ]
        for (off, on, reason) in offs {
            Story.given(Fleet().events, [off]).when(ada.order(1, seller: .staff))
                .then(.notOnSale(trip: Fleet.trip, because: reason))
            #expect(throws: Never.self) {
                try Story.given(Fleet().events, [off, on]).decide(ada.order(1)).get()
            }
        }
    }
}

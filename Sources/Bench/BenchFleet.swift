internal import Commands
internal import Domain
internal import EventCodec
internal import EventLog
internal import Operations
internal import Postgres
internal import Sealing

/// A trip with many boats, and orders for their seats.
struct BenchFleet: Sendable {
    /// A sailing with seats to sell.
    struct Berth: Sendable {
        let boat: BoatID = drawn()
        let sailing: SailingID = drawn()
        let adult: TicketTypeID = drawn()
        let capacity: Int
    }

    let trip: TripID = drawn()
    private let location: LocationID = drawn()
    private let jurisdiction: JurisdictionID = drawn()
    private let provider: ProviderID = drawn()
    private let launch: LaunchID = drawn()
    private let mission: MissionID = drawn()
    /// What an order may have besides a seat.
    private let code = SalesCode(.discount, "BENCH")
    private let merchandise: MerchandiseID = drawn()
    private let variation: VariationID = drawn()
    private let offer: OfferID = drawn()
    private static let price = Money(minorUnits: 12900)
    private static let rate: BasisPoints = {
        guard let rate = BasisPoints(700) else { preconditionFailure("7 % is a rate") }
        return rate
    }()

    /// What adds the trip.
    var founding: Envelope {
        let departure = Instant("2099-06-01T12:00:00Z") ?? Instant(microseconds: 0)
        let additions: [AddToCatalogue.Addition] = [
            .location(
                LocationAdded(
                    location: location, name: "Cape", region: "FL", timeZone: "America/New_York")),
            .jurisdiction(
                JurisdictionAdded(jurisdiction: jurisdiction, location: location, name: "Brevard"),
                rate: Self.rate, effectiveFrom: Instant(microseconds: 0)),
            .provider(
                ProviderAdded(
                    provider: provider, jurisdiction: jurisdiction, name: "Jetty", dock: "Port",
                    address: "1 Road", mapLink: nil)),
            .launch(
                LaunchAnnounced(
                    launch: launch, location: location, name: "Bench", summary: nil,
                    liftOff: departure + .hours(1), confidence: .net)),
            .mission(
                MissionPlanned(
                    mission: mission, launch: launch, name: "Take 1", refundCutoffHours: 12)),
            .trip(
                TripScheduled(
                    trip: trip, mission: mission, launch: launch, location: location,
                    kind: .launchViewing, label: nil,
                    times: TripTimes(departure: departure, of: .launchViewing), saleMode: .public,
                    salesOpenAt: nil, isListed: true)),
        ]
        return envelope(additions)
    }

    /// What adds a discount code and a thing to buy with the trip, both without end.
    var extras: Envelope {
        guard let code else { preconditionFailure("BENCH is a code") }
        let stock = 100_000_000
        return Envelope(
            id: drawnKey(), requestHash: [], actor: "bench",
            commands: [
                IssueDiscountCode(
                    DiscountCodeIssued(
                        code: code, reduction: .amount(Money(minorUnits: 1000)))),
                KeepMerchandise(
                    .add(MerchandiseAdded(merchandise: merchandise, name: "Mission patch"))),
                KeepMerchandise(
                    .addVariation(
                        VariationAdded(
                            variation: variation, merchandise: merchandise, label: "blue",
                            price: Money(minorUnits: 900)))),
                KeepMerchandise(.receive(variation, quantity: stock)),
                KeepMerchandise(
                    .offer(
                        MerchandiseOffered(
                            offer: offer, trip: trip, variation: variation, allotment: stock))),
            ])
    }

    /// Boats on the trip, one envelope each.
    func assigning(_ berths: [Berth]) -> [Envelope] {
        berths.map { berth in
            let adult = TicketType(id: berth.adult, label: "Adult", price: Self.price, cap: .shared)
            return envelope([
                .boat(
                    BoatRegistered(
                        boat: berth.boat, provider: provider, jurisdiction: jurisdiction,
                        name: "Ark", slug: "ark-\(berth.boat)", capacity: berth.capacity,
                        ticketTypes: [adult])),
                .sailing(
                    BoatAssigned(
                        sailing: berth.sailing, trip: trip, mission: mission, launch: launch,
                        boat: berth.boat, jurisdiction: jurisdiction, limit: nil, ticketTypes: [])),
            ])
        }
    }

    private func envelope(_ additions: [AddToCatalogue.Addition]) -> Envelope {
        Envelope(
            id: drawnKey(), requestHash: [], actor: "bench",
            commands: additions.map { AddToCatalogue($0) })
    }

    /// The body of an order for one seat, as the command API takes it.
    func order(at berth: Berth, withExtras: Bool = false) -> String {
        let extras = """
            "discountCode":"BENCH","merchandise":[{"offer":"\(offer)","quantity":1}],
            """
        return """
            {\(withExtras ? extras : "")"lines":[{"trip":"\(trip)","sailing":"\(berth.sailing)","ticketType":"\(berth.adult)",\
            "quantity":1}],"contact":{"firstName":"Ada","lastName":"Lovelace",\
            "email":"ada.lovelace@example.org","phone":"+1 321 555 0100"}}
            """
    }

    /// Bookings that came and went: each placed, and then confirmed or cancelled.
    func history(at berth: Berth, bookings: Int, confirmed: Int) -> [AppendCommand] {
        (0..<bookings).flatMap { number in
            let (placed, key) = placed(at: berth, .random(in: 0..<10_000_000))
            let holdings = Holdings(
                seats: [SeatLine(sailing: berth.sailing, ticketType: berth.adult, quantity: 1)])
            let end: Event =
                number < confirmed
                ? .bookingConfirmed(
                    BookingConfirmed(
                        booking: placed.booking, holdings: holdings, basis: .paidAtTheDock))
                : .bookingCancelled(
                    BookingCancelled(
                        booking: placed.booking, holdings: holdings, wasHeld: true, reason: "bench")
                )
            return [
                command(
                    .bookingPlaced(placed), claiming: [placed.code.entity],
                    keys: [(PostgresUUID(placed.customer.entity), key)]),
                command(end, claiming: [], keys: []),
            ]
        }
    }

    /// Bookings as a season has them: most are paid for, sail and are over, some are given up or called off.
    /// The life of each of them, which has some four and a half events, in the order in which they happen.
    func season(at berth: Berth, bookings: Int) -> [[AppendCommand]] {
        (0..<bookings).map { number in
            let (placed, key) = placed(at: berth, .random(in: 0..<10_000_000))
            let booking = placed.booking
            let holdings = placed.quote.holdings
            let paid: [Event] = [
                .paymentSucceeded(
                    ChargeMade(
                        payment: drawn(), booking: booking, amount: placed.quote.total,
                        provider: .dock, means: .cash)),
                .bookingConfirmed(
                    BookingConfirmed(
                        booking: booking, holdings: holdings, basis: .paidAtTheDock)),
            ]
            let aboard = PassengersChecked(
                booking: booking, sailing: berth.sailing, passengers: [1])
            let life: [Event] =
                switch number % 20 {
                case 0..<3: [.holdExpired(HoldEnded(booking: booking, holdings: holdings))]
                case 3..<5:
                    paid + [
                        .bookingCancelled(
                            BookingCancelled(
                                booking: booking, holdings: holdings, wasHeld: false,
                                reason: "bench"))
                    ]
                default:
                    paid + [
                        .passengerCheckedIn(aboard),
                        .bookingCompleted(
                            BookingCompleted(booking: booking, sailings: [berth.sailing])),
                    ]
                }
            return [
                command(
                    .bookingPlaced(placed), claiming: [placed.code.entity],
                    keys: [(PostgresUUID(placed.customer.entity), key)])
            ] + life.map { command($0, claiming: [], keys: []) }
        }
    }

    private func placed(at berth: Berth, _ number: Int) -> (BookingPlaced, key: [UInt8]) {
        var generator = SystemRandomNumberGenerator()
        let customer: CustomerID = drawn()
        let key = CustomerKey()
        let contact = Customers.contact(number)
        let line = Quote.Line(
            trip: trip, sailing: berth.sailing, ticketType: berth.adult, label: "Adult",
            passengers: [1], unitPrice: Self.price)
        let quote = Quote(
            [Quote.Item(line, jurisdiction: jurisdiction, rate: Self.rate)], tip: .zero)
        let placed = BookingPlaced(
            booking: drawn(), customer: customer, code: .random(using: &generator),
            mission: mission, quote: quote, deadline: Instant(microseconds: 0),
            contact: key.seal(contact, of: customer), wantsUpdates: false)
        return (placed, key.bytes)
    }

    private func command(
        _ event: Event, claiming claims: [EntityID],
        keys: [(customer: PostgresUUID, key: [UInt8])]
    ) -> AppendCommand {
        let event = NewEvent(event)
        let id = drawnKey()
        return AppendCommand(
            id: PostgresUUID(id), requestHash: Array(repeating: 7, count: 32),
            correlationID: PostgresUUID(id), causationPosition: nil, actor: "bench",
            events: [event],
            conditions: claims.map {
                let item = QueryItem(types: [event.type], tags: [PostgresUUID($0)])
                return ConditionItem(item: item, after: 0)
            },
            customerKeys: keys)
    }
}

/// An id as the service draws it.
private func drawn<K>(_ kind: K.Type = K.self) -> ID<K> {
    var generator = SystemRandomNumberGenerator()
    return ID(.drawn(at: wallClock(), using: &generator))
}

/// A key as clients draw it.
private func drawnKey() -> EntityID {
    var generator = SystemRandomNumberGenerator()
    return .random(using: &generator)
}

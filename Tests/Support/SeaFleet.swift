public import Commands
public import Domain
internal import Sealing

/// A catalogue of one sailing, made anew for each test, and orders for it.
public struct SeaFleet: Sendable {
    public let location: LocationID = drawn()
    public let jurisdiction: JurisdictionID = drawn()
    public let provider: ProviderID = drawn()
    public let boat: BoatID = drawn()
    public let launch: LaunchID = drawn()
    public let mission: MissionID = drawn()
    public let trip: TripID = drawn()
    public let sailing: SailingID = drawn()
    public let adult: TicketTypeID = drawn()
    public let capacity: Int
    public let departure: Instant

    public init(capacity: Int, departure: Instant = Instant("2099-06-01T12:00:00Z")!) {
        self.capacity = capacity
        self.departure = departure
    }

    /// Everything that has to be there before a seat can be sold.
    public var envelope: Envelope {
        let types = [
            TicketType(id: adult, label: "Adult", price: Money(minorUnits: 12900), cap: .shared)
        ]
        let additions: [AddToCatalogue.Addition] = [
            .location(
                LocationAdded(
                    location: location, name: "Cape", region: "FL", timeZone: "America/New_York")),
            .jurisdiction(
                JurisdictionAdded(jurisdiction: jurisdiction, location: location, name: "Brevard"),
                rate: BasisPoints(700)!, effectiveFrom: Instant(microseconds: 0)),
            .provider(
                ProviderAdded(
                    provider: provider, jurisdiction: jurisdiction, name: "Jetty", dock: "Port",
                    address: "1 Road", mapLink: nil)),
            .boat(
                BoatRegistered(
                    boat: boat, provider: provider, jurisdiction: jurisdiction, name: "Trident",
                    slug: "trident", capacity: capacity, ticketTypes: types)),
            .launch(
                LaunchAnnounced(
                    launch: launch, location: location, name: "Artemis", summary: nil,
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
            .sailing(
                BoatAssigned(
                    sailing: sailing, trip: trip, mission: mission, launch: launch, boat: boat,
                    jurisdiction: jurisdiction, limit: nil, ticketTypes: [])),
        ]
        return TestSupport.envelope(additions.map { AddToCatalogue($0) })
    }

    /// Patches on the shelf, offered with the trip under `offer`.
    public func shelf(of stock: Int, as offer: OfferID, allotment: Int? = nil) -> Envelope {
        let (merchandise, variation): (MerchandiseID, VariationID) = (drawn(), drawn())
        let price = Money(minorUnits: 900)
        let deeds: [KeepMerchandise.Deed] = [
            .add(MerchandiseAdded(merchandise: merchandise, name: "Mission patch")),
            .addVariation(
                VariationAdded(
                    variation: variation, merchandise: merchandise, label: "blue", price: price)),
            .receive(variation, quantity: stock),
            .offer(
                MerchandiseOffered(
                    offer: offer, trip: trip, variation: variation, allotment: allotment)),
        ]
        return TestSupport.envelope(deeds.map { KeepMerchandise($0) })
    }

    /// An order under a key of its own.
    public func order(
        seats: Int, lastName: String = "Lovelace", discount: SalesCode? = nil,
        merchandise: [OrderedMerchandise] = []
    ) -> Envelope {
        var generator = SystemRandomNumberGenerator()
        let customer: CustomerID = drawn()
        let key = CustomerKey()
        let contact = Contact(
            firstName: "Ada", lastName: lastName, email: "ada@example.org", phone: nil,
            address: nil, specialRequests: nil)
        let command = PlaceBooking(
            booking: drawn(), customer: customer, code: .random(using: &generator),
            order: QuoteOrder(
                lines: [
                    OrderLine(trip: trip, sailing: sailing, ticketType: adult, quantity: seats)
                ], merchandise: merchandise, seller: .public, discountCode: discount),
            namedTotal: nil, contact: key.seal(contact, of: customer), wantsUpdates: false,
            policy: HoldPolicy())
        var envelope = TestSupport.envelope([command])
        envelope.customerKeys = [(customer, key.bytes)]
        return envelope
    }
}

/// Commands under a key of their own.
public func envelope(_ commands: [any Command]) -> Envelope {
    var generator = SystemRandomNumberGenerator()
    return Envelope(
        id: .random(using: &generator), requestHash: [1], actor: "test", commands: commands)
}

private func drawn<K>(_ kind: K.Type = K.self) -> ID<K> {
    var generator = SystemRandomNumberGenerator()
    return ID(.random(using: &generator))
}

/// No booking came of an order.
private struct NotPlaced: Error {}

extension Receipt {
    /// The booking that came of an order.
    public var placed: BookingPlaced {
        get throws {
            guard case .bookingPlaced(let fact) = events.first?.event else { throw NotPlaced() }
            return fact
        }
    }
}

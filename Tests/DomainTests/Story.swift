import EventCodec
import Testing

@testable import Domain

/// Given these events, when this command, then these events or this refusal.
struct Story {
    let history: [Event]

    static func given(_ events: [Event]...) -> Story {
        Story(history: events.flatMap { $0 })
    }

    func when(_ command: some Command, at now: Instant = noon) -> Outcome {
        Outcome(decide(command, at: now))
    }

    /// What a command decides, without saying what it should.
    func decide(_ command: some Command, at now: Instant = noon) -> Result<[Event], Refusal> {
        let world = World(source: StorySource(history))
        do throws(Refusal) {
            return .success(try command.decide(in: world, at: now))
        } catch {
            return .failure(error)
        }
    }

    func ask<Asked: Question>(_ question: Asked, at now: Instant) -> Result<Asked.Answer, Refusal> {
        let world = World(source: StorySource(history))
        do throws(Refusal) {
            return .success(try question.answer(in: world, at: now))
        } catch {
            return .failure(error)
        }
    }

    struct Outcome {
        private let result: Result<[Event], Refusal>

        init(_ result: Result<[Event], Refusal>) {
            self.result = result
        }

        func then(_ events: Event..., sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(result == .success(events), sourceLocation: sourceLocation)
        }

        func thenNothing(sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(result == .success([]), sourceLocation: sourceLocation)
        }

        func then(_ refusal: Refusal, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(result == .failure(refusal), sourceLocation: sourceLocation)
        }
    }
}

/// Folds each model from the story's events that carry its entity.
final class StorySource: ModelSource {
    private let history: [Event]

    init(_ history: [Event]) {
        self.history = history
    }

    func model<Model: DecisionModel>(_ type: Model.Type, of entity: EntityID) -> Model {
        var model = Model(of: entity)
        for (index, event) in history.enumerated() where event.tags.contains(entity) {
            model.evolve(RecordedEvent(position: Int64(index + 1), recordedAt: dawn, event: event))
        }
        return model
    }

    func claim(_ entity: EntityID, as types: Set<EventType>) {}
}

// MARK: The cast

func id<K>(_ number: UInt64, _ kind: K.Type = K.self) -> ID<K> {
    ID(EntityID(customHigh: 0x7E57, low: number))
}

let dawn = Instant("2026-06-01T06:00:00Z")!
let noon = Instant("2026-06-01T12:00:00Z")!
let departure = Instant("2026-06-02T19:00:00Z")!
let policy = HoldPolicy()

/// One sailing of one trip, and everything that it belongs to.
struct Fleet {
    var capacity = 50
    var limit: Int?
    var saleMode = SaleMode.public
    var salesOpenAt: Instant?
    var rate = 700
    var price = 12900
    var deckCap = TicketType.Cap.fixed(4)

    static let launch: LaunchID = id(1)
    static let mission: MissionID = id(2)
    static let trip: TripID = id(3)
    static let boat: BoatID = id(4)
    static let sailing: SailingID = id(5)
    static let jurisdiction: JurisdictionID = id(6)
    static let adult: TicketTypeID = id(7)
    static let deck: TicketTypeID = id(8)
    static let location: LocationID = id(9)
    static let provider: ProviderID = id(10)

    var types: [TicketType] {
        [
            TicketType(
                id: Self.adult, label: "Adult", price: Money(minorUnits: price), cap: .shared),
            TicketType(
                id: Self.deck, label: "Upper deck", price: Money(minorUnits: 17900), cap: deckCap),
        ]
    }

    var events: [Event] {
        [
            .locationAdded(
                LocationAdded(
                    location: Self.location, name: "Cape", region: "FL",
                    timeZone: "America/New_York")),
            .jurisdictionAdded(
                JurisdictionAdded(
                    jurisdiction: Self.jurisdiction, location: Self.location, name: "Brevard")),
            .taxRateSet(
                TaxRateSet(
                    jurisdiction: Self.jurisdiction, rate: BasisPoints(rate)!,
                    effectiveFrom: Instant(microseconds: 0))),
            .boatRegistered(
                BoatRegistered(
                    boat: Self.boat, provider: Self.provider, jurisdiction: Self.jurisdiction,
                    name: "Trident", slug: "trident", capacity: capacity, ticketTypes: types)),
            .launchAnnounced(
                LaunchAnnounced(
                    launch: Self.launch, location: Self.location, name: "Artemis", summary: nil,
                    liftOff: departure + .hours(1), confidence: .net)),
            .missionPlanned(
                MissionPlanned(
                    mission: Self.mission, launch: Self.launch, name: "Take 1",
                    refundCutoffHours: 12)),
            .tripScheduled(
                TripScheduled(
                    trip: Self.trip, mission: Self.mission, launch: Self.launch,
                    location: Self.location, kind: .launchViewing, label: nil,
                    times: TripTimes(departure: departure, of: .launchViewing),
                    saleMode: saleMode, salesOpenAt: salesOpenAt, isListed: true)),
            .boatAssigned(
                BoatAssigned(
                    sailing: Self.sailing, trip: Self.trip, mission: Self.mission,
                    launch: Self.launch, boat: Self.boat, jurisdiction: Self.jurisdiction,
                    limit: limit, ticketTypes: types)),
        ]
    }
}

/// Somebody who books.
struct Customer {
    let booking: BookingID
    let customer: CustomerID
    let code: ConfirmationCode

    init(_ number: UInt64) {
        booking = id(100 + number)
        customer = id(200 + number)
        code = ConfirmationCode(bits: number)
    }

    func order(
        _ seats: Int, type: TicketTypeID = Fleet.adult, tip: Int = 0, total: Int? = nil,
        seller: Seller = .public, trip: TripID = Fleet.trip, discount: SalesCode? = nil,
        access: SalesCode? = nil, merchandise: [OrderedMerchandise] = []
    ) -> PlaceBooking {
        PlaceBooking(
            booking: booking, customer: customer, code: code,
            order: QuoteOrder(
                lines: [
                    OrderLine(
                        trip: trip, sailing: Fleet.sailing, ticketType: type, quantity: seats)
                ], merchandise: merchandise, tip: Money(minorUnits: tip), seller: seller,
                discountCode: discount,
                accessCode: access),
            namedTotal: total.map { Money(minorUnits: $0) }, contact: Sealed(bytes: [1, 2, 3]),
            wantsUpdates: false, policy: policy)
    }

    /// The fact that an order of so many adults leads to.
    func placed(
        _ seats: Int, until deadline: Instant = noon + .minutes(10), fleet: Fleet = Fleet()
    ) -> [Event] {
        let decided = Story.given(fleet.events).decide(order(seats), at: deadline - policy.span)
        return (try? decided.get()) ?? []
    }

    func holdings(
        _ count: Int, codes: [CodeUse] = [], merchandise: [MerchandiseLine] = []
    ) -> Holdings {
        Holdings(
            seats: [SeatLine(sailing: Fleet.sailing, ticketType: Fleet.adult, quantity: count)],
            codes: codes, merchandise: merchandise)
    }

    /// The facts that taking money at the dock for so many adults leads to.
    func confirmed(_ count: Int, fleet: Fleet = Fleet()) -> [Event] {
        let story = Story.given(fleet.events, placed(count, fleet: fleet))
        let decided = story.decide(ConfirmBooking(booking: booking, basis: .paidAtTheDock))
        return (try? decided.get()) ?? []
    }
}

let ada = Customer(1)
let bob = Customer(2)

/// No booking came of an order.
struct NotPlaced: Error {}

extension [Event] {
    /// The booking that is the first of them.
    var placed: BookingPlaced {
        get throws {
            guard case .bookingPlaced(let fact) = first else { throw NotPlaced() }
            return fact
        }
    }
}

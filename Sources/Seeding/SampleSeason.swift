public import CatalogueImport
public import Commands
internal import Crypto
public import Domain
internal import Sealing

/// A season as seasons are, made up: launches that flew after they had scrubbed, with their bookings, refunds, moved
/// and missed passengers; and trips on sale, one of which is sold out.
///
/// Each booking lives its whole life in one request, so nothing that watches the log meets it halfway. Ids are
/// derived from what things are, so a season that is seeded again is the same season.
public struct SampleSeason: Sendable {
    /// A request, and what time it is when it is decided.
    public struct Step: Sendable {
        public var now: Instant
        public var envelope: Envelope
    }

    /// In the order of time.
    public private(set) var steps: [Step] = []

    /// Launches of the catalogue that people were taken out to, and were back from.
    static let launchNames = ["Starship Flight 10", "Starship Flight 11"]
    /// Of a boat's seats, so many are sold for a launch of the past.
    static let fillPercent = 70
    private static let partySizes = [2, 1, 4, 2, 3, 2, 5, 1, 2]

    private struct Sailing {
        var id: SailingID
        var trip: TripID
        var mission: MissionID
        var boat: BoatID
        var departure: Instant
    }

    private var capacities: [BoatID: Int] = [:]
    private var ticketTypes: [BoatID: [TicketType]] = [:]
    private var sailings: [LaunchID: [Sailing]] = [:]
    private var names: [LaunchID: String] = [:]

    /// `catalogue` is the project's own, `upcoming` are the trips on sale.
    public init(catalogue: CatalogueFile, upcoming: DemoSeason, at now: Instant) {
        var departures: [TripID: Instant] = [:]
        for addition in catalogue.additions + upcoming.additions {
            switch addition {
            case .boat(let boat):
                capacities[boat.boat] = boat.capacity
                ticketTypes[boat.boat] = boat.ticketTypes
            case .launch(let launch): names[launch.launch] = launch.name
            case .trip(let trip): departures[trip.trip] = trip.times.departure
            case .sailing(let fact):
                guard let departure = departures[fact.trip] else { continue }
                sailings[fact.launch, default: []].append(
                    Sailing(
                        id: fact.sailing, trip: fact.trip, mission: fact.mission, boat: fact.boat,
                        departure: departure))
            case .location, .jurisdiction, .provider, .mission: break
            }
        }
        for launch in sailings.keys where Self.launchNames.contains(names[launch] ?? "") {
            addPast(sailings[launch] ?? [])
        }
        let coming = sailings.values.joined().filter { $0.departure > now }
            .sorted { ($0.departure, "\($0.id)") < ($1.departure, "\($1.id)") }
        addShelf(for: coming, at: now)
        for sailing in coming { addComing(sailing, at: now) }
        steps.sort { $0.now < $1.now }
    }

    // MARK: The past

    /// Passengers of a boat's first attempt wait for the one that flew, or have their money back.
    private mutating func addPast(_ launch: [Sailing]) {
        for (_, attempts) in Dictionary(grouping: launch, by: \.boat) {
            let attempts = attempts.sorted { $0.departure < $1.departure }
            for number in attempts.indices {
                // What is free on the later ones is for those who come over from the first.
                let share = number == 0 ? Self.fillPercent : Self.fillPercent / 20
                fill(attempts[number], percent: share) { season, party in
                    season.live(party, through: attempts[number...])
                }
            }
        }
    }

    private mutating func live(_ party: Party, through attempts: ArraySlice<Sailing>) {
        guard let first = attempts.first else { return }
        var commands = sale(of: party)
        let wantsMoneyBack = party.number % 10 == 7
        if wantsMoneyBack {
            commands.append(
                RefundLines(
                    booking: party.booking, lines: [.seats(party.place, quantity: nil)],
                    reason: attempts.count > 1 ? "scrubbed, can't come again" : "fell ill",
                    seller: .staff))
        } else {
            var place = party.place
            for next in attempts.dropFirst() {
                let new = Place(sailing: next.id, ticketType: place.ticketType)
                commands.append(
                    ChangeBooking(
                        booking: party.booking,
                        changes: [.move(from: place, to: new, quantity: nil)]))
                place = new
            }
            if party.number % 10 != 3 {
                let all = Array(1...party.size)
                // One of a large party overslept.
                let came = party.size > 3 ? Array(all.dropLast()) : nil
                commands.append(
                    CheckInPassengers(
                        booking: party.booking, sailing: place.sailing, passengers: came))
            }
            if party.number % 12 == 5 {
                commands.append(
                    RefundGoodwill(
                        booking: party.booking, amount: Money(minorUnits: 2_000),
                        reason: "fog on the way out"))
            }
        }
        add(party.reference, at: first.departure - .hours(2), commands, party)
    }

    // MARK: What is on sale

    /// Weeks take turns: nothing sold yet, sold out, with merchandise and a code, half sold.
    private enum Week: Int64 {
        case fresh
        case soldOut
        case withExtras
        case halfSold

        init(of departure: Instant) {
            self = Week(rawValue: departure.microseconds / (7 * 86_400_000_000) % 4) ?? .fresh
        }
    }

    static let discountCode = SalesCode(.discount, "ROCKET10")

    /// Patches and caps for the trips that have them, and a code for everybody.
    private mutating func addShelf(for coming: [Sailing], at now: Instant) {
        var commands: [any Command] = []
        if let code = Self.discountCode, let tenPercent = BasisPoints(1_000) {
            commands.append(
                IssueDiscountCode(
                    DiscountCodeIssued(code: code, reduction: .share(tenPercent, cap: nil))))
        }
        for (name, label, price) in [("Mission patch", "blue", 900), ("Cap", "black", 2_400)] {
            let merchandise: MerchandiseID = Self.id("merchandise/\(name)")
            commands += [
                KeepMerchandise(.add(MerchandiseAdded(merchandise: merchandise, name: name))),
                KeepMerchandise(
                    .addVariation(
                        VariationAdded(
                            variation: Self.variation(name), merchandise: merchandise,
                            label: label, price: Money(minorUnits: price)))),
                KeepMerchandise(.receive(Self.variation(name), quantity: 200)),
            ]
        }
        add("shelf", at: now, commands)
        for trip in Set(coming.filter { Week(of: $0.departure) == .withExtras }.map(\.trip)) {
            let offers = ["Mission patch", "Cap"].map { name in
                KeepMerchandise(
                    .offer(
                        MerchandiseOffered(
                            offer: Self.offer(name, trip), trip: trip,
                            variation: Self.variation(name), allotment: 40)))
            }
            add("offers/\(trip)", at: now, offers)
        }
    }

    private static func variation(_ name: String) -> VariationID { id("variation/\(name)") }
    private static func offer(_ name: String, _ trip: TripID) -> OfferID {
        id("offer/\(name)/\(trip)")
    }

    private mutating func addComing(_ sailing: Sailing, at now: Instant) {
        let (percent, hasExtras) =
            switch Week(of: sailing.departure) {
            case .fresh: (0, false)
            case .soldOut: (100, false)
            case .withExtras: (30, true)
            case .halfSold: (50, false)
            }
        fill(sailing, percent: percent) { season, party in
            var party = party
            if hasExtras, party.number % 3 == 0 {
                party.merchandise = [
                    OrderedMerchandise(
                        offer: Self.offer("Mission patch", sailing.trip), quantity: party.size)
                ]
            }
            if hasExtras, party.number % 4 == 0 { party.discountCode = Self.discountCode }
            season.add(party.reference, at: now, season.sale(of: party), party)
        }
    }

    // MARK: Parties

    /// People who come together.
    private struct Party {
        var number: Int
        var size: Int
        var trip: TripID
        var place: Place
        var merchandise: [OrderedMerchandise] = []
        var discountCode: SalesCode?

        var reference: String { "\(place.sailing)/\(number)" }
        var booking: BookingID { SampleSeason.id("booking/\(reference)") }
        var customer: CustomerID { SampleSeason.id("customer/\(reference)") }
    }

    private mutating func fill(
        _ sailing: Sailing, percent: Int, with body: (inout SampleSeason, Party) -> Void
    ) {
        guard let capacity = capacities[sailing.boat],
            let type = ticketTypes[sailing.boat]?.first(where: { $0.cap == .shared })
        else { return }
        var (left, number) = (capacity * percent / 100, 0)
        while left > 0 {
            let size = min(left, Self.partySizes[number % Self.partySizes.count])
            body(
                &self,
                Party(
                    number: number, size: size, trip: sailing.trip,
                    place: Place(sailing: sailing.id, ticketType: type.id)))
            (left, number) = (left - size, number + 1)
        }
    }

    /// Placed, and paid at the dock.
    private func sale(of party: Party) -> [any Command] {
        var generator = SystemRandomNumberGenerator()
        let line = OrderLine(
            trip: party.trip, sailing: party.place.sailing, ticketType: party.place.ticketType,
            quantity: party.size)
        let key = Self.key(of: party)
        return [
            PlaceBooking(
                booking: party.booking, customer: party.customer,
                code: .random(using: &generator),
                order: QuoteOrder(
                    lines: [line], merchandise: party.merchandise, seller: .staff,
                    discountCode: party.discountCode),
                namedTotal: nil,
                contact: key.seal(Passengers.contact(of: party.reference), of: party.customer),
                wantsUpdates: party.number % 2 == 0, policy: HoldPolicy()),
            ConfirmBooking(
                booking: party.booking, basis: .paidAtTheDock,
                means: party.number % 2 == 0 ? .cardTerminal : .cash),
        ]
    }

    private mutating func add(
        _ reference: String, at now: Instant, _ commands: [any Command], _ party: Party? = nil
    ) {
        let id: ID<Envelope> = Self.id("request/\(reference)")
        var envelope = Envelope(id: id.entity, requestHash: [], actor: "seed", commands: commands)
        if let party {
            envelope.customerKeys = [(party.customer, Self.key(of: party).bytes)]
        }
        steps.append(Step(now: now, envelope: envelope))
    }

    /// Nobody is hidden by it: who it is about is made up, and can be made up again.
    private static func key(of party: Party) -> CustomerKey {
        let digest = SHA256.hash(data: Array("seed/key/\(party.reference)".utf8))
        guard let key = CustomerKey(bytes: Array(digest)) else {
            preconditionFailure("32 bytes are not 32 bytes")
        }
        return key
    }

    private static func id<K>(_ reference: String) -> ID<K> {
        ID(EntityID(ofDigest: SHA256.hash(data: Array("seed/\(reference)".utf8))))
    }
}

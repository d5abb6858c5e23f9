/// Where a booking stands.
public enum BookingStatus: String, Sendable, CaseIterable {
    case held
    case confirmed
    case checkedIn = "checked_in"
    case completed
    case expired
    case abandoned
    case cancelled
}

/// One booking from the order to the quay.
public struct BookingLife: DecisionModel {
    public static let types: Set<EventType> = [
        .bookingPlaced, .holdExtended, .holdExpired, .bookingAbandoned, .bookingConfirmed,
        .bookingCancelled, .passengerCheckedIn, .checkInReverted, .merchandiseFulfilled,
        .bookingCompleted, .contactChanged, .lineQuantityChanged, .lineTicketTypeChanged,
        .bookingRescheduled, .passengersReassigned, .alternativeOffered, .passengersScanned,
        .staffNoteWritten, .paymentSucceeded, .paymentArrivedLate, .refundRequested,
        .refundSucceeded, .refundFailed,
    ]
    /// Those that give the booking another version: what is shown of it is different.
    public static let versionTypes = types.subtracting([.passengersScanned])

    /// As it is now: later changes are folded into the fact that placed it.
    public private(set) var placed: BookingPlaced?
    /// What happened to it so far; passengers aboard are counted apart, see ``status``.
    private var stage = BookingStatus.held
    public private(set) var deadline = Instant(microseconds: 0)
    public private(set) var extensionCount = 0
    /// Whether money was ever charged for it: else there is none to look for.
    private(set) var wasCharged = false
    /// Numbers of the seats whose passengers are aboard.
    public private(set) var aboard: Set<Int> = []
    /// Where each passenger was seen, in the order in which it was told.
    private var sightings: [Int: [Sighting]] = [:]
    /// What scanners told, in the order in which they told it.
    public private(set) var scans: [PassengersScanned] = []
    public private(set) var handedOver = HandedOverGoods()
    /// When changes made it cost more, what it had cost, and the highest number that a passenger had had by then.
    private var increases: [(at: Instant, before: Money, lastPassenger: Int)] = []
    /// What it had of each thing, and from when on.
    private var goods: [(since: Instant, counts: [OfferID: Int])] = []
    /// The highest number that a passenger of the booking ever had.
    public private(set) var lastPassenger = 0
    /// Where each passenger was when he was priced: his tax is that of there, wherever he is moved at a price that is kept.
    private(set) var pricedAt: [Int: SailingID] = [:]
    /// Position of the last event that changed what is shown of the booking: what an ETag shows.
    public private(set) var version: Int64 = 0

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        // A scan that told nothing new is the one event that nobody sees on the booking.
        if case .passengersScanned = recorded.event {} else { version = recorded.position }
        switch recorded.event {
        case .bookingPlaced(let fact):
            (placed, deadline, stage) = (fact, fact.deadline, .held)
            price(fact.quote, anew: true)
            count(fact.quote, at: recorded.recordedAt)
        case .contactChanged(let fact): placed?.contact = fact.contact
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            if let placed, fact.quote.total.minorUnits > placed.quote.total.minorUnits {
                increases.append((recorded.recordedAt, placed.quote.total, lastPassenger))
            }
            price(fact.quote, anew: fact.isRepriced)
            change(to: fact.quote, of: fact.mission, at: recorded.recordedAt)
            if let heldUntil = fact.heldUntil { deadline = heldUntil }
        case .alternativeOffered(let fact):
            change(to: fact.quote, of: fact.mission, at: recorded.recordedAt)
            (deadline, stage) = (fact.deadline, .held)
        case .holdExtended(let fact):
            deadline = fact.deadline
            extensionCount += 1
        case .holdExpired: stage = .expired
        case .bookingAbandoned: stage = .abandoned
        case .bookingConfirmed: stage = .confirmed
        case .bookingCancelled: stage = .cancelled
        case .passengerCheckedIn(let fact):
            aboard.formUnion(fact.passengers)
            if fact.at == nil {
                see(fact.passengers, Sighting(recorded.recordedAt, isAboard: true))
            }
        case .checkInReverted(let fact):
            aboard.subtract(fact.passengers)
            if fact.at == nil {
                see(fact.passengers, Sighting(recorded.recordedAt, isAboard: false))
            }
        case .passengersScanned(let fact):
            scans.append(fact)
            see(fact.passengers, Sighting(fact))
        case .merchandiseFulfilled(let fact): handedOver.add(fact.merchandise)
        case .bookingCompleted: stage = .completed
        case .paymentSucceeded, .paymentArrivedLate: wasCharged = true
        default: break
        }
    }

    private mutating func see(_ passengers: [Int], _ sighting: Sighting) {
        for number in passengers { sightings[number, default: []].append(sighting) }
    }

    /// What was last seen of a passenger, by when it was seen and not by when it was told.
    public func lastSeen(_ passenger: Int) -> Sighting? { sightings[passenger]?.max() }

    /// Whether a passenger had been seen aboard, and not ashore since, when he was seen this time.
    public func wasAboard(_ passenger: Int, before sighting: Sighting) -> Bool {
        sightings[passenger]?.filter { $0 < sighting }.max()?.isAboard ?? false
    }

    private mutating func change(to quote: Quote, of mission: MissionID, at moment: Instant) {
        placed?.quote = quote
        placed?.mission = mission
        handedOver.keep(of: quote)
        count(quote, at: moment)
    }

    private mutating func price(_ quote: Quote, anew: Bool) {
        if anew { pricedAt = [:] }
        for line in quote.lines {
            for number in line.passengers where pricedAt[number] == nil {
                pricedAt[number] = line.sailing
            }
        }
    }

    private mutating func count(_ quote: Quote, at moment: Instant) {
        let counts = quote.merchandise.counts
        if goods.last?.counts != counts { goods.append((moment, counts)) }
        for line in quote.lines { lastPassenger = max(lastPassenger, line.passengers.max() ?? 0) }
    }

    /// The first change since a moment that has made the booking cost more: what it had cost before, and the highest number
    /// that a passenger had had by then. Nothing of the increase was due at that moment, nor was who came with it there.
    func firstIncrease(since moment: Instant?) -> (before: Money, lastPassenger: Int)? {
        moment.flatMap { moment in increases.first { $0.at > moment } }
            .map { ($0.before, $0.lastPassenger) }
    }

    /// Checked in means that everybody is aboard.
    public var status: BookingStatus {
        stage == .confirmed && !aboard.isEmpty && aboard.count == passengerCount
            ? .checkedIn : stage
    }

    /// What would come back: what the booking has, but for what was handed over.
    public var returnable: Holdings {
        var holdings = placed?.quote.holdings ?? .none
        holdings.merchandise = notHandedOver(holdings.merchandise)
        return holdings
    }

    /// Refuses to give back the price of what was handed over, unless so many of each thing were brought back.
    func checkHandedOver(broughtBack counts: [OfferID: Int] = [:]) throws(Refusal) {
        let kept = handedOver.counts.filter { counts[$0.key] ?? 0 < $0.value }
        guard let first = kept.min(by: { $0.key.entity < $1.key.entity }) else { return }
        throw .merchandiseHandedOver(offer: first.key, quantity: first.value)
    }

    /// Refuses to give back the price of things that were handed over and that the order would not have any more.
    func checkKept(by draft: OrderDraft) throws(Refusal) {
        let left = draft.goods.counts
        try checkHandedOver(broughtBack: handedOver.counts.filter { left[$0.key] ?? 0 >= $0.value })
    }

    /// How many of each thing the booking had at a moment, as far as it is known from when on it has them.
    func goods(boughtBy moment: Instant) -> [OfferID: Int] {
        (goods.last { $0.since <= moment } ?? goods.first)?.counts ?? [:]
    }

    /// What of lines is still to be handed over.
    func notHandedOver(_ lines: [MerchandiseLine]) -> [MerchandiseLine] {
        lines.compactMap { line in
            var line = line
            line.quantity -= handedOver[line.offer]
            return line.quantity > 0 ? line : nil
        }
    }

    public var passengerCount: Int { placed?.quote.seats.seatCount ?? 0 }

    /// The numbers of the passengers that the booking has on `sailing`, in order.
    public func passengers(on sailing: SailingID) -> [Int] {
        placed?.quote.passengers(on: sailing) ?? []
    }
}

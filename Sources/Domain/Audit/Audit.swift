/// Reads a log from its first event, and says where something holds not that must hold at any time.
///
/// Memory grows with the bookings that are not over, and by a few bytes with each that is.
public struct Audit: Sendable {
    public struct Fault: Hashable, Sendable, CustomStringConvertible {
        public var position: Int64
        public var statement: Statement
        public var entity: EntityID

        public var description: String {
            "position \(position): \(statement.rawValue) (\(entity))"
        }
    }

    /// What is not so, in words.
    public enum Statement: String, Hashable, Sendable, CaseIterable {
        case overLimit = "more seats are sold and held than the sailing has"
        case codeOverused = "a code is used more often than it may be"
        case stockOverused = "more of a thing is sold and held than there is"
        case allotmentOverused = "more of a thing is sold and held than the trip was allotted"
        case givenBackTwice = "something is given back that the booking does not have"
        case takenTwice = "something is sold or held that the booking has already"
        case wrongTotal = "the total is not its arithmetic"
        case impossibleState = "this can't happen to a booking in its state"
        case movedTwice = "a payment is charged, or a refund asked for, a second time"
        case refundedTooMuch = "more is given back than was paid"
        case passengerTwice = "a passenger's number is there twice"
        case moneyForNothing = "money is kept, and the booking has nothing for it"
        case handedOverTooMuch = "more of a thing is handed over than the booking has"
        case aboardWithoutSeat = "somebody is aboard who has no seat"
    }

    private var boats: [BoatID: BoatTerms] = [:]
    private var departures: [TripID: Instant] = [:]
    private var sailings: [SailingID: SailingSeats] = [:]
    private var codes: [EntityID: CodeUses] = [:]
    private var variations: [VariationID: VariationStock] = [:]
    private var offers: [OfferID: OfferTerms] = [:]
    private var bookings: [BookingID: AuditedBooking] = [:]

    public init() {}

    /// Takes the next event into account; returns what it makes untrue.
    public mutating func evolve(_ recorded: RecordedEvent) -> [Fault] {
        var found: [(Statement, EntityID)] = []
        let event = recorded.event
        switch event {
        case .boatRegistered(let fact):
            boats[fact.boat, default: BoatTerms(of: fact.boat.entity)].evolve(recorded)
        case .boatCapacityChanged(let fact):
            boats[fact.boat, default: BoatTerms(of: fact.boat.entity)].evolve(recorded)
        case .tripScheduled(let fact): departures[fact.trip] = fact.times.departure
        default: break
        }
        for sailing in event.concernedSailings {
            sailings[sailing, default: SailingSeats(of: sailing.entity)].evolve(recorded)
        }
        for code in event.concernedCodes {
            codes[code, default: CodeUses(of: code)].evolve(recorded)
        }
        for variation in event.concernedVariations {
            variations[variation, default: VariationStock(of: variation.entity)].evolve(recorded)
        }
        for offer in event.concernedOffers {
            offers[offer, default: OfferTerms(of: offer.entity)].evolve(recorded)
        }
        found += limitFaults(recorded)
        if let booking = event.concernedBooking {
            let faults = bookings[booking, default: AuditedBooking()].evolve(recorded)
            found += faults.map { ($0, booking.entity) }
        }
        return found.map { Fault(position: recorded.position, statement: $0.0, entity: $0.1) }
    }

    /// Bookings of which money is kept for nothing, each at its last event. Asked at the end, because a request that
    /// charges and gives back is more than one event.
    public var chargedWithoutSeats: [Fault] {
        bookings.filter { $0.value.chargedWithoutSeats }.map { booking, audited in
            Fault(
                position: audited.position, statement: .moneyForNothing, entity: booking.entity)
        }.sorted { $0.position < $1.position }
    }

    /// What was charged of each booking that money was moved for, what is back or on its way, and its last event.
    public var moneyByBooking: [BookingID: (charged: Money, refunded: Money, position: Int64)] {
        bookings.compactMapValues { booking in
            booking.money.payments.isEmpty
                ? nil : (booking.money.chargedAmount, booking.money.refundAmount, booking.position)
        }
    }

    /// Of what an event takes, or leaves less of. A hold that is nearly over counts for nothing: another process, by
    /// another clock, may have sold what it held.
    private func limitFaults(_ recorded: RecordedEvent) -> [(Statement, EntityID)] {
        let now = recorded.recordedAt + LiveHolds<BookingID>.clockMargin
        var found: [(Statement, EntityID)] = []
        let pressed = pressed(by: recorded)
        for sailing in pressed.sailings {
            guard let seats = sailings[sailing], let boat = seats.assigned?.boat else {
                found.append((.overLimit, sailing.entity))
                continue
            }
            let figures = seats.figures(capacity: boats[boat]?.capacity ?? 0, at: now)
            if figures.isOversold { found.append((.overLimit, sailing.entity)) }
        }
        for code in pressed.codes where codes[code]?.isOverused(at: now) ?? true {
            found.append((.codeOverused, code))
        }
        for variation in pressed.variations
        where variations[variation]?.available(at: now) ?? -1 < 0 {
            found.append((.stockOverused, variation.entity))
        }
        for offer in pressed.offers {
            guard let terms = offers[offer], terms.available(at: now) ?? 0 >= 0 else {
                found.append((.allotmentOverused, offer.entity))
                continue
            }
        }
        return found
    }

    /// What has to be enough after an event.
    private struct Pressed {
        var sailings: [SailingID] = []
        var codes: [EntityID] = []
        var variations: [VariationID] = []
        var offers: [OfferID] = []
    }

    /// Who was aboard in earlier years was within the law of then.
    private func isToDepart(_ sailing: SailingID, at now: Instant) -> Bool {
        guard let trip = sailings[sailing]?.assigned?.trip else { return false }
        return now < departures[trip] ?? now
    }

    private func pressed(by recorded: RecordedEvent) -> Pressed {
        let event = recorded.event
        switch event {
        case .sailingLimitSet, .ticketTypeCapped:
            let sailings = event.concernedSailings
            return Pressed(sailings: sailings.filter { isToDepart($0, at: recorded.recordedAt) })
        case .boatCapacityChanged(let fact):
            let ours = sailings.filter { $0.value.assigned?.boat == fact.boat }.keys
                .filter { isToDepart($0, at: recorded.recordedAt) }
            return Pressed(sailings: ours.sorted { $0.entity < $1.entity })
        case .stockAdjusted: return Pressed(variations: event.concernedVariations)
        case .offerAllotmentSet: return Pressed(offers: event.concernedOffers)
        default:
            let taken = event.commitmentChanges.filter { $0.held > 0 || $0.sold > 0 }
                .map(\.holdings)
            let merchandise = taken.flatMap(\.merchandise)
            return Pressed(
                sailings: taken.flatMap(\.seats.sailings).unique,
                codes: taken.flatMap(\.codes).map(\.code.entity),
                variations: merchandise.map(\.variation), offers: merchandise.map(\.offer))
        }
    }
}

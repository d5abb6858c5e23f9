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
        case aboardWithoutSeat = "somebody is aboard who has no seat"
    }

    private var boats: [BoatID: BoatTerms] = [:]
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

    /// After an event that takes something. A hold that is nearly over counts for nothing: another process,
    /// by another clock, may have sold what it held.
    private func limitFaults(_ recorded: RecordedEvent) -> [(Statement, EntityID)] {
        let now = recorded.recordedAt + LiveHolds<BookingID>.clockMargin
        let taken = recorded.event.commitmentChanges.filter { $0.held > 0 || $0.sold > 0 }
        var found: [(Statement, EntityID)] = []
        for sailing in taken.flatMap(\.holdings.seats.sailings).unique {
            guard let seats = sailings[sailing], let boat = seats.assigned?.boat else {
                found.append((.overLimit, sailing.entity))
                continue
            }
            let figures = seats.figures(capacity: boats[boat]?.capacity ?? 0, at: now)
            if figures.isOversold { found.append((.overLimit, sailing.entity)) }
        }
        for use in taken.flatMap(\.holdings.codes) {
            if codes[use.code.entity]?.isOverused(at: now) ?? true {
                found.append((.codeOverused, use.code.entity))
            }
        }
        for line in taken.flatMap(\.holdings.merchandise) {
            if variations[line.variation]?.available(at: now) ?? -1 < 0 {
                found.append((.stockOverused, line.variation.entity))
            }
            guard let offer = offers[line.offer], offer.available(at: now) ?? 0 >= 0 else {
                found.append((.allotmentOverused, line.offer.entity))
                continue
            }
        }
        return found
    }
}

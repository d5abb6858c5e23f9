public import Domain
internal import EventCodec
internal import JSON
public import Postgres
public import ProjectionEngine

/// Per sailing and ticket type: price, cap, committed, held.
///
/// A hold counts here until its end is recorded, which is within a second or so of its deadline;
/// the decision to sell does not wait for that.
public struct SailingAvailability: ReadModel {
    public struct TypeCount: Equatable, Sendable {
        public var ticketType: TicketType
        public var committed: Int
        public var held: Int
    }

    public struct Oversale: Equatable, Sendable {
        public var booking: BookingID
        public var seatCount: Int
    }

    public struct Row: Equatable, Sendable {
        public var trip: TripID
        public var boat: BoatID
        public var limit: Int?
        public var isPaused: Bool
        public var types: [TypeCount]
        /// Seats beyond the limit that bookings were allowed.
        public var oversales: [Oversale]
        /// Whether the boat is on the trip still; bookings that it had are found by the trip all the same.
        public var isAssigned = true

        /// The three figures, for a boat that may carry `capacity` passengers.
        public func figures(capacity: Int) -> SeatFigures {
            let oversold = oversales.reduce(0) { $0 + $1.seatCount }
            return SeatFigures(
                limit: min(limit ?? capacity, capacity), oversold: oversold, capacity: capacity,
                ticketTypes: types.map(\.ticketType),
                counts: Dictionary(
                    uniqueKeysWithValues: types.map {
                        ($0.ticketType.id, (committed: $0.committed, held: $0.held))
                    }))
        }

        fileprivate mutating func changeTypes(_ event: Event) {
            let changed = types.map(\.ticketType).evolved(by: event)
            types = changed.map { type in
                let known = types.first { $0.ticketType.id == type.id }
                return TypeCount(
                    ticketType: type, committed: known?.committed ?? 0, held: known?.held ?? 0)
            }
        }

        fileprivate mutating func endOversale(of booking: BookingID) {
            if !oversales.isEmpty { oversales.removeAll { $0.booking == booking } }
        }

        fileprivate mutating func count(_ event: Event, of sailing: SailingID) {
            for change in event.commitmentChanges {
                for line in change.holdings.seats where line.sailing == sailing {
                    let index = types.firstIndex { $0.ticketType.id == line.ticketType }
                    guard let index else { continue }
                    types[index].held += change.held * line.quantity
                    types[index].committed += change.sold * line.quantity
                }
            }
        }

        /// A booking's seats beyond the limit are the first that it gives back.
        fileprivate mutating func lowerOversale(
            of booking: BookingID, from before: Holdings, to after: Holdings, on sailing: SailingID
        ) {
            guard let index = oversales.firstIndex(where: { $0.booking == booking }) else { return }
            oversales[index].seatCount -= before.seatsReturned(by: after, on: sailing)
            if oversales[index].seatCount <= 0 { oversales.remove(at: index) }
        }
    }

    public static let name = "sailing_availability"
    public static let version = 4
    public static let opensContacts = false
    public static let types: Set<EventType> = SailingSeats.types.subtracting([.holdExtended])
    public static let table = TableDefinition(
        key: [.init("sailing", .uuid)],
        columns: [
            .init("trip", .uuid), .init("boat", .uuid), .init("seat_limit", .int8),
            .init("is_paused", .bool), .init("ticket_types", .json), .init("oversales", .json),
            .init("is_assigned", .bool),
        ],
        indexes: ["(trip)", "(boat)", "(position)"])

    public static func keys(of event: Event) -> [SailingID] { event.concernedSailings }

    public static func fold(_ row: Row?, of key: SailingID, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .boatAssigned(let fact):
            let types = fact.ticketTypes.map { TypeCount(ticketType: $0, committed: 0, held: 0) }
            row = Row(
                trip: fact.trip, boat: fact.boat, limit: fact.limit, isPaused: false, types: types,
                oversales: [])
        case .sailingLimitSet(let fact): row?.limit = fact.limit
        case .salesPaused: row?.isPaused = true
        case .salesResumed: row?.isPaused = false
        case .boatUnassigned:
            // It sells nothing, also to a program that does not know that such rows are kept.
            row?.isAssigned = false
            row?.limit = 0
            row?.isPaused = true
        case .ticketTypeDefined, .ticketTypeRepriced, .ticketTypeCapped, .ticketTypeRelabelled,
            .ticketTypeWithdrawn:
            row?.changeTypes(event.event)
        case .oversaleAuthorised(let fact):
            if let index = row?.oversales.firstIndex(where: { $0.booking == fact.booking }) {
                row?.oversales[index].seatCount += fact.seatCount
            } else {
                row?.oversales.append(
                    Oversale(booking: fact.booking, seatCount: fact.seatCount))
            }
        case .holdExpired(let fact), .bookingAbandoned(let fact):
            row?.count(event.event, of: key)
            row?.endOversale(of: fact.booking)
        case .bookingCancelled(let fact):
            row?.count(event.event, of: key)
            row?.endOversale(of: fact.booking)
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            row?.count(event.event, of: key)
            row?.lowerOversale(
                of: fact.booking, from: fact.before, to: fact.quote.holdings, on: key)
        case .alternativeOffered(let fact):
            row?.count(event.event, of: key)
            row?.lowerOversale(
                of: fact.booking, from: fact.before, to: fact.quote.holdings, on: key)
        default: row?.count(event.event, of: key)
        }
        return row
    }

    public static func write(_ key: SailingID, to fields: inout PostgresFields) {
        fields.append(key)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.trip)
        fields.append(row.boat)
        fields.append(row.limit)
        fields.append(row.isPaused)
        fields.append { json in
            json.array(row.types) { json, type in
                json.object { json in
                    json.field("id", type.ticketType.id)
                    json.field("label", type.ticketType.label)
                    json.field("price", type.ticketType.price.minorUnits)
                    json.field("currency", type.ticketType.price.currency.rawValue)
                    json.field("fixedCap", type.ticketType.cap.fixedCount)
                    json.field("committed", type.committed)
                    json.field("held", type.held)
                }
            }
        }
        fields.append { json in
            json.array(row.oversales) { json, oversale in
                json.object { json in
                    json.field("booking", oversale.booking)
                    json.field("seatCount", oversale.seatCount)
                }
            }
        }
        fields.append(row.isAssigned)
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: SailingID, row: Row) {
        let types = trusted { () throws(JSONError) in
            try rows.json(index, 5).list { value throws(JSONError) in
                let json = try value.object()
                let fixedCap = try json.optional("fixedCap")?.integer()
                return TypeCount(
                    ticketType: TicketType(
                        id: try json["id"].id(), label: try json["label"].string(),
                        price: Money(
                            minorUnits: try json["price"].integer(),
                            currency: try json["currency"].choice()),
                        cap: fixedCap.map { .fixed($0) } ?? .shared),
                    committed: try json["committed"].integer(), held: try json["held"].integer())
            }
        }
        let oversales = trusted { () throws(JSONError) in
            try rows.json(index, 6).list { value throws(JSONError) in
                let json = try value.object()
                return Oversale(
                    booking: try json["booking"].id(), seatCount: try json["seatCount"].integer())
            }
        }
        return (
            rows.id(index, 0),
            Row(
                trip: rows.id(index, 1), boat: rows.id(index, 2),
                limit: rows.optionalInteger(index, 3), isPaused: rows.bool(index, 4), types: types,
                oversales: oversales, isAssigned: rows.bool(index, 7))
        )
    }
}

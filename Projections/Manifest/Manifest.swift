public import Domain
internal import EventCodec
internal import JSON
public import Postgres
public import ProjectionEngine

/// Who is on a sailing: a row for each booking with seats on it.
public struct Manifest: ReadModel {
    public struct Key: Hashable, Sendable {
        public var sailing: SailingID
        public var booking: BookingID
    }

    public struct Seats: Equatable, Sendable {
        public var label: String
        public var quantity: Int
    }

    public struct Row: Equatable, Sendable {
        public var code: ConfirmationCode
        public var firstName: String?
        public var lastName: String?
        public var specialRequests: String?
        public var isSold: Bool
        public var seats: [Seats]
        /// The numbers of the booking's seats on this sailing, and of those aboard.
        public var passengers: [Int]
        public var aboard: [Int]
    }

    public static let name = "manifest"
    public static let version = 2
    public static let opensContacts = true
    // A hold that is over stays: money that comes late may bring it back.
    public static let types = BookingLife.types.subtracting([
        .holdExtended, .holdExpired, .bookingAbandoned, .bookingCompleted,
    ])
    public static let table = TableDefinition(
        key: [.init("sailing", .uuid), .init("booking", .uuid)],
        columns: [
            .init("code", .text), .init("first_name", .text), .init("last_name", .text),
            .init("special_requests", .text), .init("is_sold", .bool), .init("seats", .json),
            .init("passengers", .json), .init("aboard", .json),
        ], indexes: ["(booking)"])

    public static func keys(of event: Event) -> [Key] {
        switch event {
        case .bookingPlaced(let fact): keys(fact.quote.sailings, fact.booking)
        case .bookingConfirmed(let fact): keys(fact.holdings.seats.sailings, fact.booking)
        case .bookingCancelled(let fact): keys(fact.holdings.seats.sailings, fact.booking)
        case .passengerCheckedIn(let fact), .checkInReverted(let fact):
            keys([fact.sailing], fact.booking)
        default: []
        }
    }

    private static func keys(_ sailings: [SailingID], _ booking: BookingID) -> [Key] {
        sailings.map { Key(sailing: $0, booking: booking) }
    }

    public static func begins(with event: Event) -> Bool { event.type == .bookingPlaced }

    public static func fold(_ row: Row?, of key: Key, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .bookingPlaced(let fact):
            let lines = fact.quote.lines.filter { $0.sailing == key.sailing }
            row = Row(
                code: fact.code, firstName: event.contact?.firstName,
                lastName: event.contact?.lastName,
                specialRequests: event.contact?.specialRequests, isSold: false,
                seats: lines.map { Seats(label: $0.label, quantity: $0.quantity) },
                passengers: fact.quote.seats.passengers(on: key.sailing), aboard: [])
        case .bookingCancelled: row = nil
        case .bookingConfirmed: row?.isSold = true
        case .passengerCheckedIn(let fact):
            let aboard = Set(fact.passengers).union(row?.aboard ?? [])
            row?.aboard = aboard.sorted()
        case .checkInReverted(let fact):
            row?.aboard.removeAll { fact.passengers.contains($0) }
        default: break
        }
        return row
    }

    public static func write(_ key: Key, to fields: inout PostgresFields) {
        fields.append(key.sailing)
        fields.append(key.booking)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.code.description)
        fields.append(row.firstName)
        fields.append(row.lastName)
        fields.append(row.specialRequests)
        fields.append(row.isSold)
        fields.append { json in
            json.array(row.seats) { json, seats in
                json.object { json in
                    json.field("label", seats.label)
                    json.field("quantity", seats.quantity)
                }
            }
        }
        fields.append { $0.array(row.passengers) { $0.value($1) } }
        fields.append { $0.array(row.aboard) { $0.value($1) } }
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: Key, row: Row) {
        func numbers(_ column: Int) -> [Int] {
            trusted { () throws(JSONError) in
                try rows.json(index, column).list { value throws(JSONError) in
                    try value.integer()
                }
            }
        }
        guard let code = ConfirmationCode(rows.text(index, 2)) else {
            preconditionFailure("a read model holds the code '\(rows.text(index, 2))'")
        }
        let seats = trusted { () throws(JSONError) in
            try rows.json(index, 7).list { value throws(JSONError) in
                let json = try value.object()
                return Seats(
                    label: try json["label"].string(), quantity: try json["quantity"].integer())
            }
        }
        return (
            Key(sailing: rows.id(index, 0), booking: rows.id(index, 1)),
            Row(
                code: code, firstName: rows.optionalText(index, 3),
                lastName: rows.optionalText(index, 4), specialRequests: rows.optionalText(index, 5),
                isSold: rows.bool(index, 6), seats: seats, passengers: numbers(8),
                aboard: numbers(9))
        )
    }
}

public import Domain
internal import EventCodec
public import Postgres
public import ProjectionEngine

/// One flat row for each booking, made for finding it.
public struct BookingSearch: ReadModel {
    public struct Row: Equatable, Sendable {
        public var code: ConfirmationCode
        public var mission: MissionID
        public var status: BookingStatus
        public var placedAt: Instant
        public var firstName: String?
        public var lastName: String?
        public var email: String?
        public var phone: String?
        public var seatCount: Int
        public var aboardCount: Int
        public var total: Money

        /// What words are looked for in: code, names, mail and phone, in lower case.
        public var words: String {
            [code.description, firstName, lastName, email, phone].compactMap { $0 }
                .joined(separator: " ").lowercased()
        }
    }

    public static let name = "booking_search"
    public static let version = 1
    public static let opensContacts = true
    public static let types = BookingLife.types
    public static let table = TableDefinition(
        key: [.init("booking", .uuid)],
        columns: [
            .init("code", .text), .init("mission", .uuid), .init("status", .text),
            .init("placed_at", .timestamptz), .init("first_name", .text), .init("last_name", .text),
            .init("email", .text), .init("phone", .text), .init("seat_count", .int8),
            .init("aboard_count", .int8), .init("total", .int8), .init("currency", .text),
            .init("words", .text),
        ],
        indexes: ["(placed_at, booking)"])

    public static func keys(of event: Event) -> [BookingID] { BookingByCode.keys(of: event) }

    public static func begins(with event: Event) -> Bool { event.type == .bookingPlaced }

    public static func fold(_ row: Row?, of key: BookingID, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .bookingPlaced(let fact):
            row = Row(
                code: fact.code, mission: fact.mission, status: .held, placedAt: event.recordedAt,
                firstName: event.contact?.firstName, lastName: event.contact?.lastName,
                email: event.contact?.email, phone: event.contact?.phone,
                seatCount: fact.quote.seats.seatCount, aboardCount: 0, total: fact.quote.total)
        case .holdExpired: row?.status = .expired
        case .bookingAbandoned: row?.status = .abandoned
        case .bookingConfirmed: row?.status = .confirmed
        case .bookingCancelled: row?.status = .cancelled
        case .passengerCheckedIn(let fact): row?.board(fact.passengers.count)
        case .checkInReverted(let fact): row?.board(-fact.passengers.count)
        case .bookingCompleted: row?.status = .completed
        default: break
        }
        return row
    }

    public static func write(_ key: BookingID, to fields: inout PostgresFields) {
        fields.append(key)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.code.description)
        fields.append(row.mission)
        fields.append(row.status)
        fields.append(row.placedAt)
        fields.append(row.firstName)
        fields.append(row.lastName)
        fields.append(row.email)
        fields.append(row.phone)
        fields.append(row.seatCount)
        fields.append(row.aboardCount)
        fields.append(row.total.minorUnits)
        fields.append(row.total.currency)
        fields.append(row.words)
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: BookingID, row: Row) {
        guard let code = ConfirmationCode(rows.text(index, 1)) else {
            preconditionFailure("a read model holds the code '\(rows.text(index, 1))'")
        }
        let row = Row(
            code: code, mission: rows.id(index, 2), status: rows.choice(index, 3),
            placedAt: rows.instant(index, 4), firstName: rows.optionalText(index, 5),
            lastName: rows.optionalText(index, 6), email: rows.optionalText(index, 7),
            phone: rows.optionalText(index, 8), seatCount: rows.integer(index, 9),
            aboardCount: rows.integer(index, 10),
            total: Money(
                minorUnits: rows.integer(index, 11), currency: rows.choice(index, 12)))
        return (rows.id(index, 0), row)
    }
}

extension BookingSearch.Row {
    /// Events name only those who were not aboard before, so counting is exact.
    fileprivate mutating func board(_ count: Int) {
        aboardCount += count
        guard status == .confirmed || status == .checkedIn else { return }
        status = aboardCount == seatCount ? .checkedIn : .confirmed
    }
}

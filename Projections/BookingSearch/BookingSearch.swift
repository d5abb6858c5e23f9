public import Domain
internal import EventCodec
internal import JSON
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
        public var specialRequests: String?
        public var sailings: [SailingID]
        public var ticketTypes: [TicketTypeID]
        public var seatCount: Int
        public var aboardCount: Int
        public var total: Money

        /// What is looked for: the words of names, mail and phone, in lower case, and status, sailings
        /// and ticket types under names that nobody types.
        var words: SearchWords {
            var words = SearchWords()
            if let phone { words.add(phone: phone) }
            for text in [firstName, lastName] {
                if let text { words.add(text) }
            }
            if let email { words.add(mail: email) }
            words.add(status)
            for sailing in sailings { words.add(sailing) }
            for type in ticketTypes { words.add(type) }
            return words
        }

        fileprivate mutating func set(_ contact: Contact?) {
            firstName = contact?.firstName
            lastName = contact?.lastName
            email = contact?.email
            phone = contact?.phone
            specialRequests = contact?.specialRequests
        }

        fileprivate mutating func set(_ quote: Quote, of mission: MissionID) {
            self.mission = mission
            sailings = quote.sailings
            ticketTypes = quote.lines.map(\.ticketType).unique
            seatCount = quote.seats.seatCount
            total = quote.total
            board(0)
        }
    }

    public static let name = "booking_search"
    public static let version = 6
    public static let opensContacts = true
    public static let types = BookingLife.types.subtracting([
        .holdExtended, .merchandiseFulfilled, .passengersScanned, .refundRequested,
    ])
    public static let table = TableDefinition(
        key: [.init("booking", .uuid)],
        columns: [
            .init("code", .text), .init("mission", .uuid), .init("status", .text),
            .init("placed_at", .timestamptz), .init("first_name", .text), .init("last_name", .text),
            .init("email", .text), .init("phone", .text), .init("special_requests", .text),
            .init("seat_count", .int8),
            .init("aboard_count", .int8), .init("total", .int8), .init("currency", .text),
            .init("words", .tsvector),
        ],
        indexes: ["(placed_at, booking)", "(coalesce(last_name, ''), booking)"]
            + halves.map { half in
                // What is not sorted in yet is read from end to end by every search: it has to stay short.
                "USING gin (words) WITH (gin_pending_list_limit = 512) WHERE \(half)"
            })
    /// The bookings in two halves, by the first letter of a code. Sorting words is most of what a rebuild does in the end,
    /// and one process's work for each index: so there are two.
    static let halves = ["code < 'J'", "code >= 'J'"]

    public static func keys(of event: Event) -> [BookingID] { BookingByCode.keys(of: event) }

    public static func begins(with event: Event) -> Bool { event.type == .bookingPlaced }

    public static func fold(_ row: Row?, of key: BookingID, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .bookingPlaced(let fact):
            row = Row(
                code: fact.code, mission: fact.mission, status: .held, placedAt: event.recordedAt,
                sailings: [], ticketTypes: [], seatCount: 0, aboardCount: 0, total: .zero)
            row?.set(event.contact)
            row?.set(fact.quote, of: fact.mission)
        case .contactChanged: row?.set(event.contact)
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            row?.set(fact.quote, of: fact.mission)
        case .alternativeOffered(let fact):
            row?.set(fact.quote, of: fact.mission)
            row?.status = .held
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
        fields.append(row.specialRequests)
        fields.append(row.seatCount)
        fields.append(row.aboardCount)
        fields.append(row.total.minorUnits)
        fields.append(row.total.currency)
        fields.append(row.words.tsvector)
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: BookingID, row: Row) {
        guard let code = ConfirmationCode(rows.text(index, 1)) else {
            preconditionFailure("a read model holds the code '\(rows.text(index, 1))'")
        }
        let row = rows.withBytes(index, 14) { words in
            Row(
                code: code, mission: rows.id(index, 2), status: rows.choice(index, 3),
                placedAt: rows.instant(index, 4), firstName: rows.optionalText(index, 5),
                lastName: rows.optionalText(index, 6), email: rows.optionalText(index, 7),
                phone: rows.optionalText(index, 8), specialRequests: rows.optionalText(index, 9),
                sailings: SearchWords.sailings(in: words),
                ticketTypes: SearchWords.ticketTypes(in: words),
                seatCount: rows.integer(index, 10), aboardCount: rows.integer(index, 11),
                total: Money(
                    minorUnits: rows.integer(index, 12), currency: rows.choice(index, 13)))
        }
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

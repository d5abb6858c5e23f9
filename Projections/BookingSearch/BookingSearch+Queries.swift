public import Domain
public import Postgres
internal import ProjectionEngine

/// What bookings somebody looks for.
public struct BookingFilter: Sendable {
    /// Words of one search.
    public static let wordLimit = 8
    /// Sailings that one search may be about.
    public static let sailingLimit = 500

    /// The order in which they come.
    public enum Order: String, Sendable, CaseIterable {
        case newest
        case oldest
        case name
    }

    /// The last booking of the page before.
    public enum Place: Sendable {
        case placed(Instant, BookingID)
        case named(String, BookingID)

        /// Where a booking stands in an order.
        public init(_ view: (booking: BookingID, row: BookingSearch.Row), in order: Order) {
            switch order {
            case .newest, .oldest: self = .placed(view.row.placedAt, view.booking)
            case .name: self = .named(view.row.lastName ?? "", view.booking)
            }
        }
    }

    /// All of them must begin a word of the booking.
    public var words: [String] = []
    /// It is this one; nil: whichever.
    public var booking: BookingID?
    public var statuses: [BookingStatus] = []
    /// It has seats on one of them; nil: wherever.
    public var sailings: [SailingID]?
    public var ticketType: TicketTypeID?
    public var placedFrom: Instant?
    public var placedUntil: Instant?
    public var order = Order.newest
    public var after: Place?

    public init() {}

    /// In PostgreSQL's language for text search; nil when every booking will do.
    fileprivate var textQuery: String? {
        var terms = words.prefix(Self.wordLimit).flatMap(SearchWords.terms(typed:))
        if let sailings {
            terms.append(Self.any(of: sailings.map(SearchWords.name(of:))))
        }
        if let ticketType {
            terms.append(SearchWords.quoted(SearchWords.name(of: ticketType)))
        }
        // Beside other terms only: alone, a status has more bookings than an index is good for.
        if !terms.isEmpty, !statuses.isEmpty {
            terms.append(Self.any(of: statuses.map(SearchWords.name(of:))))
        }
        return terms.isEmpty ? nil : terms.joined(separator: " & ")
    }

    private static func any(of names: [String]) -> String {
        names.isEmpty
            ? "'\u{1}none'" : "(\(names.map(SearchWords.quoted).joined(separator: " | ")))"
    }
}

extension BookingSearch {
    private static let columns = (table.key + table.columns).map(\.name).joined(separator: ", ")

    /// The first bookings that are wanted, after `filter.after`.
    public static func search(_ filter: BookingFilter, limit: Int) -> PostgresCall {
        let last = PostgresUUID(high: .max, low: .max)
        var (instant, name, booking): (Instant?, String?, PostgresUUID?)
        switch filter.after {
        case .placed(let at, let id): (instant, booking) = (at, PostgresUUID(id))
        case .named(let text, let id): (name, booking) = (text, PostgresUUID(id))
        case nil: break
        }
        let (condition, order): (String, String) =
            switch filter.order {
            case .newest:
                (
                    "(placed_at, booking) < (coalesce($1::timestamptz, 'infinity'), $3::uuid)",
                    "placed_at DESC, booking DESC"
                )
            case .oldest:
                (
                    "(placed_at, booking) > (coalesce($1::timestamptz, '-infinity'), $3::uuid)",
                    "placed_at, booking"
                )
            case .name:
                (
                    "(coalesce(last_name, ''), booking) > (coalesce($2::text, ''), $3::uuid)",
                    "coalesce(last_name, ''), booking"
                )
            }
        // Without a term the condition is left out, so that the planner sees what there is to do. With one, it is
        // looked for in the index of each half.
        let text = filter.textQuery
        let words =
            text == nil
            ? "$7::text IS NULL"
            : "words @@ $7::text::tsquery AND (\(halves.joined(separator: " OR ")))"
        let first =
            filter.order == .newest ? last : PostgresUUID(high: 0, low: 0)
        return PostgresCall(
            """
            SELECT \(columns)
            FROM reading.booking_search, (SELECT $1::timestamptz, $2::text) AS after (at, name)
            WHERE \(condition) AND \(words)
                AND ($9::uuid IS NULL OR booking = $9::uuid)
                AND (cardinality($4::text[]) = 0 OR status = ANY ($4::text[]))
                AND ($5::timestamptz IS NULL OR placed_at >= $5::timestamptz)
                AND ($6::timestamptz IS NULL OR placed_at < $6::timestamptz)
            ORDER BY \(order) LIMIT $8::bigint
            """,
            [
                .optional(instant) { .instant($0) }, .optional(name) { .text($0) },
                .uuid(booking ?? first),
                .array(of: .text, filter.statuses.map { .text($0.rawValue) }),
                .optional(filter.placedFrom) { .instant($0) },
                .optional(filter.placedUntil) { .instant($0) },
                .optional(text) { .text($0) }, .int64(Int64(limit)),
                .optional(filter.booking) { .id($0) },
            ])
    }

    /// The booking with a code: its own index finds it, so a code is no word.
    public static func booking(with code: ConfirmationCode) -> PostgresCall {
        PostgresCall(
            "SELECT booking FROM reading.booking_by_code WHERE code = $1::text",
            [.text(code.description)])
    }

    public static func bookings(_ rows: Rows) -> [BookingID] {
        (0..<rows.count).map { rows.id($0, 0) }
    }

    public static func views(_ rows: Rows) -> [(booking: BookingID, row: Row)] {
        (0..<rows.count).map { index in
            let (booking, row) = read(rows, index)
            return (booking, row)
        }
    }

    /// The sailings that are all that is named here, at most one more than a search may be about.
    public static func sailings(
        launch: LaunchID?, mission: MissionID?, trip: TripID?, boat: BoatID?,
        departsFrom: Instant?, departsUntil: Instant?
    ) -> PostgresCall {
        PostgresCall(
            """
            SELECT a.sailing
            FROM reading.sailing_availability a JOIN reading.trip_on_sale t USING (trip)
            WHERE ($1::uuid IS NULL OR t.launch = $1::uuid)
                AND ($2::uuid IS NULL OR t.mission = $2::uuid)
                AND ($3::uuid IS NULL OR t.trip = $3::uuid)
                AND ($4::uuid IS NULL OR a.boat = $4::uuid)
                AND ($5::timestamptz IS NULL OR t.departs_at >= $5::timestamptz)
                AND ($6::timestamptz IS NULL OR t.departs_at < $6::timestamptz)
            LIMIT \(BookingFilter.sailingLimit + 1)
            """,
            [
                .optional(launch) { .id($0) }, .optional(mission) { .id($0) },
                .optional(trip) { .id($0) }, .optional(boat) { .id($0) },
                .optional(departsFrom) { .instant($0) }, .optional(departsUntil) { .instant($0) },
            ])
    }

    public static func sailings(_ rows: Rows) -> [SailingID] {
        (0..<rows.count).map { rows.id($0, 0) }
    }
}

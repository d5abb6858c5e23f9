public import Domain
public import Postgres
internal import ProjectionEngine

/// Gross, discounts, tax, tips and money side by side.
public struct Revenue: Sendable {
    /// A day as `YYYY-MM-DD`, or nothing where it is of more than one.
    public var day: String
    public var sums: MoneyEntry.Sums
    /// Of days: bookings that something changed for; else bookings that are sold.
    public var bookingCount: Int
}

/// What a trip has to do with what a mission sold.
public struct TripRevenue: Sendable {
    public var trip: TripID
    public var bookingCount: Int
    public var seatCount: Int
    public var aboardCount: Int
    /// Prices and discounts are those of the trip's own lines; tax, tip and money of a booking over several trips are
    /// divided by what its lines cost.
    public var sums: MoneyEntry.Sums
}

extension BookingByCode {
    /// Days that one answer may be about.
    public static let revenueDayLimit = 400

    private static let entries = """
        json_to_recordset(b.money) AS e (
            at timestamptz, gross bigint, discount bigint, tax bigint, tip bigint, waived bigint,
            charged bigint, refunded bigint)
        """

    private static let sums = ["gross", "discount", "tax", "tip", "waived", "charged", "refunded"]

    /// What was sold and moved on each day from the first to the last, as days are where a location is.
    public static func revenue(
        from first: String, until last: String, at location: LocationID?
    ) -> PostgresCall {
        PostgresCall(
            """
            WITH zone AS (
                SELECT coalesce(
                    (SELECT time_zone FROM reading.catalogue_entry WHERE entity = $3::uuid), 'UTC'
                ) AS name
            ), span AS (
                SELECT $1::text::date::timestamp AT TIME ZONE name AS first,
                    ($2::text::date + 1)::timestamp AT TIME ZONE name AS last, name
                FROM zone
            )
            SELECT to_char(e.at AT TIME ZONE span.name, 'YYYY-MM-DD') AS day,
                count(DISTINCT b.booking),
                \(sums.map { "sum(e.\($0))::bigint" }.joined(separator: ", "))
            FROM span, reading.booking_by_code b, \(entries)
            WHERE b.money_until >= span.first AND b.money_from < span.last
                AND e.at >= span.first AND e.at < span.last
            GROUP BY day ORDER BY day
            """, [.text(first), .text(last), .optional(location) { .id($0) }])
    }

    /// All that a mission sold.
    public static func revenue(of mission: MissionID) -> PostgresCall {
        PostgresCall(
            "\(revenueInAll) WHERE b.mission = $1::uuid AND \(isInBooks)",
            [.id(mission)])
    }

    /// All that a reseller's program sold.
    public static func revenue(of reseller: APIKeyID) -> PostgresCall {
        PostgresCall("\(revenueInAll) WHERE b.reseller = $1::uuid", [.id(reseller)])
    }

    private static let revenueInAll = """
        SELECT '', count(DISTINCT b.booking) FILTER (WHERE b.stage IN ('confirmed', 'completed')),
            \(sums.map { "coalesce(sum(e.\($0)), 0)::bigint" }.joined(separator: ", "))
        FROM reading.booking_by_code b LEFT JOIN \(entries) ON true
        """

    public static func revenues(_ rows: Rows) -> [Revenue] {
        (0..<rows.count).map { row in
            Revenue(
                day: rows.text(row, 0), sums: MoneyEntry.Sums(rows, row, from: 2),
                bookingCount: rows.integer(row, 1))
        }
    }

    /// The same for each of a mission's trips.
    public static func tripRevenue(of mission: MissionID) -> PostgresCall {
        PostgresCall(
            """
            WITH booked AS (
                SELECT b.booking, b.quote, b.stage, m.*
                FROM reading.booking_by_code b, LATERAL (
                    SELECT \(sums.map { "coalesce(sum(e.\($0)), 0) AS \($0)" }.joined(separator: ", "))
                    FROM \(entries)) m
                WHERE b.mission = $1::uuid AND \(isInBooks)
            ), line AS (
                SELECT booking, (l ->> 'trip')::uuid AS trip, (l ->> 'quantity')::bigint AS seats,
                    (l ->> 'quantity')::bigint * (l ->> 'unitPrice')::bigint AS price,
                    coalesce((l ->> 'discount')::bigint, 0) AS discount
                FROM booked, json_array_elements(quote -> 'lines') l
                UNION ALL
                SELECT booking, (g ->> 'trip')::uuid, 0,
                    (g ->> 'quantity')::bigint * (g ->> 'unitPrice')::bigint,
                    coalesce((g ->> 'discount')::bigint, 0)
                FROM booked, json_array_elements(quote -> 'merchandise') g
            ), part AS (
                SELECT booking, trip, sum(seats) AS seats,
                    \(share(of: "price")) AS price_share, \(share(of: "discount")) AS discount_share,
                    \(share(of: "price - discount")) AS share
                FROM line GROUP BY booking, trip
            )
            SELECT p.trip, count(*) FILTER (WHERE b.stage IN ('confirmed', 'completed')),
                coalesce(sum(p.seats) FILTER (WHERE b.stage IN ('confirmed', 'completed')), 0)::bigint,
                coalesce((
                    SELECT sum(json_array_length(m.aboard))
                    FROM reading.manifest m JOIN reading.sailing_availability a USING (sailing)
                    WHERE a.trip = p.trip), 0)::bigint,
                \(sums.map { "round(sum(b.\($0) * p.\(shares[$0] ?? "share")))::bigint" }.joined(separator: ", "))
            FROM part p JOIN booked b USING (booking)
            GROUP BY p.trip ORDER BY p.trip
            """, [.id(mission)])
    }

    /// By which share a sum is divided among trips, where not by what their lines cost.
    private static let shares = ["gross": "price_share", "discount": "discount_share"]

    /// What a trip's lines have of something of all lines of a booking; an equal share where there is none of it.
    private static func share(of column: String) -> String {
        let all = "sum(sum(\(column))) OVER (PARTITION BY booking)"
        return """
            CASE WHEN \(all) = 0 THEN 1.0 / count(*) OVER (PARTITION BY booking)
                ELSE sum(\(column)) / \(all) END
            """
    }

    public static func tripRevenues(_ rows: Rows) -> [TripRevenue] {
        (0..<rows.count).map { row in
            TripRevenue(
                trip: rows.id(row, 0), bookingCount: rows.integer(row, 1),
                seatCount: rows.integer(row, 2), aboardCount: rows.integer(row, 3),
                sums: MoneyEntry.Sums(rows, row, from: 4))
        }
    }
}

extension MoneyEntry.Sums {
    fileprivate init(_ rows: Rows, _ row: Int, from column: Int) {
        self.init()
        gross = rows.integer(row, column)
        discount = rows.integer(row, column + 1)
        tax = rows.integer(row, column + 2)
        tip = rows.integer(row, column + 3)
        waived = rows.integer(row, column + 4)
        charged = rows.integer(row, column + 5)
        refunded = rows.integer(row, column + 6)
    }
}

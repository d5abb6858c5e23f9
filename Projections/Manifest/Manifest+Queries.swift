public import Domain
public import Postgres
internal import ProjectionEngine

extension Manifest {
    /// The sold bookings of a sailing by last name, a page after `after`.
    public static func sold(
        on sailing: SailingID, after: (lastName: String, booking: BookingID)?, limit: Int
    ) -> PostgresCall {
        PostgresCall(
            """
            SELECT \((table.key + table.columns).map(\.name).joined(separator: ", "))
            FROM reading.manifest
            WHERE sailing = $1::uuid AND is_sold
                AND (coalesce(last_name, ''), booking) > ($2::text, $3::uuid)
            ORDER BY coalesce(last_name, ''), booking LIMIT $4::bigint
            """,
            [
                .id(sailing), .text(after?.lastName ?? ""),
                .uuid(after.map { PostgresUUID($0.booking) } ?? PostgresUUID(high: 0, low: 0)),
                .int64(Int64(limit)),
            ])
    }

    public static func views(_ rows: Rows) -> [(key: Key, row: Row)] {
        (0..<rows.count).map { index in
            let (key, row) = read(rows, index)
            return (key, row)
        }
    }

    /// How long after its departure a trip's bookings are still looked for.
    public static let completionWindow = TimeSpan.days(30)

    /// Sold bookings all of whose trips have departed by `now`, and that are not completed.
    public static func departed(at now: Instant, limit: Int) -> PostgresCall {
        PostgresCall(
            """
            SELECT DISTINCT b.booking
            FROM reading.trip_on_sale t
            JOIN reading.sailing_availability a ON a.trip = t.trip
            JOIN reading.manifest m ON m.sailing = a.sailing
            JOIN reading.booking_by_code b ON b.booking = m.booking AND b.stage = 'confirmed'
            WHERE t.departs_at <= $1::timestamptz AND t.departs_at > $2::timestamptz
                AND NOT EXISTS (
                    SELECT FROM reading.manifest other
                    JOIN reading.sailing_availability oa ON oa.sailing = other.sailing
                    JOIN reading.trip_on_sale ot ON ot.trip = oa.trip
                    WHERE other.booking = m.booking AND ot.departs_at > $1::timestamptz)
            LIMIT $3::bigint
            """, [.instant(now), .instant(now - completionWindow), .int64(Int64(limit))])
    }

    public static func departed(_ rows: Rows) -> [BookingID] {
        (0..<rows.count).map { rows.id($0, 0) }
    }
}

public import Domain
public import Postgres
internal import ProjectionEngine

extension BookingByCode {
    public static func one(_ code: ConfirmationCode) -> PostgresCall {
        let columns = (table.key + table.columns).map(\.name).joined(separator: ", ")
        return PostgresCall(
            "SELECT \(columns) FROM reading.booking_by_code WHERE code = $1::text",
            [.text(code.description)])
    }

    public static func views(_ rows: Rows) -> [(booking: BookingID, row: Row)] {
        (0..<rows.count).map { index in
            let (booking, row) = read(rows, index)
            return (booking, row)
        }
    }

    /// Bookings whose hold has run out by `now` without anyone having recorded it.
    public static func overdue(at now: Instant, limit: Int) -> PostgresCall {
        PostgresCall(
            """
            SELECT booking, deadline FROM reading.booking_by_code
            WHERE stage = 'held' AND deadline <= $1::timestamptz
            ORDER BY deadline LIMIT $2::bigint
            """, [.instant(now), .int64(Int64(limit))])
    }

    public static func overdue(_ rows: Rows) -> [(booking: BookingID, deadline: Instant)] {
        (0..<rows.count).map { (rows.id($0, 0), rows.instant($0, 1)) }
    }
}

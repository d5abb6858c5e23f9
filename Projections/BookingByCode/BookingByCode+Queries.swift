public import Domain
public import Postgres
internal import ProjectionEngine

/// A booking with the version that an ETag shows.
public struct BookingView: Sendable {
    public var booking: BookingID
    public var row: BookingByCode.Row
    /// The position of its last event.
    public var version: Int64
}

extension BookingByCode {
    private static let selection = """
        SELECT \((table.key + table.columns).map(\.name).joined(separator: ", ")), position
        FROM reading.booking_by_code
        """

    public static func one(_ code: ConfirmationCode) -> PostgresCall {
        PostgresCall("\(selection) WHERE code = $1::text", [.text(code.description)])
    }

    public static func views(_ rows: Rows) -> [BookingView] {
        (0..<rows.count).map { index in
            let (booking, row) = read(rows, index)
            let last = table.key.count + table.columns.count
            return BookingView(
                booking: booking, row: row, version: Int64(rows.integer(index, last)))
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

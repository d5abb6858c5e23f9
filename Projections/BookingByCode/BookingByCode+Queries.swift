public import Domain
public import Postgres
internal import EventCodec
internal import JSON
internal import ProjectionEngine

extension BookingByCode {
    /// What is read outside of a query of the table, where that has no such column: while a version is rolled out it is
    /// that of the one before.
    static let nothingHandedOver = "(SELECT '[]'::json AS \(handedOver.name)) before"

    static func handedOver(_ rows: Rows, _ row: Int, _ column: Int) -> HandedOverGoods {
        let counts = trusted { () throws(JSONError) in
            try rows.json(row, column).list { value throws(JSONError) in
                let json = try value.object()
                return (try json["offer"].id(Kind.Offer.self), try json["quantity"].integer())
            }
        }
        return HandedOverGoods(Dictionary(uniqueKeysWithValues: counts))
    }

    public static func one(_ code: ConfirmationCode) -> PostgresCall {
        let columns = (table.key + table.columns).map(\.name).joined(separator: ", ")
        return PostgresCall(
            """
            SELECT b.* FROM \(nothingHandedOver),
                LATERAL (SELECT \(columns) FROM reading.booking_by_code WHERE code = $1::text) b
            """, [.text(code.description)])
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

public import Domain
public import Postgres
internal import ProjectionEngine

extension BookingSearch {
    /// Words of one search.
    public static let wordLimit = 8

    /// Bookings that have every word somewhere, newest first, a page after `after`.
    public static func search(
        words: [String], status: BookingStatus?,
        after: (placedAt: Instant, booking: BookingID)?, limit: Int
    ) -> PostgresCall {
        let patterns = words.prefix(wordLimit).map { "%\(escaped($0.lowercased()))%" }
        let last = PostgresUUID(high: .max, low: .max)
        return PostgresCall(
            """
            SELECT \((table.key + table.columns).map(\.name).joined(separator: ", "))
            FROM reading.booking_search
            WHERE words LIKE ALL ($1::text[]) AND ($2::text IS NULL OR status = $2::text)
                AND (placed_at, booking) < (coalesce($3::timestamptz, 'infinity'), $4::uuid)
            ORDER BY placed_at DESC, booking DESC LIMIT $5::bigint
            """,
            [
                .array(of: .text, patterns.map { .text($0) }),
                .optional(status) { .text($0.rawValue) },
                .optional(after) { .instant($0.placedAt) },
                .uuid(after.map { PostgresUUID($0.booking) } ?? last), .int64(Int64(limit)),
            ])
    }

    public static func views(_ rows: Rows) -> [(booking: BookingID, row: Row)] {
        (0..<rows.count).map { index in
            let (booking, row) = read(rows, index)
            return (booking, row)
        }
    }

    private static func escaped(_ word: String) -> String {
        var text = ""
        for character in word {
            if character == "%" || character == "_" || character == "\\" { text.append("\\") }
            text.append(character)
        }
        return text
    }
}

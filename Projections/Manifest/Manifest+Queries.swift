public import Domain
public import Postgres
internal import ProjectionEngine

/// A booking on a manifest, and who that is.
public struct ManifestEntry: Sendable {
    public var booking: BookingID
    public var row: Manifest.Row
    public var code: String
    public var firstName: String?
    public var lastName: String?
    public var specialRequests: String?
    public var handedOver: HandedOverGoods

    /// So many of what they bought with the trip were given to them.
    public func handedOver(of goods: Manifest.Goods) -> Int {
        goods.offer.map { handedOver[$0] } ?? 0
    }

    /// What they bought with the trip and were not given yet.
    public var merchandise: [Quote.Portion] {
        row.merchandise.compactMap { goods in
            var portion = goods.portion
            portion.quantity -= handedOver(of: goods)
            return portion.quantity > 0 ? portion : nil
        }
    }
}

extension Manifest {
    /// The sold bookings of a sailing by last name, a page after `after`.
    public static func sold(
        on sailing: SailingID, after: (lastName: String, booking: BookingID)?, limit: Int
    ) -> PostgresCall {
        let columns = (table.key + table.columns).map { "m.\($0.name)" }.joined(separator: ", ")
        return PostgresCall(
            """
            SELECT \(columns), s.code, s.first_name, s.last_name, s.special_requests,
                (SELECT \(BookingByCode.handedOver.name) FROM reading.booking_by_code b
                    WHERE b.booking = m.booking)
            FROM \(BookingByCode.nothingHandedOver), reading.manifest m JOIN reading.booking_search s USING (booking)
            WHERE m.sailing = $1::uuid AND m.is_sold
                AND (coalesce(s.last_name, ''), m.booking) > ($2::text, $3::uuid)
            ORDER BY coalesce(s.last_name, ''), m.booking LIMIT $4::bigint
            """,
            [
                .id(sailing), .text(after?.lastName ?? ""),
                .uuid(after.map { PostgresUUID($0.booking) } ?? PostgresUUID(high: 0, low: 0)),
                .int64(Int64(limit)),
            ])
    }

    public static func entries(_ rows: Rows) -> [ManifestEntry] {
        (0..<rows.count).map { index in
            let (key, row) = read(rows, index)
            let next = table.key.count + table.columns.count
            return ManifestEntry(
                booking: key.booking, row: row, code: rows.text(index, next),
                firstName: rows.optionalText(index, next + 1),
                lastName: rows.optionalText(index, next + 2),
                specialRequests: rows.optionalText(index, next + 3),
                handedOver: rows.isNull(index, next + 4)
                    ? HandedOverGoods() : BookingByCode.handedOver(rows, index, next + 4))
        }
    }

    /// How long after its departure a trip's bookings are still looked for.
    public static let completionWindow = TimeSpan.days(30)

    /// Sold bookings all of whose trips have departed by `now`, and one of them after `since`, where that is given; and
    /// that are not completed. One that is on several sailings may come more than once.
    ///
    /// From the trips to the bookings and in no other order, which is what `OFFSET 0` is for: trips that have departed
    /// lately are few and bookings many, and nobody knows how few before he looks.
    public static func departed(at now: Instant, since: Instant?, limit: Int) -> PostgresCall {
        let start = now - completionWindow
        return PostgresCall(
            """
            SELECT confirmed.booking
            FROM reading.trip_on_sale t JOIN reading.sailing_availability a ON a.trip = t.trip,
                LATERAL (
                    SELECT m.booking FROM reading.manifest m
                    WHERE m.sailing = a.sailing OFFSET 0) sold,
                LATERAL (
                    SELECT b.booking FROM reading.booking_by_code b
                    WHERE b.booking = sold.booking AND b.stage = 'confirmed' OFFSET 0) confirmed
            WHERE t.departs_at <= $1::timestamptz AND t.departs_at > $2::timestamptz
                AND NOT EXISTS (
                    SELECT FROM reading.manifest other
                    JOIN reading.sailing_availability oa ON oa.sailing = other.sailing
                    JOIN reading.trip_on_sale ot ON ot.trip = oa.trip
                    WHERE other.booking = confirmed.booking AND ot.departs_at > $1::timestamptz
                    OFFSET 0)
            LIMIT $3::bigint
            """,
            [
                .instant(now), .instant(max(since ?? start, start)), .int64(Int64(limit)),
            ])
    }

    public static func departed(_ rows: Rows) -> [BookingID] {
        (0..<rows.count).map { rows.id($0, 0) }
    }
}

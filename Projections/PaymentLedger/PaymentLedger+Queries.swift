public import Domain
public import Postgres
internal import ProjectionEngine

/// A row with its id, a payment's or a refund's.
public struct LedgerEntry: Sendable {
    public var id: EntityID
    public var row: PaymentLedger.Row
}

extension PaymentLedger {
    /// Rows of the ledger; while a version is rolled out it is that of the one before, which has no such column.
    private static func rows(_ condition: String) -> String {
        let columns = (table.key + table.columns).map(\.name).joined(separator: ", ")
        return """
            SELECT l.* FROM (SELECT NULL::bigint AS \(disputedAmount.name)) before,
                LATERAL (SELECT \(columns) FROM reading.payment_ledger \(condition)) l
            """
    }

    /// Movements by the time they began, newest first, a page after `after`; of one booking and in one state where they
    /// are named.
    public static func all(
        of booking: BookingID?, in state: State?, after: (begunAt: Instant, entry: EntityID)?,
        limit: Int
    ) -> PostgresCall {
        let entry = after.map { PostgresUUID(high: $0.entry.high, low: $0.entry.low) }
        return PostgresCall(
            rows(
                """
                WHERE ($1::uuid IS NULL OR booking = $1::uuid)
                    AND ($5::text IS NULL OR state = $5::text)
                    AND (begun_at, entry) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
                ORDER BY begun_at DESC, entry DESC LIMIT $4::bigint
                """),
            [
                .optional(booking) { .id($0) }, .optional(after) { .instant($0.begunAt) },
                .uuid(entry ?? PostgresUUID(high: .max, low: .max)), .int64(Int64(limit)),
                .optional(state) { .text($0.rawValue) },
            ])
    }

    /// Movements of the booking with a code, in the order in which they began.
    public static func ofBooking(_ code: ConfirmationCode) -> PostgresCall {
        PostgresCall(
            rows(
                """
                WHERE booking = (SELECT booking FROM reading.booking_by_code WHERE code = $1::text)
                ORDER BY begun_at, entry
                """), [.text(code.description)])
    }

    /// Refunds that a provider is to make, oldest first, without those that were ordered lately.
    public static func dueRefunds(
        of provider: ProviderKind, without ordered: some Sequence<EntityID>, limit: Int
    ) -> PostgresCall {
        PostgresCall(
            rows(
                """
                WHERE state = 'refund_requested' AND provider = $1::text
                    AND entry <> ALL ($2::uuid[])
                ORDER BY begun_at LIMIT $3::bigint
                """),
            [
                .text(provider.rawValue), .array(of: .uuid, ordered.map { .id(RefundID($0)) }),
                .int64(Int64(limit)),
            ])
    }

    /// What was charged of each booking, and what is back or on its way, and the position that all of this has reached.
    public static let sums = PostgresCall(
        """
        SELECT reached.position, booking, charged, refunded
        FROM (SELECT position FROM reading.projection WHERE name = $1::text) reached LEFT JOIN (
            SELECT booking,
                coalesce(sum(amount) FILTER (WHERE state IN ('charged', 'charged_late')), 0)::bigint
                    AS charged,
                coalesce(sum(amount) FILTER (WHERE state IN ('refunded', 'refund_requested')), 0)::bigint
                    AS refunded
            FROM reading.payment_ledger GROUP BY booking
        ) sums ON true
        """, [.text(name)])

    public static func sums(
        _ rows: Rows
    ) -> (reached: Int64, sums: [(booking: BookingID, charged: Int, refunded: Int)]) {
        let sums = (0..<rows.count).filter { !rows.isNull($0, 1) }.map { row in
            (
                booking: rows.id(row, 1, Kind.Booking.self), charged: rows.integer(row, 2),
                refunded: rows.integer(row, 3)
            )
        }
        return (rows.count > 0 ? Int64(rows.integer(0, 0)) : 0, sums)
    }

    public static func entries(_ rows: Rows) -> [LedgerEntry] {
        (0..<rows.count).map { index in
            let (id, row) = read(rows, index)
            return LedgerEntry(id: id, row: row)
        }
    }
}

extension [LedgerEntry] {
    /// What was charged, what is back with the customer, what is on its way there; and what is paid for the
    /// booking, which goodwill makes no less.
    public var sums: (charged: Money, refunded: Money, refunding: Money, paid: Money) {
        let charged = sum([.charged, .chargedLate]) { _ in true }
        let back = sum([.refunded, .refundRequested]) { !$0.row.isGoodwill }
        return (
            charged, sum([.refunded]) { _ in true }, sum([.refundRequested]) { _ in true },
            charged - back
        )
    }

    private func sum(
        _ states: Set<PaymentLedger.State>, where isIn: (LedgerEntry) -> Bool
    ) -> Money {
        filter { states.contains($0.row.state) && isIn($0) }.reduce(.zero) { $0 + $1.row.amount }
    }

    /// What is to be paid still of something that costs `owed`; less than nothing where too much was paid, and then no
    /// more than can be given back: goodwill is back already, and what a bank disputes is not there.
    public func balance(of owed: Money) -> Money {
        let sums = sums
        let due = owed - sums.paid
        guard due.minorUnits < 0 else { return Quote.chargeable(due) }
        var kept = sums.charged - sums.refunded - sums.refunding
        for entry in self where [.charged, .chargedLate].contains(entry.row.state) {
            guard let disputed = entry.row.disputed else { continue }
            let back = sum([.refunded, .refundRequested]) { $0.row.payment == entry.row.payment }
            let left = Swift.max(0, (entry.row.amount - back).minorUnits)
            kept = kept - Money(minorUnits: Swift.min(disputed.minorUnits, left))
        }
        return Money(
            minorUnits: Swift.max(due.minorUnits, -Swift.max(0, kept.minorUnits)),
            currency: due.currency)
    }
}

public import Domain
internal import EventCodec
public import Postgres
public import ProjectionEngine

/// Every movement of money: a row for each payment and each refund, in one named state.
public struct PaymentLedger: ReadModel {
    public enum State: String, Sendable, CaseIterable {
        case started
        case declined
        case charged
        /// Charged when the hold had run out, or the booking was cancelled.
        case chargedLate = "charged_late"
        case refundRequested = "refund_requested"
        case refunded
        case refundFailed = "refund_failed"
    }

    public struct Row: Equatable, Sendable {
        public var booking: BookingID
        public var payment: PaymentID
        public var provider: ProviderKind
        public var amount: Money
        public var state: State
        /// What the customer's bank has taken back of it, for now.
        public var disputed: Money?
        public var isDisputed: Bool { disputed != nil }
        /// Of a refund only.
        public var cause: RefundCause?
        /// Of a refund only: it is beside what was due, and past the cutoff for customers.
        public var isGoodwill = false
        public var isPastCutoff = false
        /// Why it was declined, given back or failed, where somebody said so.
        public var reason: String?
        public var begunAt: Instant
        /// When it came into its present state.
        public var changedAt: Instant
        /// Of money taken at the dock, where staff said so.
        public var means: PaymentMeans?
    }

    public static let name = "payment_ledger"
    public static let version = 4
    public static let opensContacts = false
    public static let types = BookingMoney.types
    public static let table = TableDefinition(
        key: [.init("entry", .uuid)],
        columns: [
            .init("booking", .uuid), .init("payment", .uuid), .init("provider", .text),
            .init("amount", .int8), .init("currency", .text), .init("state", .text),
            .init("is_disputed", .bool), .init("cause", .text), .init("is_goodwill", .bool),
            .init("is_past_cutoff", .bool), .init("reason", .text),
            .init("begun_at", .timestamptz), .init("changed_at", .timestamptz),
            .init("means", .text), disputedAmount,
        ],
        indexes: [
            "(booking)", "(begun_at, entry)", "(begun_at) WHERE state = 'refund_requested'",
            "(begun_at, entry) WHERE state = 'refund_failed'",
        ])
    static let disputedAmount = TableDefinition.Column("disputed_amount", .int8)

    public static func keys(of event: Event) -> [EntityID] {
        switch event {
        case .paymentStarted(let fact): [fact.payment.entity]
        case .paymentDeclined(let fact): [fact.payment.entity]
        case .paymentSucceeded(let fact), .paymentArrivedLate(let fact), .chargeDisputed(let fact):
            [fact.payment.entity]
        case .refundRequested(let fact): [fact.refund.entity]
        case .refundSucceeded(let fact): [fact.refund.entity]
        case .refundFailed(let fact): [fact.refund.entity]
        default: []
        }
    }

    public static func begins(with event: Event) -> Bool {
        event.type == .paymentStarted || event.type == .refundRequested
    }

    public static func fold(_ row: Row?, of key: EntityID, _ event: ProjectedEvent) -> Row? {
        let now = event.recordedAt
        switch event.event {
        case .paymentStarted(let fact):
            return Row(
                booking: fact.booking, payment: fact.payment, provider: fact.provider,
                amount: fact.amount, state: .started, cause: nil, reason: nil,
                begunAt: now, changedAt: now)
        case .paymentDeclined(let fact): return row?.now(.declined, at: now, because: fact.reason)
        case .paymentSucceeded(let fact): return charged(row, fact, .charged, at: now)
        case .paymentArrivedLate(let fact): return charged(row, fact, .chargedLate, at: now)
        case .chargeDisputed(let fact):
            var row = row
            row?.disputed = fact.amount
            return row
        case .refundRequested(let fact):
            return Row(
                booking: fact.booking, payment: fact.payment, provider: fact.provider,
                amount: fact.amount, state: .refundRequested, cause: fact.cause,
                isGoodwill: fact.isGoodwill, isPastCutoff: fact.isPastCutoff,
                reason: fact.reason.isEmpty ? nil : fact.reason, begunAt: now, changedAt: now)
        case .refundSucceeded: return row?.now(.refunded, at: now, because: row?.reason)
        case .refundFailed(let fact):
            return row?.now(.refundFailed, at: now, because: fact.reason)
        default: return row
        }
    }

    /// What is taken at the dock was never begun.
    private static func charged(
        _ row: Row?, _ fact: ChargeMade, _ state: State, at now: Instant
    ) -> Row {
        Row(
            booking: fact.booking, payment: fact.payment, provider: fact.provider,
            amount: fact.amount, state: state, disputed: row?.disputed, cause: nil,
            reason: nil, begunAt: row?.begunAt ?? now, changedAt: now, means: fact.means)
    }

    public static func write(_ key: EntityID, to fields: inout PostgresFields) {
        fields.append(PostgresUUID(high: key.high, low: key.low))
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.booking)
        fields.append(row.payment)
        fields.append(row.provider)
        fields.append(row.amount.minorUnits)
        fields.append(row.amount.currency)
        fields.append(row.state)
        fields.append(row.isDisputed)
        fields.append(row.cause?.rawValue)
        fields.append(row.isGoodwill)
        fields.append(row.isPastCutoff)
        fields.append(row.reason)
        fields.append(row.begunAt)
        fields.append(row.changedAt)
        fields.append(row.means?.rawValue)
        fields.append(row.disputed?.minorUnits)
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: EntityID, row: Row) {
        let currency: Currency = rows.choice(index, 5)
        let amount = rows.integer(index, 4)
        // A table of the version before says that it was disputed, and not of how much.
        let disputed = rows.bool(index, 7) ? rows.optionalInteger(index, 15) ?? amount : nil
        let row = Row(
            booking: rows.id(index, 1), payment: rows.id(index, 2),
            provider: rows.choice(index, 3),
            amount: Money(minorUnits: amount, currency: currency), state: rows.choice(index, 6),
            disputed: disputed.map { Money(minorUnits: $0, currency: currency) },
            cause: rows.isNull(index, 8) ? nil : rows.choice(index, 8),
            isGoodwill: rows.bool(index, 9), isPastCutoff: rows.bool(index, 10),
            reason: rows.optionalText(index, 11), begunAt: rows.instant(index, 12),
            changedAt: rows.instant(index, 13),
            means: rows.isNull(index, 14) ? nil : rows.choice(index, 14))
        return (rows.id(index, 0, Row.self).entity, row)
    }
}

extension PaymentLedger.Row {
    fileprivate func now(
        _ state: PaymentLedger.State, at instant: Instant, because reason: String?
    ) -> Self {
        var row = self
        row.state = state
        row.reason = reason
        row.changedAt = instant
        return row
    }
}

public import Domain
internal import EventCodec
internal import JSON
public import Postgres
public import ProjectionEngine

/// One booking with everything that its own page shows.
public struct BookingByCode: ReadModel {
    /// What staff wrote, and when.
    public struct Note: Equatable, Sendable {
        public var at: Instant
        /// nil when the customer has been forgotten.
        public var text: String?
    }

    public struct Row: Equatable, Sendable {
        public var code: ConfirmationCode
        public var customer: CustomerID
        public var mission: MissionID
        /// What happened to it; see ``status`` for what counts with people aboard.
        public var stage: BookingStatus
        public var placedAt: Instant
        public var deadline: Instant
        public var quote: Quote
        /// nil when the customer has been forgotten.
        public var contact: Contact?
        public var wantsUpdates: Bool
        public var aboard: [Int]
        public var cancelReason: String?
        public var notes: [Note] = []
        /// What each event changed of the money.
        public var money: [MoneyEntry] = []
        public var handedOver = HandedOverGoods()
        /// Whose program sold it for a commission, where one did.
        public var reseller: APIKeyID?
        /// The position of its last event: what an ETag shows.
        public var version: Int64 = 0

        /// What the customer has to pay for it in all, as far as it has come.
        public var owed: Money {
            switch stage {
            case .held, .confirmed, .checkedIn, .completed: quote.total
            case .expired, .abandoned, .cancelled:
                Money(minorUnits: 0, currency: quote.total.currency)
            }
        }

        fileprivate var isSold: Bool { stage == .confirmed || stage == .completed }

        /// What the books have of it now.
        fileprivate var sold: MoneyEntry.Sums {
            isSold ? MoneyEntry.Sums(quote) : MoneyEntry.Sums()
        }

        fileprivate mutating func enter(at now: Instant, _ change: (Row) -> MoneyEntry.Sums) {
            if let entry = MoneyEntry(change(self), at: now) { money.append(entry) }
        }

        fileprivate mutating func move(to quote: Quote, of mission: MissionID) {
            self.quote = quote
            self.mission = mission
            handedOver.keep(of: quote)
        }

        public var status: BookingStatus {
            stage == .confirmed && !aboard.isEmpty && aboard.count == quote.seats.seatCount
                ? .checkedIn : stage
        }
    }

    public static let name = "booking_by_code"
    public static let version = 8
    public static let opensContacts = true
    public static let types = BookingLife.versionTypes
    public static let table = TableDefinition(
        key: [.init("booking", .uuid)],
        columns: [
            .init("code", .text), .init("customer", .uuid), .init("mission", .uuid),
            .init("stage", .text), .init("placed_at", .timestamptz),
            .init("deadline", .timestamptz), .init("quote", .json), .init("contact", .json),
            .init("wants_updates", .bool), .init("aboard", .json), .init("cancel_reason", .text),
            .init("notes", .json), .init("money", .json), .init("money_from", .timestamptz),
            .init("money_until", .timestamptz), .init("version", .int8),
            .init("reseller", .uuid), handedOver,
        ],
        indexes: [
            "(code)", "(deadline) WHERE stage = 'held'",
            "(money_until, money_from) WHERE money_until IS NOT NULL",
            "(mission) WHERE \(isInBooks)",
            "(reseller) WHERE reseller IS NOT NULL",
        ])
    static let handedOver = TableDefinition.Column("handed_over", .json)
    /// Money was moved for it, or it is sold for nothing.
    static let isInBooks = "(money_until IS NOT NULL OR stage IN ('confirmed', 'completed'))"

    public static func keys(of event: Event) -> [BookingID] {
        event.concernedBooking.map { [$0] } ?? []
    }

    public static func begins(with event: Event) -> Bool { event.type == .bookingPlaced }

    public static func fold(_ row: Row?, of key: BookingID, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .bookingPlaced(let fact):
            row = Row(
                code: fact.code, customer: fact.customer, mission: fact.mission, stage: .held,
                placedAt: event.recordedAt, deadline: fact.deadline, quote: fact.quote,
                contact: event.contact, wantsUpdates: fact.wantsUpdates, aboard: [],
                cancelReason: nil)
            row?.reseller = fact.reseller
        case .holdExtended(let fact): row?.deadline = fact.deadline
        case .holdExpired: row?.stage = .expired
        case .bookingAbandoned: row?.stage = .abandoned
        case .bookingConfirmed:
            row?.stage = .confirmed
            row?.enter(at: event.recordedAt) { $0.sold }
        case .bookingCancelled(let fact):
            row?.enter(at: event.recordedAt) { MoneyEntry.Sums() - $0.sold }
            row?.stage = .cancelled
            row?.cancelReason = fact.reason
        case .passengerCheckedIn(let fact):
            let aboard = Set(fact.passengers).union(row?.aboard ?? [])
            row?.aboard = aboard.sorted()
        case .checkInReverted(let fact):
            row?.aboard.removeAll { fact.passengers.contains($0) }
        case .merchandiseFulfilled(let fact): row?.handedOver.add(fact.merchandise)
        case .bookingCompleted: row?.stage = .completed
        case .contactChanged: row?.contact = event.contact
        case .paymentSucceeded(let fact), .paymentArrivedLate(let fact):
            row?.enter(at: event.recordedAt) { _ in
                MoneyEntry.Sums(charged: fact.amount.minorUnits)
            }
        case .refundSucceeded(let fact):
            row?.enter(at: event.recordedAt) { _ in
                MoneyEntry.Sums(refunded: fact.amount.minorUnits)
            }
        case .refundFailed(let fact) where fact.hadSucceeded:
            row?.enter(at: event.recordedAt) { _ in
                MoneyEntry.Sums(refunded: -fact.amount.minorUnits)
            }
        case .staffNoteWritten:
            row?.notes.append(Note(at: event.recordedAt, text: event.note))
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            row?.enter(at: event.recordedAt) { row in
                row.isSold ? MoneyEntry.Sums(fact.quote) - row.sold : MoneyEntry.Sums()
            }
            row?.move(to: fact.quote, of: fact.mission)
            if let heldUntil = fact.heldUntil { row?.deadline = heldUntil }
        case .alternativeOffered(let fact):
            row?.move(to: fact.quote, of: fact.mission)
            row?.deadline = fact.deadline
            row?.stage = .held
        default: break
        }
        row?.version = event.position
        return row
    }

    public static func write(_ key: BookingID, to fields: inout PostgresFields) {
        fields.append(key)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.code.description)
        fields.append(row.customer)
        fields.append(row.mission)
        fields.append(row.stage)
        fields.append(row.placedAt)
        fields.append(row.deadline)
        fields.append { json in json.object { EventCodec.write(row.quote, to: &$0) } }
        if let contact = row.contact {
            fields.append { $0.write(contact) }
        } else {
            fields.appendNull()
        }
        fields.append(row.wantsUpdates)
        fields.append { $0.array(row.aboard) { $0.value($1) } }
        fields.append(row.cancelReason)
        fields.append { json in
            json.array(row.notes) { json, note in
                json.object { json in
                    json.field("at", note.at)
                    json.field("text", note.text)
                }
            }
        }
        fields.append { $0.array(row.money) { $1.write(to: &$0) } }
        fields.append(row.money.first?.at)
        fields.append(row.money.last?.at)
        fields.append(row.version)
        if let reseller = row.reseller { fields.append(reseller) } else { fields.appendNull() }
        fields.append { json in
            let counts = row.handedOver.counts.sorted { $0.key.entity < $1.key.entity }
            json.array(counts) { json, goods in
                json.object { json in
                    json.field("offer", goods.key)
                    json.field("quantity", goods.value)
                }
            }
        }
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: BookingID, row: Row) {
        guard let code = ConfirmationCode(rows.text(index, 1)) else {
            preconditionFailure("a read model holds the code '\(rows.text(index, 1))'")
        }
        var row = Row(
            code: code, customer: rows.id(index, 2), mission: rows.id(index, 3),
            stage: rows.choice(index, 4), placedAt: rows.instant(index, 5),
            deadline: rows.instant(index, 6),
            quote: trusted { () throws(JSONError) in
                try EventCodec.quote(rows.json(index, 7).object())
            },
            contact: rows.isNull(index, 8)
                ? nil
                : trusted { () throws(JSONError) in try Contact(rows.json(index, 8).object()) },
            wantsUpdates: rows.bool(index, 9),
            aboard: trusted { () throws(JSONError) in
                try rows.json(index, 10).list { value throws(JSONError) in try value.integer() }
            },
            cancelReason: rows.optionalText(index, 11),
            notes: trusted { () throws(JSONError) in
                try rows.json(index, 12).list { value throws(JSONError) in
                    let json = try value.object()
                    return Note(
                        at: try json["at"].instant(), text: try json.optional("text")?.string())
                }
            },
            money: trusted { () throws(JSONError) in
                try rows.json(index, 13).list { value throws(JSONError) in
                    try MoneyEntry(value.object())
                }
            }, reseller: rows.isNull(index, 17) ? nil : rows.id(index, 17),
            version: Int64(rows.integer(index, 16)))
        row.handedOver = handedOver(rows, index, 18)
        return (rows.id(index, 0), row)
    }
}

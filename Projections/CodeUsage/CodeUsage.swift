public import Domain
internal import EventCodec
internal import JSON
public import Postgres
public import ProjectionEngine

/// Discount and access codes: their terms, and how often they are used.
public struct CodeUsage: ReadModel {
    public struct Key: Hashable, Sendable {
        public var kind: CodeKind
        public var text: String

        public init(kind: CodeKind, text: String) {
            self.kind = kind
            self.text = text
        }
    }

    public struct Row: Equatable, Sendable {
        public var terms: CodeUses.Terms
        public var isRevoked: Bool
        /// Uses by bookings that are held, and by those that were sold and not cancelled.
        public var reservedCount: Int
        public var soldCount: Int
        /// What sold bookings saved.
        public var discount: Money

        fileprivate mutating func save(_ amount: Money) { discount = discount + amount }
    }

    public static let name = "code_usage"
    public static let version = 2
    public static let opensContacts = false
    public static let types = CodeUses.types.subtracting([.holdExtended])
    public static let table = TableDefinition(
        key: [.init("kind", .text), .init("code", .text)],
        columns: [
            .init("terms", .json), .init("is_revoked", .bool), .init("reserved", .int8),
            .init("sold", .int8), .init("discount", .int8), .init("currency", .text),
        ], indexes: [])

    public static func keys(of event: Event) -> [Key] {
        switch event {
        case .discountCodeIssued(let fact): [Key(fact.code)]
        case .accessCodeIssued(let fact): [Key(fact.code)]
        case .codeRevoked(let code): [Key(code)]
        default: event.commitmentChanges.flatMap { $0.holdings.codes.map { Key($0.code) } }.unique
        }
    }

    public static func fold(_ row: Row?, of key: Key, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .discountCodeIssued(let fact): row = Row(.discount(fact))
        case .accessCodeIssued(let fact): row = Row(.access(fact))
        case .codeRevoked: row?.isRevoked = true
        default:
            for change in event.event.commitmentChanges {
                for use in change.holdings.codes where Key(use.code) == key {
                    row?.reservedCount += change.held
                    row?.soldCount += change.sold
                    row?.save(use.discount * change.sold)
                }
            }
        }
        return row
    }

    public static func write(_ key: Key, to fields: inout PostgresFields) {
        fields.append(key.kind)
        fields.append(key.text)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append { $0.value(json: EventCodec.encode(row.terms.event).data) }
        fields.append(row.isRevoked)
        fields.append(row.reservedCount)
        fields.append(row.soldCount)
        fields.append(row.discount.minorUnits)
        fields.append(row.discount.currency)
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: Key, row: Row) {
        let kind: CodeKind = rows.choice(index, 0)
        let row = Row(
            terms: terms(kind, Array(rows.text(index, 2).utf8)), isRevoked: rows.bool(index, 3),
            reservedCount: rows.integer(index, 4), soldCount: rows.integer(index, 5),
            discount: Money(minorUnits: rows.integer(index, 6), currency: rows.choice(index, 7)))
        return (Key(kind: kind, text: rows.text(index, 1)), row)
    }

    private static func terms(_ kind: CodeKind, _ data: [UInt8]) -> CodeUses.Terms {
        let type: EventType =
            switch kind {
            case .discount: .discountCodeIssued
            case .access: .accessCodeIssued
            }
        let event = try? EventCodec.decode(
            type: type.rawValue, schemaVersion: EventCodec.schemaVersion(of: type), data: data)
        switch event {
        case .discountCodeIssued(let fact): return .discount(fact)
        case .accessCodeIssued(let fact): return .access(fact)
        default: preconditionFailure("a read model holds terms that can't be read")
        }
    }
}

extension CodeUsage.Row {
    fileprivate init(_ terms: CodeUses.Terms) {
        self.init(
            terms: terms, isRevoked: false, reservedCount: 0, soldCount: 0, discount: .zero)
    }
}

extension CodeUsage.Key {
    init(_ code: SalesCode) {
        self.init(kind: code.kind, text: code.text)
    }

    /// nil for a text that is no code.
    public var code: SalesCode? { SalesCode(kind, text) }
}

extension CodeUses.Terms {
    fileprivate var event: Event {
        switch self {
        case .discount(let fact): .discountCodeIssued(fact)
        case .access(let fact): .accessCodeIssued(fact)
        }
    }
}

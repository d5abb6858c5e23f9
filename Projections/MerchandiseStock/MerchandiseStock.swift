public import Domain
internal import EventCodec
public import Postgres
public import ProjectionEngine

/// What is on the shelf: a row for each variation.
public struct MerchandiseStock: ReadModel {
    public struct Row: Equatable, Sendable {
        public var merchandise: MerchandiseID
        public var label: String
        public var price: Money
        public var received = 0
        public var adjusted = 0
        /// By bookings that are held.
        public var reserved = 0
        public var sold = 0
        public var fulfilled = 0
        /// Sold once, and given back.
        public var returned = 0

        public var available: Int { received + adjusted - reserved - sold }

        init(_ merchandise: MerchandiseID, label: String, price: Money) {
            self.merchandise = merchandise
            self.label = label
            self.price = price
        }
    }

    public static let name = "merchandise_stock"
    public static let version = 2
    public static let opensContacts = false
    public static let types = VariationStock.types.subtracting([.holdExtended])
        .union([.merchandiseFulfilled])
    public static let table = TableDefinition(
        key: [.init("variation", .uuid)],
        columns: [
            .init("merchandise", .uuid), .init("label", .text), .init("price", .int8),
            .init("currency", .text), .init("received", .int8), .init("adjusted", .int8),
            .init("reserved", .int8), .init("sold", .int8), .init("fulfilled", .int8),
            .init("returned", .int8),
        ], indexes: ["(merchandise)"])

    public static func keys(of event: Event) -> [VariationID] { event.concernedVariations }

    public static func fold(_ row: Row?, of key: VariationID, _ event: ProjectedEvent) -> Row? {
        var row = row
        func count(_ lines: [MerchandiseLine]) -> Int {
            lines.reduce(0) { $0 + ($1.variation == key ? $1.quantity : 0) }
        }
        switch event.event {
        case .variationAdded(let fact):
            row = Row(fact.merchandise, label: fact.label, price: fact.price)
        case .variationRepriced(let fact): row?.price = fact.price
        case .stockReceived(let fact): row?.received += fact.quantity
        case .stockAdjusted(let fact): row?.adjusted += fact.quantity
        case .merchandiseFulfilled(let fact): row?.fulfilled += count(fact.merchandise)
        default:
            var sold = 0
            for change in event.event.commitmentChanges {
                let quantity = count(change.holdings.merchandise)
                row?.reserved += change.held * quantity
                sold += change.sold * quantity
            }
            row?.sold += sold
            row?.returned += max(0, -sold)
        }
        return row
    }

    public static func write(_ key: VariationID, to fields: inout PostgresFields) {
        fields.append(key)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.merchandise)
        fields.append(row.label)
        fields.append(row.price.minorUnits)
        fields.append(row.price.currency)
        fields.append(row.received)
        fields.append(row.adjusted)
        fields.append(row.reserved)
        fields.append(row.sold)
        fields.append(row.fulfilled)
        fields.append(row.returned)
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: VariationID, row: Row) {
        var row = Row(
            rows.id(index, 1), label: rows.text(index, 2),
            price: Money(minorUnits: rows.integer(index, 3), currency: rows.choice(index, 4)))
        row.received = rows.integer(index, 5)
        row.adjusted = rows.integer(index, 6)
        row.reserved = rows.integer(index, 7)
        row.sold = rows.integer(index, 8)
        row.fulfilled = rows.integer(index, 9)
        row.returned = rows.integer(index, 10)
        return (rows.id(index, 0), row)
    }
}

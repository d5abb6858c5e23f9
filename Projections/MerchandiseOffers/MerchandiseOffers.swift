public import Domain
internal import EventCodec
public import Postgres
public import ProjectionEngine

/// What is sold with trips: a row for each variation on each trip.
public struct MerchandiseOffers: ReadModel {
    public struct Row: Equatable, Sendable {
        public var trip: TripID
        public var variation: VariationID
        /// nil: as many as there are.
        public var allotment: Int?
        public var reserved: Int
        public var sold: Int
    }

    public static let name = "merchandise_offer"
    public static let version = 2
    public static let opensContacts = false
    public static let types = OfferTerms.types.subtracting([.holdExtended])
    public static let table = TableDefinition(
        key: [.init("offer", .uuid)],
        columns: [
            .init("trip", .uuid), .init("variation", .uuid), .init("allotment", .int8),
            .init("reserved", .int8), .init("sold", .int8),
        ], indexes: ["(trip)"])

    public static func keys(of event: Event) -> [OfferID] { event.concernedOffers }

    public static func fold(_ row: Row?, of key: OfferID, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .merchandiseOffered(let fact):
            row = Row(
                trip: fact.trip, variation: fact.variation, allotment: fact.allotment, reserved: 0,
                sold: 0)
        case .offerAllotmentSet(let fact): row?.allotment = fact.allotment
        default:
            for change in event.event.commitmentChanges {
                for line in change.holdings.merchandise where line.offer == key {
                    row?.reserved += change.held * line.quantity
                    row?.sold += change.sold * line.quantity
                }
            }
        }
        return row
    }

    public static func write(_ key: OfferID, to fields: inout PostgresFields) {
        fields.append(key)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.trip)
        fields.append(row.variation)
        fields.append(row.allotment)
        fields.append(row.reserved)
        fields.append(row.sold)
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: OfferID, row: Row) {
        let row = Row(
            trip: rows.id(index, 1), variation: rows.id(index, 2),
            allotment: rows.optionalInteger(index, 3), reserved: rows.integer(index, 4),
            sold: rows.integer(index, 5))
        return (rows.id(index, 0), row)
    }
}

public import Domain
public import Postgres
public import ProjectionEngine

/// Every trip with its terms of sale. Which of them are on sale is a question of the time it is
/// asked at, see `TripsOnSale+Queries`.
public struct TripsOnSale: ReadModel {
    public struct Row: Equatable, Sendable {
        public var scheduled: TripScheduled
        public var isActive = true
        public var isArchived = false
    }

    public static let name = "trip_on_sale"
    public static let version = 1
    public static let opensContacts = false
    public static let types = TripTerms.types
    public static let table = TableDefinition(
        key: [.init("trip", .uuid)],
        columns: [
            .init("mission", .uuid), .init("launch", .uuid), .init("location", .uuid),
            .init("kind", .text), .init("label", .text), .init("check_in_at", .timestamptz),
            .init("boarding_at", .timestamptz), .init("departs_at", .timestamptz),
            .init("sale_mode", .text), .init("sales_open_at", .timestamptz),
            .init("is_listed", .bool), .init("is_active", .bool), .init("is_archived", .bool),
        ],
        indexes: ["(departs_at, trip)"])

    public static func keys(of event: Event) -> [TripID] {
        switch event {
        case .tripScheduled(let fact): [fact.trip]
        case .saleModeSet(let fact): [fact.trip]
        case .salesOpeningSet(let fact): [fact.trip]
        case .tripListed(let trip), .tripUnlisted(let trip), .tripActivated(let trip),
            .tripDeactivated(let trip), .tripArchived(let trip), .tripUnarchived(let trip):
            [trip]
        default: []
        }
    }

    public static func fold(_ row: Row?, of key: TripID, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .tripScheduled(let fact): row = Row(scheduled: fact)
        case .saleModeSet(let fact): row?.scheduled.saleMode = fact.saleMode
        case .salesOpeningSet(let fact): row?.scheduled.salesOpenAt = fact.salesOpenAt
        case .tripListed: row?.scheduled.isListed = true
        case .tripUnlisted: row?.scheduled.isListed = false
        case .tripActivated: row?.isActive = true
        case .tripDeactivated: row?.isActive = false
        case .tripArchived: row?.isArchived = true
        case .tripUnarchived: row?.isArchived = false
        default: break
        }
        return row
    }

    public static func write(_ key: TripID, to fields: inout PostgresFields) {
        fields.append(key)
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        let trip = row.scheduled
        fields.append(trip.mission)
        fields.append(trip.launch)
        fields.append(trip.location)
        fields.append(trip.kind)
        fields.append(trip.label)
        fields.append(trip.times.checkIn)
        fields.append(trip.times.boarding)
        fields.append(trip.times.departure)
        fields.append(trip.saleMode)
        fields.append(trip.salesOpenAt)
        fields.append(trip.isListed)
        fields.append(row.isActive)
        fields.append(row.isArchived)
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: TripID, row: Row) {
        let trip: TripID = rows.id(index, 0)
        let scheduled = TripScheduled(
            trip: trip, mission: rows.id(index, 1), launch: rows.id(index, 2),
            location: rows.id(index, 3), kind: rows.choice(index, 4),
            label: rows.optionalText(index, 5),
            times: TripTimes(
                checkIn: rows.instant(index, 6), boarding: rows.instant(index, 7),
                departure: rows.instant(index, 8)),
            saleMode: rows.choice(index, 9), salesOpenAt: rows.optionalInstant(index, 10),
            isListed: rows.bool(index, 11))
        return (
            trip,
            Row(
                scheduled: scheduled, isActive: rows.bool(index, 12),
                isArchived: rows.bool(index, 13))
        )
    }
}

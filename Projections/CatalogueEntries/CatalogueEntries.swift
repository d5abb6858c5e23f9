public import Domain
internal import EventCodec
internal import JSON
public import Postgres
public import ProjectionEngine

/// Names and terms of everything that trips and sailings refer to, for joining when read.
public struct CatalogueEntries: ReadModel {
    public enum Kind: String, Sendable, CaseIterable {
        case location, jurisdiction, provider, boat, launch, mission, merchandise
    }

    public struct Row: Equatable, Sendable {
        public var kind: Kind
        public var name: String
        /// The thing that it belongs to: a mission's launch, a boat's provider.
        public var parent: EntityID?
        public var isArchived = false
        public var isActive = true
        /// Locations only.
        public var timeZone: String?
        /// Boats only: the passengers that the law allows.
        public var capacity: Int?
        /// Launches only.
        public var liftOff: Instant?
        /// The fact that added it, as the log has it, with what was set since of what has no column: JSON.
        public var terms: [UInt8]
        /// Jurisdictions only: the facts that set tax rates, in their order.
        public var rates: [[UInt8]] = []

        init(_ kind: Kind, _ name: String, _ event: Event, parent: EntityID? = nil) {
            self.init(kind, name, terms: EventCodec.encode(event).data, parent: parent)
        }

        fileprivate init(_ kind: Kind, _ name: String, terms: [UInt8], parent: EntityID?) {
            self.kind = kind
            self.name = name
            self.terms = terms
            self.parent = parent
        }
    }

    public static let name = "catalogue_entry"
    public static let version = 5
    public static let opensContacts = false
    public static let types: Set<EventType> = [
        .locationAdded, .jurisdictionAdded, .taxRateSet, .providerAdded, .boatRegistered,
        .boatCapacityChanged, .boatTicketTypesSet,
        .launchAnnounced, .launchArchived, .launchUnarchived, .missionPlanned, .missionActivated,
        .missionDeactivated, .missionArchived, .missionUnarchived, .refundCutoffSet,
        .merchandiseAdded,
    ]
    public static let table = TableDefinition(
        key: [.init("entity", .uuid)],
        columns: [
            .init("kind", .text), .init("name", .text), .init("parent", .uuid),
            .init("is_archived", .bool), .init("is_active", .bool), .init("time_zone", .text),
            .init("capacity", .int8), .init("lift_off", .timestamptz), .init("terms", .json),
            .init("rates", .json),
        ],
        indexes: ["(kind, name, entity)", "(position)"])

    public static func keys(of event: Event) -> [EntityID] {
        switch event {
        case .locationAdded(let fact): [fact.location.entity]
        case .jurisdictionAdded(let fact): [fact.jurisdiction.entity]
        case .taxRateSet(let fact): [fact.jurisdiction.entity]
        case .providerAdded(let fact): [fact.provider.entity]
        case .boatRegistered(let fact): [fact.boat.entity]
        case .boatCapacityChanged(let fact): [fact.boat.entity]
        case .boatTicketTypesSet(let fact): [fact.boat.entity]
        case .launchAnnounced(let fact): [fact.launch.entity]
        case .launchArchived(let launch), .launchUnarchived(let launch): [launch.entity]
        case .missionPlanned(let fact): [fact.mission.entity]
        case .missionActivated(let mission), .missionDeactivated(let mission),
            .missionArchived(let mission), .missionUnarchived(let mission):
            [mission.entity]
        case .refundCutoffSet(let fact): [fact.mission.entity]
        case .merchandiseAdded(let fact): [fact.merchandise.entity]
        default: []
        }
    }

    public static func fold(_ row: Row?, of key: EntityID, _ event: ProjectedEvent) -> Row? {
        var row = row
        switch event.event {
        case .locationAdded(let fact):
            row = Row(.location, fact.name, event.event)
            row?.timeZone = fact.timeZone
        case .jurisdictionAdded(let fact):
            row = Row(.jurisdiction, fact.name, event.event, parent: fact.location.entity)
        case .taxRateSet: row?.rates.append(EventCodec.encode(event.event).data)
        case .providerAdded(let fact):
            row = Row(.provider, fact.name, event.event, parent: fact.jurisdiction.entity)
        case .boatRegistered(let fact):
            row = Row(.boat, fact.name, event.event, parent: fact.provider.entity)
            row?.capacity = fact.capacity
        case .boatCapacityChanged(let fact): row?.capacity = fact.capacity
        case .boatTicketTypesSet(let fact):
            row = row?.with(EventType.boatRegistered) { event in
                guard case .boatRegistered(var boat) = event else { return nil }
                boat.ticketTypes = fact.ticketTypes
                return .boatRegistered(boat)
            }
        case .launchAnnounced(let fact):
            row = Row(.launch, fact.name, event.event, parent: fact.location.entity)
            row?.liftOff = fact.liftOff
        case .launchArchived, .missionArchived: row?.isArchived = true
        case .launchUnarchived, .missionUnarchived: row?.isArchived = false
        case .missionPlanned(let fact):
            row = Row(.mission, fact.name, event.event, parent: fact.launch.entity)
        case .refundCutoffSet(let fact):
            row = row?.with(EventType.missionPlanned) { event in
                guard case .missionPlanned(var mission) = event else { return nil }
                mission.refundCutoffHours = fact.hours
                return .missionPlanned(mission)
            }
        case .merchandiseAdded(let fact): row = Row(.merchandise, fact.name, event.event)
        case .missionActivated: row?.isActive = true
        case .missionDeactivated: row?.isActive = false
        default: break
        }
        return row
    }

    public static func write(_ key: EntityID, to fields: inout PostgresFields) {
        fields.append(PostgresUUID(high: key.high, low: key.low))
    }

    public static func write(_ row: Row, to fields: inout PostgresFields) {
        fields.append(row.kind)
        fields.append(row.name)
        if let parent = row.parent { write(parent, to: &fields) } else { fields.appendNull() }
        fields.append(row.isArchived)
        fields.append(row.isActive)
        fields.append(row.timeZone)
        fields.append(row.capacity)
        fields.append(row.liftOff)
        fields.append { $0.value(json: row.terms[...]) }
        fields.append { $0.array(row.rates) { $0.value(json: $1[...]) } }
    }

    public static func read(_ rows: Rows, _ index: Int) -> (key: EntityID, row: Row) {
        let key = rows.uuid(index, 0)
        let parent = rows.isNull(index, 3) ? nil : rows.uuid(index, 3)
        var row = Row(
            rows.choice(index, 1), rows.text(index, 2),
            terms: Array(rows.json(index, 9).source),
            parent: parent.map { EntityID(high: $0.high, low: $0.low) })
        row.isArchived = rows.bool(index, 4)
        row.isActive = rows.bool(index, 5)
        row.timeZone = rows.optionalText(index, 6)
        row.capacity = rows.optionalInteger(index, 7)
        row.liftOff = rows.optionalInstant(index, 8)
        row.rates = trusted { () throws(JSONError) in
            try rows.json(index, 10).list { Array($0.source) }
        }
        return (EntityID(high: key.high, low: key.low), row)
    }
}

extension CatalogueEntries.Row {
    /// The same with other terms: those that `change` makes of the fact that they are.
    fileprivate func with(_ type: EventType, _ change: (Event) -> Event?) -> Self {
        let event = try? EventCodec.decode(
            type: type.rawValue, schemaVersion: EventCodec.schemaVersion(of: type), data: terms)
        guard let changed = event.flatMap(change) else {
            preconditionFailure("terms of \(kind) are not those of \(type.name)")
        }
        var row = self
        row.terms = EventCodec.encode(changed).data
        return row
    }
}

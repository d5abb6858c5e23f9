public import Domain
internal import EventCodec
public import Postgres

/// A table that can be thrown away: which rows an event concerns, and what becomes of each.
///
/// It knows no SQL but the shape of its table, and of the log only the event at hand: so what is
/// folded live and what is folded again from the first event are equal by construction. A row
/// changes only by events that carry its key; what belongs to another entity is joined when read.
public protocol ReadModel: Sendable {
    associatedtype Key: Hashable & Sendable
    associatedtype Row: Equatable & Sendable

    /// Name of the projection and of its table: snake case.
    static var name: String { get }
    /// Raised with every change of the table or the fold; the table is then built anew.
    static var version: Int { get }
    static var types: Set<EventType> { get }
    static var table: TableDefinition { get }
    /// Whether the fold needs to know who booked.
    static var opensContacts: Bool { get }

    static func keys(of event: Event) -> [Key]
    /// Whether the event is the first of all its keys, so that no row of theirs can be there yet; the
    /// projection stops where that turns out to be wrong.
    static func begins(with event: Event) -> Bool
    /// The row after the event; nil when there is none any more.
    static func fold(_ row: Row?, of key: Key, _ event: ProjectedEvent) -> Row?

    /// Writes the key columns, in the table's order.
    static func write(_ key: Key, to fields: inout PostgresFields)
    /// Writes the other columns, in the table's order.
    static func write(_ row: Row, to fields: inout PostgresFields)
    /// Reads a row of the table, its columns in the table's order, key first.
    static func read(_ rows: Rows, _ index: Int) -> (key: Key, row: Row)

    // The same for all, and here only so that each read model gets code of its own.

    /// The keys whose rows have to be read before events are folded; of those that nobody has seen
    /// before there are none. All of them are in memory from now on, without a row until one is read; the
    /// events are what is folded next.
    static func missing(
        for events: [ProjectedEvent], in memory: inout RowMemory<Self>
    ) -> [Key]
    /// Folds the events that were asked about last, in order, into the rows that they concern.
    static func fold(into memory: inout RowMemory<Self>)
    /// What has changed since this was asked last; it counts as written.
    static func takeChanges(of memory: inout RowMemory<Self>) -> RowChanges
}

/// The columns and indexes of a read model. Its last column is always the engine's: `position`, of
/// the last event that changed the row.
public struct TableDefinition: Sendable {
    public struct Column: Sendable {
        public var name: String
        public var type: PostgresType

        public init(_ name: String, _ type: PostgresType) {
            self.name = name
            self.type = type
        }
    }

    public var key: [Column]
    public var columns: [Column]
    /// What stands in parentheses after `CREATE INDEX … ON table`, and after it.
    public var indexes: [String]

    public init(key: [Column], columns: [Column], indexes: [String] = []) {
        self.key = key
        self.columns = columns
        self.indexes = indexes
    }

    var all: [Column] { key + columns + [Column("position", .int8)] }
}

/// An event on its way through a projection.
///
/// A class, because all projections of a process share it, and each of them makes lists of those that
/// it wants: that costs one reference each, and not a copy of everything in it.
public final class ProjectedEvent: Sendable {
    public let position: Int64
    public let recordedAt: Instant
    public let event: Event
    /// Of ``event``, which is asked for by every projection.
    public let type: EventType
    /// Who booked, where the event says so; nil when the customer has been forgotten.
    public let contact: Contact?
    /// What staff wrote, of a `StaffNoteWritten`; nil when the customer has been forgotten.
    public let note: String?

    public init(
        position: Int64, recordedAt: Instant, event: Event, contact: Contact?,
        note: String? = nil
    ) {
        self.position = position
        self.recordedAt = recordedAt
        self.event = event
        type = event.type
        self.contact = contact
        self.note = note
    }
}

extension ReadModel {
    public static func begins(with event: Event) -> Bool { false }
}

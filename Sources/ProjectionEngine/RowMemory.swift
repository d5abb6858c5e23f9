public import Postgres

/// The rows of one read model that are in memory, and which of them its table does not show yet.
///
/// It is inlinable, so that each read model gets code of its own: folding and writing rows is most
/// of what a projector does. See ``ReadModel/fold(into:)``.
public struct RowMemory<Model: ReadModel>: Sendable {
    @usableFromInline struct Entry: Sendable {
        @usableFromInline var key: Model.Key
        @usableFromInline var row: Model.Row?
        /// Of the last event that changed the row.
        @usableFromInline var position: Int64 = 0
        /// Whether the table has a row of this key.
        @usableFromInline var isStored = false
        @usableFromInline var isChanged = false

        @inlinable init(_ key: Model.Key) { self.key = key }
    }

    /// Rows by key, each at a place of its own: it is looked for once for each event, whatever is done with it.
    @usableFromInline struct Generation: Sendable {
        @usableFromInline var places: [Model.Key: Int] = [:]
        @usableFromInline var entries: [Entry] = []

        @inlinable init() {}

        /// Where the row of a key is, and whether the key is new here and has no row yet.
        @inlinable mutating func place(of key: Model.Key) -> (place: Int, isNew: Bool) {
            let next = entries.count
            let place = { (place: inout Int) in
                if place < 0 { place = next }
                return place
            }(&places[key, default: -1])
            if place == next { entries.append(Entry(key)) }
            return (place, place == next)
        }

        mutating func removeAll() {
            places.removeAll(keepingCapacity: true)
            entries.removeAll(keepingCapacity: true)
        }
    }

    @usableFromInline var generation = Generation()
    /// Rows that were let go of and whose changes may still be being written: until they are let go of
    /// for good they are looked for here and not in the table.
    @usableFromInline var leaving = Generation()
    /// What is to be folded next.
    @usableFromInline var events: [ProjectedEvent] = []
    /// Each of those with the place of each of its keys.
    @usableFromInline var pending: [(event: Int, place: Int)] = []
    /// Places of those to be written, in the order in which they changed first.
    @usableFromInline var changed: [Int] = []

    @inlinable public init() {}

    @inlinable public var count: Int { generation.entries.count }

    /// The rows that are there, each with the position of the last event that changed it.
    var rows: [Model.Key: (row: Model.Row, position: Int64)] {
        generation.entries.reduce(into: [:]) { rows, entry in
            if let row = entry.row { rows[entry.key] = (row, entry.position) }
        }
    }

    /// Lets go of all rows; what has changed is lost.
    mutating func removeAll() {
        generation.removeAll()
        leaving.removeAll()
        changed.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        events = []
    }

    /// Lets go of all rows the next time that this is asked; until then those that are needed again
    /// stay. To be called when changes were taken, and those taken before are in the table.
    mutating func leave() {
        swap(&generation, &leaving)
        generation.removeAll()
    }

    /// Takes rows as the table has them, its columns in its order.
    mutating func take(_ rows: Rows) {
        let columnCount = Model.table.all.count
        for index in 0..<rows.count {
            let (key, row) = Model.read(rows, index)
            var entry = Entry(key)
            entry.row = row
            entry.position = Int64(rows.integer(index, columnCount - 1))
            entry.isStored = true
            generation.entries[generation.place(of: key).place] = entry
        }
    }

    @inlinable mutating func findMissing(for events: [ProjectedEvent]) -> [Model.Key] {
        var missing: [Model.Key] = []
        pending.removeAll(keepingCapacity: true)
        self.events = events
        for (index, event) in events.enumerated() {
            for key in Model.keys(of: event.event) {
                let (place, isNew) = generation.place(of: key)
                pending.append((index, place))
                guard isNew else { continue }
                if let before = leaving.places[key] {
                    swap(&generation.entries[place], &leaving.entries[before])
                } else if !Model.begins(with: event.event) {
                    missing.append(key)
                }
            }
        }
        return missing
    }

    @inlinable mutating func foldPending() {
        for (event, place) in pending {
            let hasChangedFirst = Self.fold(events[event], into: &generation.entries[place])
            if hasChangedFirst { changed.append(place) }
        }
        pending.removeAll(keepingCapacity: true)
        events = []
    }

    /// True when the row was as the table has it, and is not any more.
    @inlinable static func fold(_ event: ProjectedEvent, into entry: inout Entry) -> Bool {
        let row = Model.fold(entry.row, of: entry.key, event)
        guard row != entry.row else { return false }
        entry.row = row
        entry.position = event.position
        defer { entry.isChanged = true }
        return !entry.isChanged
    }

    @inlinable mutating func takeChanges() -> RowChanges {
        var changes = RowChanges()
        for place in changed { changes.add(&generation.entries[place], Model.self) }
        changed.removeAll(keepingCapacity: true)
        return changes
    }
}

/// What is to be written to the table of a read model: the fields of rows, in the table's order.
public struct RowChanges: Sendable {
    @usableFromInline var inserts = PostgresFields()
    @usableFromInline var updates = PostgresFields()
    /// Keys only.
    @usableFromInline var deletions = PostgresFields()

    @inlinable init() {}

    var isEmpty: Bool { inserts.isEmpty && updates.isEmpty && deletions.isEmpty }

    /// Adds a row, which counts as written from now on.
    @inlinable mutating func add<Model: ReadModel>(
        _ entry: inout RowMemory<Model>.Entry, _ model: Model.Type
    ) {
        if let row = entry.row {
            if entry.isStored {
                Self.add(row, entry.position, of: entry.key, model, to: &updates)
            } else {
                Self.add(row, entry.position, of: entry.key, model, to: &inserts)
            }
        } else if entry.isStored {
            Model.write(entry.key, to: &deletions)
        }
        entry.isStored = entry.row != nil
        entry.isChanged = false
    }

    @inlinable static func add<Model: ReadModel>(
        _ row: Model.Row, _ position: Int64, of key: Model.Key, _ model: Model.Type,
        to fields: inout PostgresFields
    ) {
        Model.write(key, to: &fields)
        Model.write(row, to: &fields)
        fields.append(position)
    }
}

extension ReadModel {
    @inlinable public static func missing(
        for events: [ProjectedEvent], in memory: inout RowMemory<Self>
    ) -> [Key] {
        memory.findMissing(for: events)
    }

    @inlinable public static func fold(into memory: inout RowMemory<Self>) {
        memory.foldPending()
    }

    @inlinable public static func takeChanges(of memory: inout RowMemory<Self>) -> RowChanges {
        memory.takeChanges()
    }
}

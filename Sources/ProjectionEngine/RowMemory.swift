public import Postgres

/// The rows of one read model that are in memory, and which of them its table does not show yet.
///
/// It is inlinable, so that each read model gets code of its own: folding and writing rows is most
/// of what a projector does. See ``ReadModel/fold(into:)``.
public struct RowMemory<Model: ReadModel>: Sendable {
    @usableFromInline struct Entry: Sendable {
        @usableFromInline var row: Model.Row?
        /// Of the last event that changed the row.
        @usableFromInline var position: Int64 = 0
        /// Whether the table has a row of this key.
        @usableFromInline var isStored = false
        @usableFromInline var isChanged = false

        @inlinable init() {}
    }

    @usableFromInline var entries: [Model.Key: Entry] = [:]
    /// Rows that were let go of and whose changes may still be being written: until they are let go of
    /// for good they are looked for here and not in the table.
    @usableFromInline var leaving: [Model.Key: Entry] = [:]
    /// What is to be folded next: each event with each of its keys, which are asked for once.
    @usableFromInline var pending: [(event: ProjectedEvent, key: Model.Key)] = []
    /// Those to be written, in the order in which they changed first.
    @usableFromInline var changedKeys: [Model.Key] = []

    @inlinable public init() {}

    @inlinable public var count: Int { entries.count }

    /// Lets go of all rows; what has changed is lost.
    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        leaving.removeAll(keepingCapacity: true)
        changedKeys.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
    }

    /// Lets go of all rows the next time that this is asked; until then those that are needed again
    /// stay. To be called when changes were taken, and those taken before are in the table.
    mutating func leave() {
        swap(&entries, &leaving)
        entries.removeAll(keepingCapacity: true)
    }

    /// Takes rows as the table has them, its columns in its order.
    mutating func take(_ rows: Rows) {
        let columnCount = Model.table.all.count
        for index in 0..<rows.count {
            let (key, row) = Model.read(rows, index)
            var entry = Entry()
            entry.row = row
            entry.position = Int64(rows.integer(index, columnCount - 1))
            entry.isStored = true
            entries[key] = entry
        }
    }

    @inlinable mutating func findMissing(for events: [ProjectedEvent]) -> [Model.Key] {
        var missing: [Model.Key] = []
        pending.removeAll(keepingCapacity: true)
        for event in events {
            for key in Model.keys(of: event.event) {
                pending.append((event, key))
                guard entries[key] == nil else { continue }
                let entry = leaving.isEmpty ? nil : leaving.removeValue(forKey: key)
                entries[key] = entry ?? Entry()
                if entry == nil, !Model.begins(with: event.event) { missing.append(key) }
            }
        }
        return missing
    }

    @inlinable mutating func foldPending() {
        for (event, key) in pending {
            let hasChangedFirst = fold(event, into: &entries[key, default: Entry()], of: key)
            if hasChangedFirst { changedKeys.append(key) }
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// True when the row was as the table has it, and is not any more.
    @inlinable func fold(
        _ event: ProjectedEvent, into entry: inout Entry, of key: Model.Key
    ) -> Bool {
        let row = Model.fold(entry.row, of: key, event)
        guard row != entry.row else { return false }
        entry.row = row
        entry.position = event.position
        defer { entry.isChanged = true }
        return !entry.isChanged
    }

    @inlinable mutating func takeChanges() -> RowChanges {
        var changes = RowChanges()
        for key in changedKeys {
            changes.add(&entries[key, default: Entry()], of: key, Model.self)
        }
        changedKeys.removeAll(keepingCapacity: true)
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
        _ entry: inout RowMemory<Model>.Entry, of key: Model.Key, _ model: Model.Type
    ) {
        if let row = entry.row {
            if entry.isStored {
                Self.add(row, entry.position, of: key, model, to: &updates)
            } else {
                Self.add(row, entry.position, of: key, model, to: &inserts)
            }
        } else if entry.isStored {
            Model.write(key, to: &deletions)
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

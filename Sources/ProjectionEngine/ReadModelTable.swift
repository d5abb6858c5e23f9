internal import Postgres

/// The SQL of one read model's table, made from its definition.
struct ReadModelTable<Model: ReadModel>: Sendable {
    /// Rows by key, with the position of the event that last changed each; nil: no row.
    typealias Rows = [Model.Key: (row: Model.Row, position: Int64)?]

    /// The table in which it is built, beside the live one, or the live one.
    let name: String

    init(isBuilding: Bool = false) {
        name = "reading.\(Model.name)" + (isBuilding ? "_building" : "")
    }

    private var definition: TableDefinition { Model.table }
    private var keyNames: String { definition.key.map(\.name).joined(separator: ", ") }
    private var allNames: String { definition.all.map(\.name).joined(separator: ", ") }

    /// Makes the table; keys and indexes come apart, to be made after the rows.
    var creation: String {
        let columns = definition.all.map { column in
            let isRequired =
                definition.key.contains { $0.name == column.name }
                || column.name == "position"
            return "\(column.name) \(column.type.name)\(isRequired ? " NOT NULL" : "")"
        }
        return "CREATE TABLE \(name) (\(columns.joined(separator: ", ")))"
    }

    var primaryKey: String { "ALTER TABLE \(name) ADD PRIMARY KEY (\(keyNames))" }

    /// The other indexes. Their names are left to PostgreSQL, which makes them unique: two
    /// generations of a table stand side by side while one is built.
    var indexes: [String] { definition.indexes.map { "CREATE INDEX ON \(name) \($0)" } }

    func load(_ keys: [Model.Key]) -> PostgresCall {
        let wanted = arrays(keys.map { Model.values(of: $0) }, definition.key)
        return PostgresCall(
            """
            SELECT \(definition.all.map { "t.\($0.name)" }.joined(separator: ", "))
            FROM unnest(\(placeholders(definition.key))) AS wanted (\(keyNames))
            JOIN \(name) t USING (\(keyNames))
            """, wanted)
    }

    func read(_ rows: Postgres.Rows) -> [(key: Model.Key, row: Model.Row, position: Int64)] {
        (0..<rows.count).map { index in
            let (key, row) = Model.read(rows, index)
            return (key, row, Int64(rows.integer(index, definition.all.count - 1)))
        }
    }

    /// Statements that write the changed rows: one for all upserts, one for all deletions.
    func write(_ changes: Rows) -> [PostgresCall] {
        var calls: [PostgresCall] = []
        let upserts = changes.compactMap { key, change in change.map { values(key, $0) } }
        if !upserts.isEmpty {
            let updates = (definition.columns.map(\.name) + ["position"])
                .map { "\($0) = EXCLUDED.\($0)" }.joined(separator: ", ")
            calls.append(
                PostgresCall(
                    """
                    INSERT INTO \(name) (\(allNames))
                    SELECT * FROM unnest(\(placeholders(definition.all)))
                    ON CONFLICT (\(keyNames)) DO UPDATE SET \(updates)
                    """, arrays(upserts, definition.all)))
        }
        let deletions = changes.filter { $0.value == nil }.keys.map { Model.values(of: $0) }
        if !deletions.isEmpty {
            let match = definition.key.map { "t.\($0.name) = gone.\($0.name)" }
                .joined(separator: " AND ")
            calls.append(
                PostgresCall(
                    """
                    DELETE FROM \(name) t
                    USING unnest(\(placeholders(definition.key))) AS gone (\(keyNames))
                    WHERE \(match)
                    """, arrays(deletions, definition.key)))
        }
        return calls
    }

    var copyStatement: String { "COPY \(name) (\(allNames)) FROM STDIN (FORMAT binary)" }

    func values(
        _ key: Model.Key, _ change: (row: Model.Row, position: Int64)
    ) -> [PostgresValue] {
        Model.values(of: key) + Model.values(of: change.row) + [.int64(change.position)]
    }

    private func placeholders(_ columns: [TableDefinition.Column]) -> String {
        columns.enumerated().map { "$\($0.offset + 1)::\($0.element.type.name)[]" }
            .joined(separator: ", ")
    }

    /// Turns rows of values into one array for each column.
    private func arrays(
        _ rows: [[PostgresValue]], _ columns: [TableDefinition.Column]
    ) -> [PostgresValue] {
        columns.indices.map { column in
            .array(of: columns[column].type, rows.map { $0[column] })
        }
    }
}

extension Dictionary {
    /// The entries of these keys.
    func subset(of keys: Set<Key>) -> [Key: Value] {
        var subset: [Key: Value] = [:]
        for key in keys { subset[key] = self[key] }
        return subset
    }
}

extension ReadModel {
    /// The keys whose rows have to be read; of those that nobody has seen before there are none.
    ///
    /// All of them are in `known` from now on, without a row until one is read.
    static func missing(
        of events: [ProjectedEvent], in known: inout ReadModelTable<Self>.Rows
    ) -> [Key] {
        var missing: [Key] = []
        for event in events {
            for key in keys(of: event.event) where known[key] == nil {
                known[key] = .some(nil)
                if !begins(with: event.event) { missing.append(key) }
            }
        }
        return missing
    }

    /// Folds events, in order, into rows of which those that the events concern are given.
    ///
    /// Returns what changed. `known` gains every row that was folded.
    static func fold(
        _ events: some Sequence<ProjectedEvent>, into known: inout ReadModelTable<Self>.Rows
    ) -> Set<Key> {
        var changed: Set<Key> = []
        for event in events {
            for key in keys(of: event.event) {
                let before = known[key] ?? nil
                let after = fold(before?.row, of: key, event)
                guard after != before?.row else { continue }
                known[key] = .some(after.map { ($0, event.position) })
                changed.insert(key)
            }
        }
        return changed
    }
}

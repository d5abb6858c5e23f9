internal import Postgres

/// The SQL of one read model's table, made from its definition.
struct ReadModelTable<Model: ReadModel>: Sendable {
    /// The table in which it is built, beside the live one, or the live one.
    let name: String

    init(isBuilding: Bool = false) {
        name = "reading.\(Model.name)" + (isBuilding ? "_building" : "")
    }

    private var definition: TableDefinition { Model.table }
    private var keyNames: String { definition.key.map(\.name).joined(separator: ", ") }
    private var allNames: String { definition.all.map(\.name).joined(separator: ", ") }

    /// Makes the table; its key and its other indexes come apart, for a rebuild makes those last.
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
        var fields = PostgresFields()
        for key in keys { Model.write(key, to: &fields) }
        return PostgresCall(
            """
            SELECT \(definition.all.map { "t.\($0.name)" }.joined(separator: ", "))
            FROM unnest(\(placeholders(definition.key))) AS wanted (\(keyNames))
            JOIN \(name) t USING (\(keyNames))
            """, arrays(fields, definition.key))
    }

    /// Statements that write changed rows, one for each kind of change.
    func write(_ changes: RowChanges) -> [PostgresCall] {
        var calls: [PostgresCall] = []
        if !changes.inserts.isEmpty {
            calls.append(
                PostgresCall(
                    """
                    INSERT INTO \(name) (\(allNames))
                    SELECT * FROM unnest(\(placeholders(definition.all)))
                    """, arrays(changes.inserts, definition.all)))
        }
        if !changes.updates.isEmpty {
            let changed = (definition.columns.map(\.name) + ["position"])
                .map { "\($0) = new.\($0)" }.joined(separator: ", ")
            calls.append(
                PostgresCall(
                    """
                    UPDATE \(name) t SET \(changed)
                    FROM unnest(\(placeholders(definition.all))) AS new (\(allNames))
                    WHERE \(match("new"))
                    """, arrays(changes.updates, definition.all)))
        }
        if !changes.deletions.isEmpty {
            calls.append(
                PostgresCall(
                    """
                    DELETE FROM \(name) t
                    USING unnest(\(placeholders(definition.key))) AS gone (\(keyNames))
                    WHERE \(match("gone"))
                    """, arrays(changes.deletions, definition.key)))
        }
        return calls
    }

    private func match(_ other: String) -> String {
        definition.key.map { "t.\($0.name) = \(other).\($0.name)" }.joined(separator: " AND ")
    }

    var columnCount: Int { definition.all.count }
    var copyStatement: String { "COPY \(name) (\(allNames)) FROM STDIN (FORMAT binary)" }

    private func placeholders(_ columns: [TableDefinition.Column]) -> String {
        columns.enumerated().map { "$\($0.offset + 1)::\($0.element.type.name)[]" }
            .joined(separator: ", ")
    }

    /// Turns the fields of rows into one array for each column.
    private func arrays(
        _ fields: PostgresFields, _ columns: [TableDefinition.Column]
    ) -> [PostgresValue] {
        zip(columns, fields.columns(columns.count)).map { .array(of: $0.type, $1) }
    }
}

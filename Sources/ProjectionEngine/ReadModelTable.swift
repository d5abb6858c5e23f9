internal import Postgres

/// Which of the tables that a read model may have at the same time.
enum TableGeneration: String, Sendable {
    /// In the making, beside the live one.
    case building
    case live
    /// Built to be compared with the live one only.
    case check
    /// As of a position; thrown away when it has been read.
    case asOf = "as_of"
    /// What a rebuild has replaced, kept up to date so that the replacement can be undone.
    case old

    var suffix: String { self == .live ? "" : "_\(rawValue)" }
}

/// The SQL of one read model's table, made from its definition.
struct ReadModelTable<Model: ReadModel>: Sendable {
    let generation: TableGeneration
    var name: String { "reading.\(plainName)" }
    /// The name under which its making stands in `reading.rebuild`: for what takes the live one's place, the
    /// read model's.
    var control: String { generation == .building ? Model.name : plainName }
    /// Without its schema.
    var plainName: String { Model.name + generation.suffix }

    init(_ generation: TableGeneration = .live) {
        self.generation = generation
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
        // PostgreSQL tidies up what is live; what is built would be held by it when it is to be swapped.
        let parameters = generation == .live ? "" : " WITH (autovacuum_enabled = false)"
        return "CREATE TABLE \(name) (\(columns.joined(separator: ", ")))\(parameters)"
    }

    var primaryKey: String { "ALTER TABLE \(name) ADD PRIMARY KEY (\(keyNames))" }

    /// The other indexes. Their names are drawn: generations of a table stand side by side while one is built, and
    /// PostgreSQL, left to itself, calls two that are made at the same time by one name.
    var indexes: [String] {
        definition.indexes.map { index in
            let number = String(UInt32.random(in: .min ... .max), radix: 16)
            return "CREATE INDEX \(plainName)_\(number) ON \(name) \(index)"
        }
    }

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

    // MARK: Writing within a transaction that also copies

    /// Tables of the session, through which changes of rows that are there already go: COPY can only add.
    var staging: [String] {
        let key = definition.key.map { "\($0.name) \($0.type.name) NOT NULL" }
        return [
            "CREATE TEMP TABLE \(plainName)_changed (LIKE \(name)) ON COMMIT DELETE ROWS",
            "CREATE TEMP TABLE \(plainName)_gone (\(key.joined(separator: ", "))) "
                + "ON COMMIT DELETE ROWS",
        ]
    }

    var copyInserts: String { "COPY \(name) (\(allNames)) FROM STDIN (FORMAT binary)" }
    var copyUpdates: String {
        "COPY \(plainName)_changed (\(allNames)) FROM STDIN (FORMAT binary)"
    }
    var copyDeletions: String {
        "COPY \(plainName)_gone (\(keyNames)) FROM STDIN (FORMAT binary)"
    }

    /// All rows by key, without what is there for finding rows only.
    func copyOut(as format: RowFormat) -> String {
        let columns = definition.all.filter { $0.type != .tsvector }.map(\.name)
        let rows = "SELECT \(columns.joined(separator: ", ")) FROM \(name) ORDER BY \(keyNames)"
        return switch format {
        case .csv: "COPY (\(rows)) TO STDOUT (FORMAT csv, HEADER)"
        case .json:
            // JSON has no control characters, so nothing of it is put in quotes or escaped.
            "COPY (SELECT row_to_json(r) FROM (\(rows)) r) "
                + "TO STDOUT (FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01')"
        }
    }

    var updateFromStaging: String {
        "UPDATE \(name) t SET \(assignments) FROM \(plainName)_changed new WHERE \(match("new"))"
    }
    var deleteFromStaging: String {
        "DELETE FROM \(name) t USING \(plainName)_gone gone WHERE \(match("gone"))"
    }

    /// The number of rows, and a sum over all of them that does not depend on their order; or the same for
    /// each of a number of parts, by key.
    func checksum(parts: Int? = nil) -> String {
        guard let parts else {
            return "SELECT count(*), coalesce(sum(\(rowHash)), 0) FROM \(name) t"
        }
        return """
            SELECT (\(keyHash) & \(parts - 1))::int AS part, count(*), sum(\(rowHash))
            FROM \(name) t GROUP BY part
            """
    }

    /// The keys of one part, as people read them, with a sum of each row and its position.
    func rowSums(part: Int, of parts: Int) -> String {
        """
        SELECT \(keyText), \(rowHash), t.position FROM \(name) t WHERE (\(keyHash) & \(parts - 1)) = \(part)
        """
    }

    private var rowHash: String {
        let columns = definition.all.map { column in
            // What has no hash in PostgreSQL goes as what it is sent as.
            switch column.type {
            case .json: "t.\(column.name)::text"
            case .tsvector: "tsvectorsend(t.\(column.name))"
            default: "t.\(column.name)"
            }
        }
        return "hash_record_extended(ROW(\(columns.joined(separator: ", "))), 0)::numeric"
    }

    private var keyHash: String {
        let columns = definition.key.map { "t.\($0.name)" }.joined(separator: ", ")
        return "hash_record_extended(ROW(\(columns)), 0)"
    }

    private var keyText: String {
        "concat_ws(' ', \(definition.key.map { "t.\($0.name)" }.joined(separator: ", ")))"
    }

    // MARK: Writing with parameters

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
            calls.append(
                PostgresCall(
                    """
                    UPDATE \(name) t SET \(assignments)
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

    private var assignments: String {
        (definition.columns.map(\.name) + ["position"]).map { "\($0) = new.\($0)" }
            .joined(separator: ", ")
    }

    private func match(_ other: String) -> String {
        definition.key.map { "t.\($0.name) = \(other).\($0.name)" }.joined(separator: " AND ")
    }

    var columnCount: Int { definition.all.count }
    var keyCount: Int { definition.key.count }

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

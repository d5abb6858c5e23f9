public import Domain
internal import EventCodec
public import JSON
internal import Postgres

/// A row of any read model, as operators read it: each column of its table with its value in JSON.
public struct ShownRow: Hashable, Sendable {
    public struct Column: Hashable, Sendable {
        public var name: String
        public var json: [UInt8]
    }

    public var readModel: String
    /// Those of the key, and then the others.
    public var key: [Column]
    public var columns: [Column]

    /// The rows of a read model in which one of these entities is the key, or part of it, by key.
    public static func rows<Model: ReadModel>(
        of model: Model.Type, about entity: EntityID, from events: [ProjectedEvent],
        asOf moment: AsOf
    ) -> [ShownRow] {
        moment.rows(of: model, from: events)
            .map { ShownRow(model, $0, $1.row) }
            .filter { row in row.key.contains { $0.json == quoted(entity) } }
            .sorted { $0.key.map(\.json.text).lexicographicallyPrecedes($1.key.map(\.json.text)) }
    }

    private static func quoted(_ entity: EntityID) -> [UInt8] { Array("\"\(entity)\"".utf8) }

    private init<Model: ReadModel>(_ model: Model.Type, _ key: Model.Key, _ row: Model.Row) {
        readModel = Model.name
        var (keyFields, fields) = (PostgresFields(), PostgresFields())
        Model.write(key, to: &keyFields)
        Model.write(row, to: &fields)
        self.key = Self.columns(Model.table.key, keyFields)
        columns = Self.columns(Model.table.columns, fields)
    }

    private static func columns(
        _ definitions: [TableDefinition.Column], _ fields: PostgresFields
    ) -> [Column] {
        zip(definitions, fields.values).compactMap { definition, bytes in
            json(bytes, definition.type).map { Column(name: definition.name, json: $0) }
        }
    }

    /// Nil for what is there for finding rows only.
    private static func json(_ bytes: [UInt8]?, _ type: PostgresType) -> [UInt8]? {
        guard type != .tsvector else { return nil }
        return JSONWriter.write { json in
            guard let bytes else { return json.null() }
            switch type {
            case .bool: json.value(bytes.first == 1)
            case .int2, .int4, .int8: json.value(number(bytes))
            case .json: json.value(json: bytes)
            case .uuid:
                json.value(
                    EntityID(
                        high: UInt64(bitPattern: number(bytes[..<8])),
                        low: UInt64(bitPattern: number(bytes[8...]))))
            case .timestamptz:
                let since2000 = number(bytes)
                json.value(
                    Instant(microseconds: since2000 + PostgresValue.epochMicroseconds).description)
            case .bytea: json.value(plain: Hexadecimal.digits(of: bytes))
            case .text, .tsvector: json.value(String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    private static func number(_ bytes: some Collection<UInt8>) -> Int64 {
        let isNegative = bytes.first.map { $0 >= 0x80 } ?? false
        return bytes.reduce(isNegative ? -1 : 0) { $0 << 8 | Int64($1) }
    }
}

extension [UInt8] {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}

extension JSONWriter {
    /// As an object: its columns by their names.
    public mutating func value(_ row: ShownRow) {
        object { json in
            for column in row.key + row.columns {
                json.name(column.name)
                json.value(json: column.json)
            }
        }
    }
}

/// A value in PostgreSQL's binary format, as a parameter or a field of a binary COPY.
public struct PostgresValue: Hashable, Sendable {
    /// nil is SQL NULL.
    public let bytes: [UInt8]?

    public init(bytes: [UInt8]?) {
        self.bytes = bytes
    }

    /// Microseconds from 1970-01-01, the epoch of everybody else, to 2000-01-01, PostgreSQL's.
    static let epochMicroseconds: Int64 = 946_684_800_000_000

    public static let null = PostgresValue(bytes: nil)

    public static func integer<Number: FixedWidthInteger>(_ value: Number) -> PostgresValue {
        PostgresValue(bytes: withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    public static func int16(_ value: Int) -> PostgresValue { integer(Int16(value)) }
    public static func int32(_ value: Int) -> PostgresValue { integer(Int32(value)) }
    public static func int64(_ value: Int64) -> PostgresValue { integer(value) }

    public static func bool(_ value: Bool) -> PostgresValue {
        PostgresValue(bytes: [value ? 1 : 0])
    }

    /// For `text`, `json` and all that is read as text.
    public static func text(_ value: String) -> PostgresValue {
        PostgresValue(bytes: Array(value.utf8))
    }

    /// For `bytea`, and for text that is bytes already.
    public static func bytes(_ value: [UInt8]) -> PostgresValue {
        PostgresValue(bytes: value)
    }

    public static func uuid(_ value: PostgresUUID) -> PostgresValue {
        PostgresValue(
            bytes: withUnsafeBytes(of: (value.high.bigEndian, value.low.bigEndian)) { Array($0) })
    }

    /// A `timestamptz`, from microseconds since 1970.
    public static func timestamp(_ microseconds: Int64) -> PostgresValue {
        integer(microseconds - epochMicroseconds)
    }

    public static func optional<Value>(
        _ value: Value?, _ make: (Value) -> PostgresValue
    ) -> PostgresValue {
        value.map(make) ?? .null
    }

    /// A one-dimensional array; see `array_recv` in PostgreSQL's `arrayfuncs.c`.
    public static func array(
        of type: PostgresType, _ elements: [PostgresValue]
    ) -> PostgresValue {
        var bytes: [UInt8] = []
        let size = elements.reduce(20) { $0 + 4 + ($1.bytes?.count ?? 0) }
        bytes.reserveCapacity(size)
        func append(_ number: Int) {
            withUnsafeBytes(of: Int32(number).bigEndian) { bytes.append(contentsOf: $0) }
        }
        append(elements.isEmpty ? 0 : 1)
        append(elements.contains { $0.bytes == nil } ? 1 : 0)
        append(Int(type.rawValue))
        guard !elements.isEmpty else { return PostgresValue(bytes: bytes) }
        append(elements.count)
        append(1)
        for element in elements {
            guard let value = element.bytes else {
                append(-1)
                continue
            }
            append(value.count)
            bytes.append(contentsOf: value)
        }
        return PostgresValue(bytes: bytes)
    }
}

/// The types that values are sent as, by their object identifiers (PostgreSQL's `pg_type.dat`).
public enum PostgresType: UInt32, Sendable {
    case bool = 16
    case bytea = 17
    case int8 = 20
    case int2 = 21
    case int4 = 23
    case text = 25
    case json = 114
    case timestamptz = 1184
    case uuid = 2950

    /// Its name in SQL.
    public var name: String { String(describing: self) }
}

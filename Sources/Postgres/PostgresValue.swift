/// A value in PostgreSQL's binary format, as a parameter or a field of a binary COPY.
public struct PostgresValue: Hashable, Sendable {
    /// nil is SQL NULL.
    public let bytes: [UInt8]?

    public init(bytes: [UInt8]?) {
        self.bytes = bytes
    }

    /// Microseconds from 1970-01-01, the epoch of everybody else, to 2000-01-01, PostgreSQL's.
    public static let epochMicroseconds: Int64 = 946_684_800_000_000

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
    public static func array(of type: PostgresType, _ elements: PostgresFields) -> PostgresValue {
        // An array without elements has no dimensions either.
        let dimensionCount = elements.count == 0 ? 0 : 1
        var array = PostgresFields(capacity: 20 + elements.bytes.count)
        array.appendRaw(Int32(dimensionCount))
        array.appendRaw(Int32(elements.hasNulls ? 1 : 0))
        array.appendRaw(Int32(bitPattern: type.rawValue))
        if dimensionCount == 1 {
            let lowerBound: Int32 = 1
            array.appendRaw(Int32(elements.count))
            array.appendRaw(lowerBound)
        }
        return PostgresValue(bytes: array.bytes + elements.bytes)
    }

    public static func array(
        of type: PostgresType, _ elements: [PostgresValue]
    ) -> PostgresValue {
        var fields = PostgresFields()
        for element in elements { fields.append(element) }
        return array(of: type, fields)
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
    case tsvector = 3614
    case uuid = 2950

    /// Its name in SQL.
    public var name: String { String(describing: self) }
}

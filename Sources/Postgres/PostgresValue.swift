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

    /// A one-dimensional array.
    public static func array(
        of type: PostgresType, _ elements: [PostgresValue]
    ) -> PostgresValue {
        var array = PostgresArray(of: type)
        for element in elements { array.append(element) }
        return array.value
    }
}

/// A one-dimensional array in the making, one buffer whatever its length; see `array_recv` in
/// PostgreSQL's `arrayfuncs.c`.
public struct PostgresArray: Sendable {
    private var bytes: [UInt8]
    public private(set) var count = 0

    /// Number of dimensions, whether there are nulls, element type, length, lower bound.
    private static let headerSize = 20

    public init(of type: PostgresType) {
        bytes = Array(repeating: 0, count: Self.headerSize)
        patch(Int(type.rawValue), at: 8)
        patch(1, at: 16)
    }

    public mutating func append(_ value: PostgresValue) {
        if let bytes = value.bytes {
            append(bytes)
        } else {
            appendNull()
        }
    }

    public mutating func append(_ value: [UInt8]) {
        begin(value.count)
        bytes.append(contentsOf: value)
    }

    public mutating func append(_ text: String) {
        begin(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    public mutating func append(_ number: Int16) {
        begin(2)
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func append(_ number: Int32) {
        begin(4)
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func append(_ number: Int64) {
        begin(8)
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func append(_ id: PostgresUUID) {
        begin(16)
        withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) {
            bytes.append(contentsOf: $0)
        }
    }

    public mutating func appendNull() {
        begin(-1)
        patch(1, at: 4)
    }

    public var value: PostgresValue {
        // An array without elements has no dimensions either.
        guard count > 0 else { return PostgresValue(bytes: Array(bytes[..<12])) }
        var array = self
        array.patch(1, at: 0)
        array.patch(count, at: 12)
        return PostgresValue(bytes: array.bytes)
    }

    private mutating func begin(_ length: Int) {
        count += 1
        withUnsafeBytes(of: Int32(length).bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func patch(_ number: Int, at offset: Int) {
        withUnsafeBytes(of: Int32(number).bigEndian) {
            bytes.replaceSubrange(offset..<offset + 4, with: $0)
        }
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

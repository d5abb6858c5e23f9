/// Values in PostgreSQL's binary format, each after its length, in one buffer however many they are:
/// the elements of an array, or the fields of rows; see "Binary Format" in the documentation of COPY.
public struct PostgresFields: Sendable {
    @usableFromInline var bytes: [UInt8] = []
    @usableFromInline var fieldCount = 0
    public var count: Int { fieldCount }
    private(set) var hasNulls = false

    public init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    public var isEmpty: Bool { count == 0 }
    /// All of them, each after its length, in four bytes in network order.
    public var contents: [UInt8] { bytes }

    public mutating func append(_ value: PostgresValue) {
        if let bytes = value.bytes { append(bytes) } else { appendNull() }
    }

    public mutating func append(_ value: [UInt8]) {
        begin(value.count)
        bytes.append(contentsOf: value)
    }

    public mutating func append(_ text: String) {
        begin(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    public mutating func append(_ text: String?) {
        if let text { append(text) } else { appendNull() }
    }

    public mutating func append(_ bool: Bool) {
        begin(1)
        bytes.append(bool ? 1 : 0)
    }

    @inlinable public mutating func append(_ number: some FixedWidthInteger) {
        begin(number.bitWidth / 8)
        appendRaw(number)
    }

    public mutating func append(_ id: PostgresUUID) {
        begin(16)
        appendRaw(id.high)
        appendRaw(id.low)
    }

    /// A `timestamptz`, from microseconds since 1970.
    public mutating func append(timestamp microseconds: Int64) {
        append(microseconds - PostgresValue.epochMicroseconds)
    }

    public mutating func appendNull() {
        begin(-1)
        hasNulls = true
    }

    /// Each field's value; nil where it is NULL.
    public var values: [[UInt8]?] {
        var values: [[UInt8]?] = []
        bytes.withUnsafeBytes { bytes in
            var start = 0
            for _ in 0..<count {
                let length = Int(
                    Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: Int32.self)))
                start += 4
                values.append(length < 0 ? nil : Array(bytes[start..<start + length]))
                start += max(0, length)
            }
        }
        return values
    }

    /// Each field put into the column that it belongs to, of rows of `columnCount` fields.
    public func columns(_ columnCount: Int) -> [PostgresFields] {
        precondition(count.isMultiple(of: columnCount), "a row that lacks a field")
        let capacity = bytes.count / columnCount
        var columns = (0..<columnCount).map { _ in PostgresFields(capacity: capacity) }
        bytes.withUnsafeBytes { bytes in
            var start = 0
            for index in 0..<count {
                let length = Int32(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: Int32.self))
                let end = start + 4 + Int(max(0, length))
                columns[index % columnCount].appendField(bytes[start..<end], isNull: length < 0)
                start = end
            }
        }
        return columns
    }

    private mutating func appendField(_ field: Slice<UnsafeRawBufferPointer>, isNull: Bool) {
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: field))
        fieldCount += 1
        hasNulls = hasNulls || isNull
    }

    @inlinable mutating func appendRaw(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    @inlinable mutating func begin(_ length: Int) {
        fieldCount += 1
        appendRaw(Int32(length))
    }
}

internal import CPostgres

/// The rows of one finished statement.
///
/// `@unchecked Sendable`: "A PGresult can be passed around freely between threads. However, once
/// created they are read-only" (libpq, Behavior in Threaded Programs); `deinit` is its only owner.
public final class Rows: @unchecked Sendable {
    private let result: OpaquePointer

    init(owning result: OpaquePointer) {
        self.result = result
    }

    deinit {
        PQclear(result)
    }

    public var count: Int { Int(PQntuples(result)) }

    /// The number of rows that an INSERT, UPDATE or DELETE touched.
    public var affectedCount: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    public func isNull(_ row: Int, _ column: Int) -> Bool {
        PQgetisnull(result, CInt(row), CInt(column)) == 1
    }

    /// Lends a value, in PostgreSQL's binary format, for as long as `body` runs.
    public func withBytes<R>(
        _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let length = Int(PQgetlength(result, CInt(row), CInt(column)))
        let start = PQgetvalue(result, CInt(row), CInt(column))
        return try body(UnsafeRawBufferPointer(start: start, count: length))
    }

    public func bytes(_ row: Int, _ column: Int) -> [UInt8] {
        withBytes(row, column) { Array($0) }
    }

    public func text(_ row: Int, _ column: Int) -> String {
        withBytes(row, column) { String(decoding: $0, as: UTF8.self) }
    }

    public func optionalText(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : text(row, column)
    }

    public func bool(_ row: Int, _ column: Int) -> Bool {
        withBytes(row, column) { $0.first == 1 }
    }

    /// Any of PostgreSQL's integers.
    public func integer(_ row: Int, _ column: Int) -> Int {
        withBytes(row, column) { bytes in
            switch bytes.count {
            case 2: Int(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
            case 4: Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
            case 8: Int(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
            default: preconditionFailure("an integer column of \(bytes.count) bytes")
            }
        }
    }

    public func optionalInteger(_ row: Int, _ column: Int) -> Int? {
        isNull(row, column) ? nil : integer(row, column)
    }

    public func uuid(_ row: Int, _ column: Int) -> PostgresUUID {
        withBytes(row, column) { bytes in
            PostgresUUID(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// Microseconds since 1970 of a `timestamptz`. PostgreSQL's `infinity`, and what is beyond the year 9999, is the end
    /// of that year: nothing of ours is so late, and it can be calculated with.
    public func timestamp(_ row: Int, _ column: Int) -> Int64 {
        min(Int64(integer(row, column)), Self.latest) + PostgresValue.epochMicroseconds
    }

    private static let latest = 253_402_300_799_999_999 - PostgresValue.epochMicroseconds

    public func optionalTimestamp(_ row: Int, _ column: Int) -> Int64? {
        isNull(row, column) ? nil : timestamp(row, column)
    }
}

/// The 128 bits of a `uuid`.
public struct PostgresUUID: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

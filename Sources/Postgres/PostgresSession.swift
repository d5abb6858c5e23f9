internal import CPostgres
internal import Glibc

/// A conversation of one step at a time: scripts, COPY both ways, LISTEN.
///
/// One caller at a time; for everything else there is ``PostgresConnection``.
public actor PostgresSession {
    private let handle: ConnectionHandle

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        PostgresLoop.shared.asUnownedSerialExecutor()
    }

    public static func connect(
        to configuration: PostgresConfiguration
    ) async throws(PostgresError) -> PostgresSession {
        PostgresSession(try await Connector().connect(configuration))
    }

    private init(_ handle: ConnectionHandle) {
        self.handle = handle
    }

    /// Runs a script of any number of statements, as one transaction unless it says otherwise.
    ///
    /// Returns the rows of the last statement, in text format.
    @discardableResult
    public func execute(_ script: String) async throws(PostgresError) -> Rows {
        guard PQsendQuery(handle.pointer, script) == 1 else { throw lost() }
        try await flush()
        var last: Rows?
        var failure: PostgresError?
        while let result = try await nextResult() {
            let rows = Rows(owning: result)
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: last = rows
            default: failure = failure ?? PostgresError(result: result)
            }
        }
        if let failure { throw failure }
        guard let last else { throw lost() }
        return last
    }

    // MARK: COPY

    /// Sends rows with `COPY … FROM STDIN (FORMAT binary)`; returns the number of rows taken.
    ///
    /// `fields` holds those of each row, one for each column of the statement, row after row. All
    /// rows are taken, or none is.
    @discardableResult
    public func copyIn(
        _ statement: String, columnCount: Int, _ fields: PostgresFields
    ) async throws(PostgresError) -> Int {
        guard PQsendQuery(handle.pointer, statement) == 1 else { throw lost() }
        try await flush()
        try await expect(PGRES_COPY_IN)
        try await put(CopyFormat.header)
        var rest = CopyFormat(fields, columnCount: columnCount)
        while let chunk = rest.nextChunk() { try await put(chunk) }
        try await put(CopyFormat.trailer)
        try await untilTaken { PQputCopyEnd(handle.pointer, nil) }
        try await flush()
        return try await expect(PGRES_COMMAND_OK).affectedCount
    }

    private var isCopying = false

    /// Begins a `COPY … TO STDOUT`, of which ``copied(_:)`` is what comes. Nothing else runs until it has come to its end.
    public func beginCopyOut(_ statement: String) async throws(PostgresError) {
        guard PQsendQuery(handle.pointer, statement) == 1 else { throw lost() }
        try await flush()
        try await expect(PGRES_COPY_OUT, drains: false)
        isCopying = true
    }

    /// The next messages (each one row), one behind the other, until they are `size` bytes or more, or PostgreSQL has no
    /// more ready; nil at the end.
    public func copied(_ size: Int = 64 << 10) async throws(PostgresError) -> [UInt8]? {
        guard isCopying else { return nil }
        var bytes: [UInt8] = []
        while bytes.count < size {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(handle.pointer, &buffer, 1)
            if length > 0, let buffer {
                bytes += UnsafeRawBufferPointer(start: buffer, count: Int(length))
                PQfreemem(buffer)
            } else if length == 0 {
                guard bytes.isEmpty else { return bytes }
                try await waitForInput()
            } else if length == -1 {
                try await expect(PGRES_COMMAND_OK)
                isCopying = false
                return bytes.isEmpty ? nil : bytes
            } else {
                throw lost()
            }
        }
        return bytes
    }

    private func put(_ chunk: [UInt8]) async throws(PostgresError) {
        try await untilTaken {
            chunk.withUnsafeBytes { bytes in
                let start = bytes.bindMemory(to: CChar.self).baseAddress
                return PQputCopyData(handle.pointer, start, CInt(bytes.count))
            }
        }
    }

    /// Repeats a call that answers 1 when its data was queued and 0 when it must be tried again.
    private func untilTaken(_ put: () -> CInt) async throws(PostgresError) {
        while true {
            switch put() {
            case 1: return
            case 0: try await flush()
            default: throw lost()
            }
        }
    }

    // MARK: LISTEN

    /// Calls `onNotify` at once and then after each notification on `channel`, until cancelled.
    ///
    /// A notification says "look again" and nothing else: it may be lost when the link breaks, so
    /// readers go by position. Several that arrive together are one call, with the payload of the last;
    /// the first call comes at once, and has none.
    public func listen(
        to channel: String, onNotify: @Sendable (_ payload: String?) -> Void
    ) async throws(PostgresError) {
        try await execute("LISTEN \(channel)")
        onNotify(nil)
        while !Task.isCancelled {
            var payload: String?
            while let notification = PQnotifies(handle.pointer) {
                payload = String(cString: notification.pointee.extra)
                PQfreemem(notification)
            }
            if let payload { onNotify(payload) }
            guard await PostgresLoop.shared.readiness(of: handle.socket, for: POLLIN) else {
                continue
            }
            guard PQconsumeInput(handle.pointer) == 1 else { throw lost() }
        }
    }

    // MARK: Steps

    private func flush() async throws(PostgresError) {
        while true {
            switch PQflush(handle.pointer) {
            case 0: return
            case 1:
                _ = await PostgresLoop.shared.readiness(
                    of: handle.socket, for: POLLIN | POLLOUT)
                try checkNotCancelled()
            default: throw lost()
            }
            guard PQconsumeInput(handle.pointer) == 1 else { throw lost() }
        }
    }

    private func waitForInput() async throws(PostgresError) {
        _ = await PostgresLoop.shared.readiness(of: handle.socket, for: POLLIN)
        try checkNotCancelled()
        guard PQconsumeInput(handle.pointer) == 1 else { throw lost() }
    }

    private func nextResult() async throws(PostgresError) -> OpaquePointer? {
        while PQisBusy(handle.pointer) == 1 { try await waitForInput() }
        return PQgetResult(handle.pointer)
    }

    /// Takes one result of the given status, and what comes after it up to the end.
    @discardableResult
    private func expect(
        _ status: ExecStatusType, drains: Bool = true
    ) async throws(PostgresError) -> Rows {
        guard let result = try await nextResult() else { throw lost() }
        let rows = Rows(owning: result)
        let isExpected = PQresultStatus(result) == status
        if !isExpected || (drains && status == PGRES_COMMAND_OK) {
            while let rest = try await nextResult() { PQclear(rest) }
        }
        guard isExpected else { throw PostgresError(result: result) }
        return rows
    }

    private func checkNotCancelled() throws(PostgresError) {
        guard Task.isCancelled else { return }
        throw PostgresError(kind: .connectionLost, message: "cancelled half-way")
    }

    private func lost() -> PostgresError {
        PostgresError(kind: .connectionLost, connection: handle.pointer)
    }
}

/// Rows on their way into COPY, in chunks; see "Binary Format" in PostgreSQL's documentation of COPY.
struct CopyFormat {
    static let header: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
    static let trailer: [UInt8] = [0xFF, 0xFF]
    /// Bytes gathered before they are handed to libpq.
    static let chunkSize = 64 * 1024

    private let fields: PostgresFields
    private let columnCount: Int
    private var start = 0

    init(_ fields: PostgresFields, columnCount: Int) {
        precondition(fields.count.isMultiple(of: columnCount), "a row that lacks a field")
        self.fields = fields
        self.columnCount = columnCount
    }

    /// The next rows, each after its number of fields; nil at the end.
    mutating func nextChunk() -> [UInt8]? {
        guard start < fields.bytes.count else { return nil }
        var chunk: [UInt8] = []
        chunk.reserveCapacity(Self.chunkSize + 4096)
        fields.bytes.withUnsafeBytes { bytes in
            while start < bytes.count, chunk.count < Self.chunkSize {
                var end = start
                for _ in 0..<columnCount {
                    let length = Int32(
                        bigEndian: bytes.loadUnaligned(fromByteOffset: end, as: Int32.self))
                    end += 4 + Int(max(0, length))
                }
                withUnsafeBytes(of: Int16(columnCount).bigEndian) { chunk.append(contentsOf: $0) }
                chunk.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
        }
        return chunk
    }
}

internal import Crypto
public import Postgres

/// Something in the log that can't be, and where.
public struct LogFault: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable {
        case hole = "a position is missing"
        case brokenChain = "the hash does not fit what stands there"
        case timeRunsBackwards = "recorded before the event before it"
        case strayTag = "a tag of an event that does not exist"
    }

    public var position: Int64
    public var kind: Kind

    public init(position: Int64, kind: Kind) {
        self.position = position
        self.kind = kind
    }

    public var description: String { "position \(position): \(kind.rawValue)" }
}

extension EventLog {
    /// Faults beyond this many are not listed.
    public static let faultLimit = 100

    /// Reads the whole log and checks that positions are dense, times do not run backwards, the
    /// hash chain fits, and no tag is left over.
    ///
    /// `progress` hears the position reached, once a page.
    public func verify(
        progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws(PostgresError) -> (head: Int64, faults: [LogFault]) {
        var chain = HashChain()
        var faults: [LogFault] = []
        while faults.count < Self.faultLimit {
            let rows = try await client.run(
                """
                SELECT \(LoggedEvent.columns), e.hash FROM log.event e
                WHERE e.position > $1::bigint ORDER BY e.position LIMIT 5000
                """, [.int64(chain.position)])
            guard rows.count > 0 else { break }
            for (row, event) in LoggedEvent.all(rows).enumerated() {
                faults += chain.add(event, hash: rows.bytes(row, 9))
            }
            progress(chain.position)
        }
        let stray = try await client.run(
            """
            SELECT t.position FROM log.event_tag t
            WHERE NOT EXISTS (SELECT FROM log.event e WHERE e.position = t.position)
            ORDER BY t.position LIMIT $1::bigint
            """, [.int64(Int64(Self.faultLimit))])
        for row in 0..<stray.count {
            faults.append(LogFault(position: Int64(stray.integer(row, 0)), kind: .strayTag))
        }
        return (chain.position, faults)
    }
}

/// Follows the chain of hashes; see `log.append` in the schema for what each one covers.
struct HashChain {
    private(set) var position: Int64 = 0
    private var hash: [UInt8] = []
    private var recordedAt = Int64.min

    mutating func add(_ event: LoggedEvent, hash stored: [UInt8]) -> [LogFault] {
        var faults: [LogFault] = []
        for missing in (position + 1)..<max(position + 1, event.position) {
            faults.append(LogFault(position: missing, kind: .hole))
            if faults.count >= EventLog.faultLimit { break }
        }
        if event.recordedAt < recordedAt {
            faults.append(LogFault(position: event.position, kind: .timeRunsBackwards))
        }
        // After a fault the chain goes on from what is stored, so one fault is reported once.
        if Self.hash(event, after: hash) != stored {
            faults.append(LogFault(position: event.position, kind: .brokenChain))
        }
        (position, hash, recordedAt) = (event.position, stored, event.recordedAt)
        return faults
    }

    static func hash(_ event: LoggedEvent, after previous: [UInt8]) -> [UInt8] {
        var digest = SHA256()
        var head = previous
        head += PostgresValue.int64(event.position).bytes ?? []
        head += PostgresValue.timestamp(event.recordedAt).bytes ?? []
        head += PostgresValue.uuid(event.commandID).bytes ?? []
        head += PostgresValue.uuid(event.correlationID).bytes ?? []
        head += PostgresValue.int64(event.causationPosition ?? 0).bytes ?? []
        head += PostgresValue.integer(event.type).bytes ?? []
        head += PostgresValue.integer(event.schemaVersion).bytes ?? []
        head += PostgresValue.int32(event.actor.utf8.count).bytes ?? []
        head += event.actor.utf8
        digest.update(data: head)
        digest.update(data: event.data)
        return Array(digest.finalize())
    }
}

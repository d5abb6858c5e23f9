internal import Crypto
public import Postgres

/// Something in the log that can't be, and where.
public struct LogFault: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable {
        case hole = "a position is missing"
        case brokenChain = "the hash does not fit what stands there"
        case timeRunsBackwards = "recorded before the event before it"
        case brokenCommand = "the command that it belongs to begins or ends elsewhere"
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
                SELECT \(LoggedEvent.columns), e.hash, e.request_hash, e.command_end
                FROM log.event e
                WHERE e.position > $1::bigint ORDER BY e.position LIMIT 5000
                """, [.int64(chain.position)])
            guard rows.count > 0 else { break }
            for (row, event) in LoggedEvent.all(rows).enumerated() {
                let end = rows.optionalInteger(row, 11).map(Int64.init)
                faults += chain.add(
                    event,
                    HashChain.Link(
                        hash: rows.bytes(row, 9),
                        command: end.map { (rows.bytes(row, 10), $0) }))
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
    /// The command that the last event belongs to, and the positions that it says to fill.
    private var command: (id: PostgresUUID, positions: ClosedRange<Int64>)?

    /// What a row says besides its event: `command` of the first event of a command only.
    struct Link {
        var hash: [UInt8]
        var command: (requestHash: [UInt8], end: Int64)?
    }

    mutating func add(_ event: LoggedEvent, _ link: Link) -> [LogFault] {
        var faults: [LogFault] = []
        for missing in (position + 1)..<max(position + 1, event.position) {
            faults.append(LogFault(position: missing, kind: .hole))
            if faults.count >= EventLog.faultLimit { break }
        }
        if event.recordedAt < recordedAt {
            faults.append(LogFault(position: event.position, kind: .timeRunsBackwards))
        }
        if let position = brokenCommand(event, link) {
            faults.append(LogFault(position: position, kind: .brokenCommand))
        }
        // After a fault the chain goes on from what is stored, so one fault is reported once.
        if Self.hash(event, requestHash: link.command?.requestHash ?? [], after: hash) != link.hash
        {
            faults.append(LogFault(position: event.position, kind: .brokenChain))
        }
        (position, hash, recordedAt) = (event.position, link.hash, event.recordedAt)
        return faults
    }

    /// Where a command is broken, if the event does not begin one where the last has ended, or go on
    /// with that one.
    private mutating func brokenCommand(_ event: LoggedEvent, _ link: Link) -> Int64? {
        let last = command.flatMap { $0.positions.contains(event.position) ? $0 : nil }
        guard let begun = link.command else {
            return last?.id == event.commandID ? nil : event.position
        }
        guard begun.end >= event.position else { return event.position }
        command = (event.commandID, event.position...begun.end)
        return last?.positions.lowerBound
    }

    static func hash(
        _ event: LoggedEvent, requestHash: [UInt8], after previous: [UInt8]
    ) -> [UInt8] {
        let digest = EventDigest(
            commandID: event.commandID, correlationID: event.correlationID,
            causationPosition: event.causationPosition, requestHash: requestHash,
            type: event.type, schemaVersion: event.schemaVersion, actor: event.actor)
        var chain = SHA256()
        chain.update(data: previous)
        chain.update(data: PostgresValue.timestamp(event.recordedAt).bytes ?? [])
        chain.update(data: digest.over(event.data))
        return Array(chain.finalize())
    }
}

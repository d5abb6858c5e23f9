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
        case wrongTags = "its tags are not those that its data says"
    }

    public var position: Int64
    public var kind: Kind

    public init(position: Int64, kind: Kind) {
        self.position = position
        self.kind = kind
    }

    public var description: String { "position \(position): \(kind.rawValue)" }
}

/// An event with what chains it to those before it, as its row has it.
public struct ChainedEvent: Hashable, Sendable {
    public var event: LoggedEvent
    /// Of the first event of a command only: the hash of its request, and its last event.
    public var command: Command?
    /// SHA-256 over the hash before it and everything in the row, see `log.append` in the schema.
    public var hash: [UInt8]

    public struct Command: Hashable, Sendable {
        public var requestHash: [UInt8]
        public var end: Int64

        public init(requestHash: [UInt8], end: Int64) {
            self.requestHash = requestHash
            self.end = end
        }
    }

    public init(event: LoggedEvent, command: Command?, hash: [UInt8]) {
        self.event = event
        self.command = command
        self.hash = hash
    }

    fileprivate static let columns =
        "\(LoggedEvent.columns), e.hash, e.request_hash, e.command_end"

    fileprivate init(_ rows: Rows, _ row: Int) {
        event = LoggedEvent(rows, row)
        hash = rows.bytes(row, 9)
        command = rows.optionalInteger(row, 11).map {
            Command(requestHash: rows.bytes(row, 10), end: Int64($0))
        }
    }
}

extension EventLog {
    /// Faults beyond this many are not listed.
    public static let faultLimit = 100
    private static let chainPageLimit = 5000

    /// The events after `position` up to `end`, in order and page by page, with what chains them. While
    /// one page is worked on, the next is read.
    public func readChained(
        after position: Int64 = 0, upTo end: Int64 = .max,
        _ body: ([ChainedEvent]) async throws -> Void
    ) async throws {
        func page(after position: Int64) async throws(PostgresError) -> [ChainedEvent] {
            let rows = try await client.run(
                """
                SELECT \(ChainedEvent.columns) FROM log.event e
                WHERE e.position > $1::bigint AND e.position <= $2::bigint
                ORDER BY e.position LIMIT \(Self.chainPageLimit)
                """, [.int64(position), .int64(end)])
            return (0..<rows.count).map { ChainedEvent(rows, $0) }
        }
        var events = try await page(after: position)
        while let last = events.last?.event.position {
            try Task.checkCancellation()
            async let next = page(after: last)
            try await body(events)
            events = try await next
        }
    }

    /// Reads the log and checks that positions are dense, times do not run backwards, and the hash chain fits;
    /// nothing more is read after too many faults.
    ///
    /// `visit` sees each page, and says what tags each of its events must have, or nil for those of which it does
    /// not know; with nil for the page, nothing more is read. With it, tags are checked as well, and that none is
    /// left over.
    public func verify(
        visit: (([ChainedEvent]) async throws -> [[PostgresUUID]?]?)? = nil
    ) async throws -> (head: Int64, faults: [LogFault]) {
        let head = try await head()
        let stored = visit == nil ? nil : try await StoredTags.open(self)
        var chain = HashChain()
        var faults: [LogFault] = []
        struct Enough: Error {}
        do {
            try await readChained(upTo: head) { events in
                let previous = chain.hash
                async let hashes = HashChain.hashes(of: events, after: previous)
                let tags = try await visit?(events)
                for (event, hash) in zip(events, await hashes) { faults += chain.add(event, hash) }
                if let stored {
                    guard let tags else { throw Enough() }
                    faults += try await stored.faults(in: events.map(\.event), tags)
                }
                if faults.count >= Self.faultLimit { throw Enough() }
            }
            faults += try await stored?.rest(after: try await self.head()) ?? []
        } catch is Enough {}
        return (chain.position, faults)
    }
}

/// The tags that are stored, in the order of positions, beside the events as they are read.
private actor StoredTags {
    private static let pageSize = 20_000
    private let connection: PostgresConnection
    private var page: [(position: Int64, tag: PostgresUUID, type: Int16)] = []
    private var next = 0
    private var isAtEnd = false

    /// Begins a reading of its own, which shows the tags of one moment.
    static func open(_ log: EventLog) async throws(PostgresError) -> StoredTags {
        var configuration = await log.client.configuration
        configuration.statementTimeout = .zero
        let connection = try await PostgresConnection.connect(to: configuration)
        try await connection.run([
            PostgresCall("BEGIN"), PostgresCall("SET LOCAL enable_seqscan = on"),
            PostgresCall("SET LOCAL work_mem = '64MB'"),
            PostgresCall(
                """
                DECLARE stored NO SCROLL CURSOR FOR
                SELECT position, tag, type FROM log.event_tag ORDER BY position
                """),
        ])
        return StoredTags(connection)
    }

    private init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    func faults(
        in events: [LoggedEvent], _ tags: [[PostgresUUID]?]
    ) async throws(PostgresError) -> [LogFault] {
        var faults: [LogFault] = []
        for (event, tags) in zip(events, tags) {
            var stored: Set<PostgresUUID> = []
            var isOfItsType = true
            while let tag = try await current(), tag.position <= event.position {
                next += 1
                guard tag.position == event.position else {
                    faults.append(LogFault(position: tag.position, kind: .strayTag))
                    continue
                }
                if tags == nil { continue }
                stored.insert(tag.tag)
                if tag.type != event.type { isOfItsType = false }
            }
            guard let tags else { continue }
            if stored != Set(tags) || !isOfItsType {
                faults.append(LogFault(position: event.position, kind: .wrongTags))
            }
        }
        return faults
    }

    /// Tags beyond the last event.
    func rest(after head: Int64) async throws(PostgresError) -> [LogFault] {
        var faults: [LogFault] = []
        while let tag = try await current(), faults.count < EventLog.faultLimit {
            next += 1
            if tag.position > head {
                faults.append(LogFault(position: tag.position, kind: .strayTag))
            }
        }
        return faults
    }

    private func current() async throws(PostgresError)
        -> (position: Int64, tag: PostgresUUID, type: Int16)?
    {
        if next == page.count, !isAtEnd {
            let rows = try await connection.run("FETCH FORWARD \(Self.pageSize) FROM stored")
            page = (0..<rows.count).map {
                (Int64(rows.integer($0, 0)), rows.uuid($0, 1), Int16(rows.integer($0, 2)))
            }
            next = 0
            isAtEnd = page.isEmpty
        }
        return next < page.count ? page[next] : nil
    }
}

/// Follows the chain of hashes; see `log.append` in the schema for what each one covers.
public struct HashChain: Sendable {
    /// Of the last event, and its hash; 0 and nothing before the first.
    public private(set) var position: Int64 = 0
    public private(set) var hash: [UInt8] = []
    private var recordedAt = Int64.min
    /// The command that the last event belongs to, and the positions that it says to fill.
    private var command: (id: PostgresUUID, positions: ClosedRange<Int64>)?

    public init() {}

    /// Goes on with the next event; returns what is wrong with it. After a fault the chain goes on from what
    /// is stored, so that one fault is reported once.
    public mutating func add(_ link: ChainedEvent) -> [LogFault] {
        add(link, Self.hash(of: link, after: hash))
    }

    /// The same for one whose hash is known: what it must be.
    mutating func add(_ link: ChainedEvent, _ expectedHash: [UInt8]) -> [LogFault] {
        let event = link.event
        var faults: [LogFault] = []
        for missing in (position + 1)..<max(position + 1, event.position) {
            faults.append(LogFault(position: missing, kind: .hole))
            if faults.count >= EventLog.faultLimit { break }
        }
        if event.recordedAt < recordedAt {
            faults.append(LogFault(position: event.position, kind: .timeRunsBackwards))
        }
        if let position = brokenCommand(link) {
            faults.append(LogFault(position: position, kind: .brokenCommand))
        }
        if expectedHash != link.hash {
            faults.append(LogFault(position: event.position, kind: .brokenChain))
        }
        (position, hash, recordedAt) = (event.position, link.hash, event.recordedAt)
        return faults
    }

    /// Where a command is broken, if the event does not begin one where the last has ended, or go on
    /// with that one.
    private mutating func brokenCommand(_ link: ChainedEvent) -> Int64? {
        let event = link.event
        let last = command.flatMap { $0.positions.contains(event.position) ? $0 : nil }
        guard let begun = link.command else {
            return last?.id == event.commandID ? nil : event.position
        }
        guard begun.end >= event.position else { return event.position }
        command = (event.commandID, event.position...begun.end)
        return last?.positions.lowerBound
    }

    /// What the hashes of events must be that follow each other, after the hash `previous`: on both halves at
    /// the same time, for each rests on what is stored before it.
    static func hashes(of events: [ChainedEvent], after previous: [UInt8]) async -> [[UInt8]] {
        func hashes(_ range: Range<Int>) -> [[UInt8]] {
            range.map { hash(of: events[$0], after: $0 == 0 ? previous : events[$0 - 1].hash) }
        }
        let middle = events.count / 2
        async let second = hashes(middle..<events.count)
        return hashes(0..<middle) + (await second)
    }

    private static func hash(of link: ChainedEvent, after previous: [UInt8]) -> [UInt8] {
        hash(link.event, requestHash: link.command?.requestHash ?? [], after: previous)
    }

    /// What the hash of an event must be, after the hash of the one before it.
    public static func hash(
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

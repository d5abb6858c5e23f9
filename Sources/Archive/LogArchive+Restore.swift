internal import Domain
internal import EventCodec
internal import EventLog
internal import JSON
public import Postgres

extension LogArchive {
    /// Rows that are sent at once.
    private static let partSize = 5000

    /// Makes an empty log the archived one, all of it or nothing: the same positions, times, hashes and
    /// identity. Tags are made anew from what the events say, but for those that could not be read where the archive
    /// comes from: with them stand their tags. With `keysPath`, customers' keys are put back.
    ///
    /// Throws ``ArchiveError`` when the database has events, when a hash does not fit, or when an event
    /// can't be read that could be then. `configuration` must name a user who may act as the log's owner. Returns the head.
    public static func restore(
        _ path: String, customerKeys keysPath: String? = nil,
        to configuration: PostgresConfiguration,
        progress: (_ position: Int64, _ head: Int64) -> Void = { _, _ in }
    ) async throws -> Int64 {
        let session = try await PostgresSession.connect(to: configuration)
        try await session.execute(
            "BEGIN; SET LOCAL ROLE quartermaster_owner; LOCK TABLE log.event IN EXCLUSIVE MODE")
        let count = try await session.execute("SELECT max(position) FROM log.event")
        guard count.isNull(0, 0) else {
            throw ArchiveError(
                "the database has \(count.text(0, 0)) events: an archive goes into an empty one")
        }
        let file = try CompressedReader(path)
        let header = try header(file, path, .log)
        try await session.execute("UPDATE log.identity SET id = '\(header.log)'")
        var part = Part()
        while let line = try file.nextLine() {
            try part.add(line, of: path)
            if part.count >= partSize {
                try await part.send(to: session)
                progress(part.chain.position, header.count)
            }
        }
        try await part.send(to: session)
        guard part.chain.position == header.count else {
            throw ArchiveError(
                "\(path) ends at position \(part.chain.position), and should at \(header.count)")
        }
        if let keysPath { try await restoreCustomerKeys(keysPath, of: header, to: session) }
        try await session.execute("COMMIT; ANALYZE log.event, log.event_tag, vault.customer_key")
        return header.count
    }

    private static func restoreCustomerKeys(
        _ path: String, of log: ArchiveHeader, to session: PostgresSession
    ) async throws {
        var fields = PostgresFields()
        let header = try read(path, .customerKeys) { line in
            let key = try CustomerKeyLine(line)
            fields.append(PostgresUUID(key.customer))
            fields.append(key.key)
            return true
        }
        guard header.log == log.log else {
            throw ArchiveError("\(path) has the keys of another log, \(header.log)")
        }
        guard fields.count == Int(header.count) * 2 else {
            throw ArchiveError("\(path) has \(fields.count / 2) keys, and should \(header.count)")
        }
        guard !fields.isEmpty else { return }
        try await session.copyIn(
            "COPY vault.customer_key (customer, key) FROM STDIN (FORMAT binary)", columnCount: 2,
            fields)
    }

    /// Rows on their way into the log.
    private struct Part {
        private(set) var chain = HashChain()
        private(set) var count = 0
        private var events = PostgresFields()
        private var tags = PostgresFields()
        /// The names of types of events that can't be read.
        private var types: [Int16: String] = [:]

        mutating func add(_ line: [UInt8], of path: String) throws(ArchiveError) {
            let link: ChainedEvent
            let unreadable: UnreadableEvent?
            do {
                let json = try JSONDocument(line).root.object()
                (link, unreadable) = (try ChainedEvent(json), try UnreadableEvent(json))
            } catch {
                throw ArchiveError("\(path), after position \(chain.position): \(error)")
            }
            if let fault = chain.add(link).first { throw ArchiveError("\(path): \(fault)") }
            let stored = link.event
            let known: [EntityID]
            do throws(EventCodecError) {
                known = try EventCodec.decode(
                    type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data
                ).tags
            } catch {
                // What no hash covers is taken for what can't be read only.
                guard let unreadable, unreadable.hasPlainType else {
                    throw ArchiveError("\(path), position \(stored.position): \(error)")
                }
                types[stored.type] = unreadable.type
                known = unreadable.tags
            }
            append(link)
            for tag in known {
                tags.append(PostgresUUID(tag))
                tags.append(stored.position)
                tags.append(stored.type)
            }
            count += 1
        }

        private mutating func append(_ link: ChainedEvent) {
            let event = link.event
            events.append(event.position)
            events.append(timestamp: event.recordedAt)
            events.append(event.commandID)
            events.append(event.correlationID)
            if let position = event.causationPosition {
                events.append(position)
            } else {
                events.appendNull()
            }
            if let command = link.command {
                events.append(command.requestHash)
                events.append(command.end)
            } else {
                events.appendNull()
                events.appendNull()
            }
            events.append(event.type)
            events.append(event.schemaVersion)
            events.append(event.actor)
            events.append(event.data)
            events.append(link.hash)
        }

        mutating func send(to session: PostgresSession) async throws(PostgresError) {
            guard count > 0 else { return }
            for (code, name) in types {
                try await session.execute(
                    """
                    INSERT INTO log.event_type (code, name) VALUES (\(code), '\(name)')
                    ON CONFLICT DO NOTHING
                    """)
            }
            types = [:]
            try await session.copyIn(
                """
                COPY log.event (position, recorded_at, command_id, correlation_id,
                    causation_position, request_hash, command_end, type, schema_version, actor,
                    data, hash) FROM STDIN (FORMAT binary)
                """, columnCount: 12, events)
            if !tags.isEmpty {
                try await session.copyIn(
                    "COPY log.event_tag (tag, position, type) FROM STDIN (FORMAT binary)",
                    columnCount: 3, tags)
            }
            (events, tags, count) = (PostgresFields(), PostgresFields(), 0)
        }
    }
}

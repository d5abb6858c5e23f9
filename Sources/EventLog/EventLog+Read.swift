public import Postgres

/// Where all events can be read in order: the log itself, or an archive of it.
public protocol LoggedEvents: Sendable {
    /// The position of the last event.
    func head() async throws -> Int64

    /// The wanted events among those after `position` up to `end`, in order. Who reads on begins at `end`.
    func read(
        after position: Int64, upTo end: Int64, _ wanted: WantedTypes
    ) async throws -> [EventContent]

    /// The hash of an event at `end` or after it, to be held against another log; asked when everything up to `end`
    /// was read.
    func hash(from end: Int64) async throws -> (position: Int64, hash: [UInt8])
}

/// The types of events that a reader wants.
public struct WantedTypes: Sendable {
    public var types: Set<Int16>
    /// The last type that the reader's program knows: it has to hear of later ones, which may concern it.
    public var lastKnown: Int16

    public init(_ types: Set<Int16>, lastKnown: Int16) {
        self.types = types
        self.lastKnown = lastKnown
    }

    public func contains(_ type: Int16) -> Bool { type > lastKnown || types.contains(type) }
}

/// What a fold needs of an event.
public struct EventContent: Hashable, Sendable {
    public var position: Int64
    /// Microseconds since 1970.
    public var recordedAt: Int64
    public var type: Int16
    public var schemaVersion: Int16
    public var data: [UInt8]
}

extension LoggedEvent {
    public var content: EventContent {
        EventContent(
            position: position, recordedAt: recordedAt, type: type, schemaVersion: schemaVersion,
            data: data)
    }
}

extension EventLog: LoggedEvents {
    public func read(
        after position: Int64, upTo end: Int64, _ wanted: WantedTypes
    ) async throws -> [EventContent] {
        let rows = try await client.run(
            """
            SELECT e.position, e.recorded_at, e.type, e.schema_version, e.data FROM log.event e
            WHERE e.position > $1::bigint AND e.position <= $2::bigint
                AND (e.type = ANY ($3::smallint[]) OR e.type > $4::smallint)
            ORDER BY e.position
            """,
            [
                .int64(position), .int64(end),
                .array(of: .int2, wanted.types.sorted().map { .integer($0) }),
                .integer(wanted.lastKnown),
            ])
        return (0..<rows.count).map { row in
            EventContent(
                position: Int64(rows.integer(row, 0)), recordedAt: rows.timestamp(row, 1),
                type: Int16(rows.integer(row, 2)), schemaVersion: Int16(rows.integer(row, 3)),
                data: rows.bytes(row, 4))
        }
    }
}

extension EventLog {
    public func hash(from end: Int64) async throws -> (position: Int64, hash: [UInt8]) {
        (end, try await hash(at: end) ?? [])
    }

    /// What the log itself says of an event, whatever the program knows of it: the name of its type, and its tags.
    public func words(at position: Int64) async throws(PostgresError) -> (
        type: String, tags: [PostgresUUID]
    ) {
        let rows = try await client.run(
            """
            SELECT n.name, t.tag FROM log.event e JOIN log.event_type n ON n.code = e.type
                LEFT JOIN log.event_tag t ON t.position = e.position
            WHERE e.position = $1::bigint
            """, [.int64(position)])
        return (
            rows.count > 0 ? rows.text(0, 0) : "",
            (0..<rows.count).filter { !rows.isNull($0, 1) }.map { rows.uuid($0, 1) }
        )
    }

    /// What the events at these positions belong to; nothing of those that are not there.
    public func correlations(
        at positions: Set<Int64>
    ) async throws(PostgresError) -> [Int64: PostgresUUID] {
        let rows = try await client.run(
            "SELECT position, correlation_id FROM log.event WHERE position = ANY ($1::bigint[])",
            [.array(of: .int8, positions.map { .int64($0) })])
        var correlations: [Int64: PostgresUUID] = [:]
        for row in 0..<rows.count {
            correlations[Int64(rows.integer(row, 0))] = rows.uuid(row, 1)
        }
        return correlations
    }

    /// The most events that one reading returns.
    public static let readLimit = 10_000

    /// The events after `position`, in order, at most `limit`.
    public func read(
        after position: Int64, limit: Int
    ) async throws(PostgresError) -> [LoggedEvent] {
        let limit = min(limit, Self.readLimit)
        return LoggedEvent.all(
            try await client.run(
                """
                SELECT \(LoggedEvent.columns) FROM log.event e
                WHERE e.position > $1::bigint AND e.position <= $1::bigint + $2::bigint
                ORDER BY e.position
                """, [.int64(position), .int64(Int64(limit))]))
    }

    /// The events at these positions, in order.
    public func read(_ positions: ClosedRange<Int64>) async throws(PostgresError) -> [LoggedEvent] {
        try await read(
            after: positions.lowerBound - 1,
            limit: Int(positions.upperBound - positions.lowerBound) + 1)
    }

    /// The events that match one item after a position, in order, at most `limit`, and the position
    /// up to which the answer is complete; when it is as long as the limit, read on after that.
    ///
    /// The head is read before the events, so the answer may hold more than it promises, never less.
    public func read(
        _ item: QueryItem, after position: Int64 = 0, limit: Int = readLimit
    ) async throws(PostgresError) -> (events: [LoggedEvent], completeTo: Int64) {
        precondition(!item.tags.isEmpty, "reading by tag without one")
        let limit = min(limit, Self.readLimit)
        let rows = try await client.run([
            PostgresCall("SELECT coalesce(max(position), 0) FROM log.event"),
            PostgresCall(
                """
                SELECT \(LoggedEvent.columns)
                FROM log.event_tag t JOIN log.event e ON e.position = t.position
                WHERE t.tag = $1::uuid AND t.position > $2::bigint
                    AND (cardinality($3::smallint[]) = 0 OR t.type = ANY ($3::smallint[]))
                    AND NOT EXISTS (
                        SELECT FROM unnest($4::uuid[]) AS other (tag)
                        WHERE NOT EXISTS (
                            SELECT FROM log.event_tag o
                            WHERE o.tag = other.tag AND o.position = t.position))
                ORDER BY t.position LIMIT $5::bigint
                """,
                [
                    .uuid(item.tags[0]), .int64(position),
                    .array(of: .int2, item.types.sorted().map { .integer($0) }),
                    .array(of: .uuid, item.tags.dropFirst().map { .uuid($0) }),
                    .int64(Int64(limit)),
                ]),
        ])
        let events = LoggedEvent.all(rows[1])
        let last = events.last?.position ?? position
        guard events.count < limit else { return (events, last) }
        return (events, max(Int64(rows[0].integer(0, 0)), last))
    }

    /// The events after `position` up to `end` that carry any of these tags, each once, in order, at most
    /// ``readLimit``.
    public func read(
        anyOf tags: [PostgresUUID], after position: Int64 = 0, upTo end: Int64 = .max
    ) async throws(PostgresError) -> [LoggedEvent] {
        LoggedEvent.all(
            try await client.run(
                """
                SELECT \(LoggedEvent.columns) FROM log.event e
                WHERE e.position = ANY (ARRAY(
                    SELECT DISTINCT t.position FROM log.event_tag t
                    WHERE t.tag = ANY ($1::uuid[]) AND t.position > $2::bigint
                        AND t.position <= $3::bigint
                    ORDER BY t.position LIMIT \(Self.readLimit)))
                ORDER BY e.position
                """,
                [.array(of: .uuid, tags.map { .uuid($0) }), .int64(position), .int64(end)]))
    }

    /// The position of the last event recorded at or before a time in microseconds since 1970; 0 when there
    /// is none. Times never run backwards along positions, so it is looked for by halves.
    public func position(at time: Int64) async throws(PostgresError) -> Int64 {
        var (low, high) = (Int64(0), try await head())
        while low < high {
            let middle = low + (high - low + 1) / 2
            let rows = try await client.run(
                "SELECT recorded_at FROM log.event WHERE position = $1::bigint", [.int64(middle)])
            if rows.count > 0, rows.timestamp(0, 0) <= time {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return low
    }

    /// The keys of these customers, as far as they have not been destroyed.
    public func customerKeys(
        of customers: [PostgresUUID]
    ) async throws(PostgresError) -> [PostgresUUID: [UInt8]] {
        let rows = try await client.run(
            "SELECT customer, key FROM vault.customer_key WHERE customer = ANY ($1::uuid[])",
            [.array(of: .uuid, customers.map { .uuid($0) })])
        var keys: [PostgresUUID: [UInt8]] = [:]
        for row in 0..<rows.count { keys[rows.uuid(row, 0)] = rows.bytes(row, 1) }
        return keys
    }

    /// The keys of all customers who are not forgotten, by customer.
    public func customerKeys() async throws(PostgresError) -> [(
        customer: PostgresUUID, key: [UInt8]
    )] {
        var keys: [(customer: PostgresUUID, key: [UInt8])] = []
        while true {
            let last = keys.last?.customer ?? PostgresUUID(high: 0, low: 0)
            let rows = try await client.run(
                """
                SELECT customer, key FROM vault.customer_key
                WHERE customer > $1::uuid ORDER BY customer LIMIT \(Self.readLimit)
                """, [.uuid(last)])
            guard rows.count > 0 else { return keys }
            keys += (0..<rows.count).map { (rows.uuid($0, 0), rows.bytes($0, 1)) }
        }
    }

    /// Those of these commands that were accepted, with their request hashes and events; on request not before every
    /// append that is under way has ended, whoever waits for it.
    public func commands(
        _ ids: [PostgresUUID], afterAppendsUnderWay: Bool = false
    ) async throws(PostgresError) -> [PostgresUUID: (
        requestHash: [UInt8], positions: ClosedRange<Int64>
    )] {
        let query = PostgresCall(
            """
            SELECT command_id, request_hash, position, command_end
            FROM log.event WHERE command_id = ANY ($1::uuid[]) AND command_end IS NOT NULL
            """, [.array(of: .uuid, ids.map { .uuid($0) })])
        // The lock of `log.append`, in the schema.
        let lock = PostgresCall("SELECT pg_advisory_xact_lock(7305804402)")
        let results = try await client.run(afterAppendsUnderWay ? [lock, query] : [query])
        guard let rows = results.last else { return [:] }
        var commands: [PostgresUUID: (requestHash: [UInt8], positions: ClosedRange<Int64>)] = [:]
        for row in 0..<rows.count {
            let positions = Int64(rows.integer(row, 2))...Int64(rows.integer(row, 3))
            commands[rows.uuid(row, 0)] = (rows.bytes(row, 1), positions)
        }
        return commands
    }
}

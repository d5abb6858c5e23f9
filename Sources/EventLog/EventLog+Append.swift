public import Postgres

/// An event to be appended; its position is not known yet.
public struct NewEvent: Hashable, Sendable {
    public var type: Int16
    public var schemaVersion: Int16
    /// JSON, stored to the byte.
    public var data: [UInt8]
    public var tags: [PostgresUUID]

    public init(type: Int16, schemaVersion: Int16, data: [UInt8], tags: [PostgresUUID]) {
        self.type = type
        self.schemaVersion = schemaVersion
        self.data = data
        self.tags = tags
    }
}

/// Matches events with one of `types` (any, when there are none) and all of `tags`.
///
/// Source: dcb.events, "Specification", query items.
public struct QueryItem: Hashable, Sendable {
    public var types: Set<Int16>
    public var tags: [PostgresUUID]

    public init(types: Set<Int16>, tags: [PostgresUUID]) {
        self.types = types
        self.tags = tags
    }
}

/// What a decision rests on: no event that matches `item` has appeared after `after`.
public struct ConditionItem: Hashable, Sendable {
    public var item: QueryItem
    public var after: Int64

    public init(item: QueryItem, after: Int64) {
        self.item = item
        self.after = after
    }

    /// The types are left out: items of one batch differ in their tags, and a set hashes slowly.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(item.tags)
        hasher.combine(after)
    }
}

/// One command of a batch: its key, what it rests on, and the facts that it decided.
public struct AppendCommand: Sendable {
    /// The idempotency key.
    public var id: PostgresUUID
    /// SHA-256 of the request, to tell a repeat from another request under the same key.
    public var requestHash: [UInt8]
    public var correlationID: PostgresUUID
    public var causationPosition: Int64?
    public var actor: String
    public var events: [NewEvent]
    public var conditions: [ConditionItem]
    /// Keys of new customers, written with the events.
    public var customerKeys: [(customer: PostgresUUID, key: [UInt8])]

    public init(
        id: PostgresUUID, requestHash: [UInt8], correlationID: PostgresUUID,
        causationPosition: Int64?, actor: String, events: [NewEvent],
        conditions: [ConditionItem], customerKeys: [(customer: PostgresUUID, key: [UInt8])] = []
    ) {
        self.id = id
        self.requestHash = requestHash
        self.correlationID = correlationID
        self.causationPosition = causationPosition
        self.actor = actor
        self.events = events
        self.conditions = conditions
        self.customerKeys = customerKeys
    }
}

/// What became of one command of a batch.
public enum AppendOutcome: Hashable, Sendable {
    case appended(ClosedRange<Int64>)
    /// The key was accepted before, for the same request: these are the events of then.
    case duplicate(ClosedRange<Int64>)
    /// The key was accepted before, for another request.
    case keyReused
    /// An event has appeared that the decision does not know of.
    case conflict
}

extension EventLog {
    /// The most commands of one batch.
    public static let batchCommandLimit = 512

    /// Appends the events of several commands in one transaction, and reports on each, in order.
    ///
    /// A refused command disturbs no other, except those after it whose conditions name a tag of
    /// its events: they were decided as if it had happened, and conflict. Each command has at least
    /// one event, and no two have the same key. Throws ``PostgresError``; when its kind is
    /// `connectionLost` the batch may have been appended: repeat it, the keys keep it from
    /// happening twice.
    public func append(
        _ commands: [AppendCommand]
    ) async throws(PostgresError) -> (outcomes: [AppendOutcome], recordedAt: Int64) {
        precondition(commands.allSatisfy { !$0.events.isEmpty }, "a command without events")
        precondition(commands.count <= Self.batchCommandLimit, "a batch of \(commands.count)")
        guard !commands.isEmpty else { return ([], 0) }
        let rows = try await client.run(Self.appendCall, AppendArrays(commands).parameters)
        return (Self.outcomes(rows, of: commands), rows.timestamp(0, 3))
    }

    /// One row for each command, or one for all when all were appended.
    private static func outcomes(_ rows: Rows, of commands: [AppendCommand]) -> [AppendOutcome] {
        guard rows.count == 1, rows.text(0, 0) == "appended" else {
            return (0..<rows.count).map { outcome(rows, $0) }
        }
        var next = Int64(rows.integer(0, 1))
        return commands.map { command in
            let first = next
            next += Int64(command.events.count)
            return .appended(first...next - 1)
        }
    }

    private static func outcome(_ rows: Rows, _ row: Int) -> AppendOutcome {
        switch rows.text(row, 0) {
        case "appended": .appended(Int64(rows.integer(row, 1))...Int64(rows.integer(row, 2)))
        case "duplicate": .duplicate(Int64(rows.integer(row, 1))...Int64(rows.integer(row, 2)))
        case "key reused": .keyReused
        case "conflict": .conflict
        case let other: preconditionFailure("log.append reports '\(other)'")
        }
    }

    private static let appendCall = """
        SELECT outcome, first_position, last_position, recorded_at
        FROM log.append(
            $1::uuid[], $2::bytea[], $3::uuid[],
            $4::int[], $5::int[], $6::bigint[], $7::text[], $8::smallint[], $9::smallint[],
            $10::text[], $11::bytea[], $12::int[], $13::uuid[],
            $14::bigint[], $15::int[], $16::uuid[], $17::int[], $18::smallint[],
            $19::int[], $20::int[], $21::int[], $22::uuid[], $23::bytea[])
        """
}

/// The flat arrays of `log.append`; indexes begin at 1.
private struct AppendArrays {
    private var commands = (
        ids: PostgresFields(), hashes: PostgresFields(), correlations: PostgresFields()
    )
    private var events = (
        commands: PostgresFields(), counts: PostgresFields(), causations: PostgresFields(),
        actors: PostgresFields(), types: PostgresFields(), versions: PostgresFields(),
        data: PostgresFields(), digests: PostgresFields()
    )
    private var tags = (events: PostgresFields(), tags: PostgresFields())
    private var items = (
        after: PostgresFields(), tagEnds: PostgresFields(), tags: PostgresFields(),
        typeEnds: PostgresFields(), types: PostgresFields()
    )
    private var references = (commands: PostgresFields(), items: PostgresFields())
    private var keys = (
        commands: PostgresFields(), customers: PostgresFields(), bytes: PostgresFields()
    )

    /// Bytes, so that most batches are put together without being moved.
    private static let usualEventSize = 1024

    init(_ commands: [AppendCommand]) {
        // Many commands of a batch rest on the same item: it is sent and looked for once.
        var numbers: [ConditionItem: Int32] = [:]
        events.data = PostgresFields(capacity: commands.count * Self.usualEventSize)
        for command in commands {
            self.commands.ids.append(command.id)
            self.commands.hashes.append(command.requestHash)
            self.commands.correlations.append(command.correlationID)
            let number = Int32(self.commands.ids.count)
            for (index, event) in command.events.enumerated() {
                add(event, of: command, number, isFirst: index == 0)
            }
            for condition in command.conditions {
                let item = numbers[condition] ?? add(condition)
                numbers[condition] = item
                references.commands.append(number)
                references.items.append(item)
            }
            for key in command.customerKeys {
                keys.commands.append(number)
                keys.customers.append(key.customer)
                keys.bytes.append(key.key)
            }
        }
    }

    private mutating func add(
        _ event: NewEvent, of command: AppendCommand, _ number: Int32, isFirst: Bool
    ) {
        events.commands.append(number)
        if isFirst {
            events.counts.append(Int32(command.events.count))
        } else {
            events.counts.appendNull()
        }
        if let position = command.causationPosition {
            events.causations.append(position)
        } else {
            events.causations.appendNull()
        }
        events.actors.append(command.actor)
        events.types.append(event.type)
        events.versions.append(event.schemaVersion)
        events.data.append(event.data)
        let digest = EventDigest(
            commandID: command.id, correlationID: command.correlationID,
            causationPosition: command.causationPosition,
            requestHash: isFirst ? command.requestHash : [], type: event.type,
            schemaVersion: event.schemaVersion, actor: command.actor)
        events.digests.append(digest.over(event.data))
        for tag in event.tags {
            tags.events.append(Int32(events.commands.count))
            tags.tags.append(tag)
        }
    }

    private mutating func add(_ condition: ConditionItem) -> Int32 {
        items.after.append(condition.after)
        for tag in condition.item.tags { items.tags.append(tag) }
        items.tagEnds.append(Int32(items.tags.count))
        for type in condition.item.types { items.types.append(type) }
        items.typeEnds.append(Int32(items.types.count))
        return Int32(items.after.count)
    }

    var parameters: [PostgresValue] {
        [
            .array(of: .uuid, commands.ids), .array(of: .bytea, commands.hashes),
            .array(of: .uuid, commands.correlations),
            .array(of: .int4, events.commands), .array(of: .int4, events.counts),
            .array(of: .int8, events.causations),
            .array(of: .text, events.actors), .array(of: .int2, events.types),
            .array(of: .int2, events.versions), .array(of: .text, events.data),
            .array(of: .bytea, events.digests),
            .array(of: .int4, tags.events), .array(of: .uuid, tags.tags),
            .array(of: .int8, items.after), .array(of: .int4, items.tagEnds),
            .array(of: .uuid, items.tags), .array(of: .int4, items.typeEnds),
            .array(of: .int2, items.types),
            .array(of: .int4, references.commands), .array(of: .int4, references.items),
            .array(of: .int4, keys.commands), .array(of: .uuid, keys.customers),
            .array(of: .bytea, keys.bytes),
        ]
    }
}

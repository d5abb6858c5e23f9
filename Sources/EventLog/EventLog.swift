public import Postgres

/// The one gapless table of events.
///
/// Positions are 1, 2, 3 … without holes, and the order of commits is the order of positions; so a
/// reader needs one integer to know where he is.
public struct EventLog: Sendable {
    /// The channel on which PostgreSQL says that something was appended.
    public static let channel = "quartermaster_event"

    public let client: PostgresClient

    public init(_ client: PostgresClient) {
        self.client = client
    }

    /// The role that everything but migrations acts as, whoever logs in.
    public static let applicationRole = "quartermaster_application"

    /// The position of the last event; 0 for an empty log.
    public func head() async throws(PostgresError) -> Int64 {
        let rows = try await client.run("SELECT coalesce(max(position), 0) FROM log.event")
        return Int64(rows.integer(0, 0))
    }

    /// Whether events can be appended here: not on a standby, nor where all is read-only.
    public func isWritable() async throws(PostgresError) -> Bool {
        let rows = try await client.run(
            "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'")
        return rows.bool(0, 0)
    }

    /// The chain's hash at a position; nil where there is no event.
    public func hash(at position: Int64) async throws(PostgresError) -> [UInt8]? {
        let rows = try await client.run(
            "SELECT hash FROM log.event WHERE position = $1::bigint", [.int64(position)])
        return rows.count > 0 ? rows.bytes(0, 0) : nil
    }

    /// Which log this is: its id never changes, and is kept by dump and restore.
    public func identity() async throws(PostgresError) -> PostgresUUID {
        let rows = try await client.run("SELECT id FROM log.identity")
        guard rows.count == 1 else {
            throw PostgresError(
                kind: .other(sqlState: "P0002"),
                message: "the log has lost its id: log.identity is empty")
        }
        return rows.uuid(0, 0)
    }
}

/// An event as it stands in the log.
public struct LoggedEvent: Hashable, Sendable {
    public var position: Int64
    /// Microseconds since 1970. It never goes backwards along the positions.
    public var recordedAt: Int64
    public var commandID: PostgresUUID
    public var correlationID: PostgresUUID
    /// The event that made a reaction give the command; nil when people gave it.
    public var causationPosition: Int64?
    public var type: Int16
    public var schemaVersion: Int16
    public var actor: String
    public var data: [UInt8]

    public init(
        position: Int64, recordedAt: Int64, commandID: PostgresUUID, correlationID: PostgresUUID,
        causationPosition: Int64?, type: Int16, schemaVersion: Int16, actor: String, data: [UInt8]
    ) {
        self.position = position
        self.recordedAt = recordedAt
        self.commandID = commandID
        self.correlationID = correlationID
        self.causationPosition = causationPosition
        self.type = type
        self.schemaVersion = schemaVersion
        self.actor = actor
        self.data = data
    }

    static let columns = """
        e.position, e.recorded_at, e.command_id, e.correlation_id, e.causation_position, e.type, \
        e.schema_version, e.actor, e.data
        """

    init(_ rows: Rows, _ row: Int) {
        position = Int64(rows.integer(row, 0))
        recordedAt = rows.timestamp(row, 1)
        commandID = rows.uuid(row, 2)
        correlationID = rows.uuid(row, 3)
        causationPosition = rows.optionalInteger(row, 4).map(Int64.init)
        type = Int16(rows.integer(row, 5))
        schemaVersion = Int16(rows.integer(row, 6))
        actor = rows.text(row, 7)
        data = rows.bytes(row, 8)
    }

    static func all(_ rows: Rows) -> [LoggedEvent] {
        (0..<rows.count).map { LoggedEvent(rows, $0) }
    }
}

import Commands
import Domain
import EventLog
import EventCodec
import Operations
import Postgres
import ProjectionEngine
import Projections
import TestServers
import TestSupport

/// Runs a loop and everything that follows the log, with a nats-server of the test's own.
func withProjector(
    on database: TestDatabase, clock: (@Sendable () -> Instant)? = nil,
    _ body: (DecisionLoop, String) async throws -> Void
) async throws {
    let (nats, natsURL) = try await TestServers.shared.freshNATS()
    do {
        try await withProjector(on: database, publishingTo: natsURL, clock: clock) {
            try await body($0, natsURL)
        }
    } catch {
        await nats()
        throw error
    }
    await nats()
}

/// The same with a nats-server that outlives it.
func withProjector(
    on database: TestDatabase, publishingTo natsURL: String,
    clock: (@Sendable () -> Instant)? = nil, tellingOn lines: LogLines? = nil,
    _ body: (DecisionLoop) async throws -> Void
) async throws {
    let roles = Roles(
        database.connections, natsURL: natsURL, secrets: testSecrets,
        settings: try Settings([:]), logger: lines?.logger ?? quiet, clock: clock)
    let loop = roles.decisionLoop()
    try await withServices([loop] + roles.projector(loop)) { try await body(loop) }
}

/// Waits until every read model shows a position.
func waitForProjections(_ database: TestDatabase, toReach position: Int64) async throws {
    let client = database.connections.client(1)
    try await eventually("all projections reach \(position)") {
        let statuses = try await ProjectionStatus.all(client)
        return statuses.count { !$0.isKept } == AllReadModels.list.count
            && statuses.allSatisfy { $0.position >= position }
    }
    await client.close()
}

/// An event of the catalogue that nobody can read; returns where it stands.
func appendNonsense(to log: EventLog) async throws -> Int64 {
    try await append(
        NewEvent(
            type: EventType.launchArchived.rawValue, schemaVersion: 1,
            data: Array(#"{"launch":"nonsense"}"#.utf8), tags: []), to: log)
}

/// An event of a type that only a newer program knows, `BoatPainted`; returns where it stands.
func appendOfNewerProgram(to log: EventLog, in database: TestDatabase) async throws -> Int64 {
    try await database.administer(
        "INSERT INTO log.event_type (code, name) VALUES (999, 'BoatPainted')")
    return try await append(
        NewEvent(
            type: 999, schemaVersion: 1, data: Array(#"{"colour":"blue"}"#.utf8),
            tags: [PostgresUUID(high: 7, low: 7)]), to: log)
}

private func append(_ event: NewEvent, to log: EventLog) async throws -> Int64 {
    let outcome = try await log.append([
        AppendCommand(
            id: PostgresUUID(high: 1, low: 1), requestHash: [1],
            correlationID: PostgresUUID(high: 1, low: 1), causationPosition: nil,
            actor: "test",
            events: [event], conditions: [])
    ]).outcomes[0]
    guard case .appended(let positions) = outcome else { return 0 }
    return positions.lowerBound
}

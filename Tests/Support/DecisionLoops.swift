public import Commands
public import Domain
public import Operations
public import ServiceLifecycle

public let testSecrets = Secrets(
    staffToken: "a token for tests only", signing: "a secret for tests only, not for use")

/// Runs decision loops on a database, and ends them.
public func withLoops<R: Sendable>(
    _ count: Int, on database: TestDatabase, clock: (@Sendable () -> Instant)? = nil,
    _ body: ([DecisionLoop]) async throws -> R
) async throws -> R {
    let loops = try makeLoops(count, on: database, clock: clock)
    let running = loops.map { loop in Task { await loop.run() } }
    defer { for task in running { task.cancel() } }
    return try await body(loops)
}

public func makeLoops(
    _ count: Int, on database: TestDatabase, clock: (@Sendable () -> Instant)? = nil
) throws -> [DecisionLoop] {
    let roles = Roles(
        database.connections, natsURL: "", secrets: testSecrets,
        settings: try Settings([:]), logger: quiet, clock: clock)
    return (0..<count).map { _ in roles.decisionLoop() }
}

/// Runs services while `body` does, and ends them before anything else, whatever becomes of it: gracefully, as a
/// server is not to be cancelled in the middle of an accept.
public func withServices(
    _ services: [any Service], _ body: () async throws -> Void
) async throws {
    var configuration = ServiceGroupConfiguration(
        services: services.map { .init(service: $0) }, logger: quiet)
    configuration.maximumGracefulShutdownDuration = shutdownLimit
    let group = ServiceGroup(configuration: configuration)
    let running = Task { try await group.run() }
    do {
        try await body()
    } catch {
        await group.triggerGracefulShutdown()
        try? await running.value
        throw error
    }
    await group.triggerGracefulShutdown()
    try await running.value
}

internal import AsyncHTTPClient
internal import Glibc
internal import LocalServers
public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Schema
public import ServiceLifecycle
internal import Synchronization
public import UnixSignals

/// What has not ended by itself after this long is cancelled.
public let shutdownLimit = Duration.seconds(30)

/// Runs services until a signal comes, or the service that runs them is taken down, and then takes
/// them down in order: the last comes first.
public func runServices(
    _ services: [any Service], until signals: [UnixSignal]? = nil, logger: Logger
) async throws {
    var configuration = ServiceGroupConfiguration(
        services: services.map {
            .init(
                service: NamedService(service: $0),
                successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup)
        },
        gracefulShutdownSignals: signals ?? endingSignals, logger: logger)
    configuration.maximumGracefulShutdownDuration = shutdownLimit
    try await ServiceGroup(configuration: configuration).run()
}

/// Does a piece of work that ends with a result, and gives it up when a signal comes: what it has begun it puts away
/// before.
public func untilToldToEnd<R: Sendable>(
    logger: Logger, _ work: @escaping @Sendable () async throws -> R
) async throws -> R {
    let piece = PieceOfWork(work: work)
    try await runServices([piece], logger: logger)
    guard let result = piece.result.withLock({ $0 }) else {
        throw OperationError("it was told to end, and is not done")
    }
    return try result.get()
}

private final class PieceOfWork<R: Sendable>: Service {
    let work: @Sendable () async throws -> R
    let result = Mutex<Result<R, any Error>?>(nil)

    init(work: @escaping @Sendable () async throws -> R) {
        self.work = work
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            do {
                let result = try await self.work()
                self.result.withLock { $0 = .success(result) }
            } catch {
                // Of one that was told to end it is no matter why it is not done.
                guard !Task.isCancelled else { return }
                self.result.withLock { $0 = .failure(error) }
            }
        }
    }
}

/// Those that end a program: also that its terminal was closed, unless it was started to outlive that.
private let endingSignals: [UnixSignal] = {
    var action = sigaction()
    sigaction(SIGHUP, nil, &action)
    let isIgnored = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    return [.sigint, .sigterm] + (isIgnored ? [] : [.sighup])
}()

/// A service of which no more is to be seen than what it is: who runs services writes them into the log, and
/// some of them hold secrets.
private struct NamedService: Service, CustomStringConvertible {
    let service: any Service

    var description: String { "\(type(of: service))" }

    func run() async throws { try await service.run() }
}

/// The roles that run alone, beside the whole system of `up`.
public enum Role: String, Sendable {
    case commandAPI = "command-api"
    case queryAPI = "query-api"
    case projector
    case backupKeeper = "backup-keeper"
}

/// Runs one role with servers that are there already.
public func run(_ role: Role, _ settings: Settings, logger: Logger) async throws {
    if role == .backupKeeper { return try await keepBackups(settings, logger: logger) }
    try settings.requireSecrets()
    let place = try Place(settings)
    let connections = Connections(url: try place.databaseURL(), logger: logger)
    let roles = Roles(
        connections, natsURL: try place.natsURL(), secrets: try place.knownSecrets(),
        settings: settings,
        logger: logger)
    let loop = roles.decisionLoop()
    var ports = [("OPERATIONS_PORT", settings.operationsPort)]
    if role == .commandAPI { ports.append(("COMMAND_PORT", settings.commandPort)) }
    if role == .queryAPI { ports.append(("QUERY_PORT", settings.queryPort)) }
    try requireFree(ports, at: settings.bindAddress)
    var services: [any Service]
    switch role {
    case .commandAPI:
        services =
            [loop] + roles.commandAPI(loop, port: settings.commandPort) { announce(role, $0) }
    case .queryAPI:
        services = roles.queryAPI(port: settings.queryPort) { announce(role, $0) }
    case .projector:
        services = [loop] + roles.projector(loop)
        say("projector: following the log")
    case .backupKeeper: preconditionFailure("it has been run")
    }
    services += [roles.operationsServer(port: settings.operationsPort), roles.draining]
    try await runServices(services, logger: logger)
}

@Sendable private func announce(_ role: Role, _ port: Int) {
    say("\(role.rawValue): listening on port \(port)")
}

/// Throws a sentence that says what to do when a door can't be opened there.
func requireFree(
    _ ports: [(variable: String, port: Int)], at address: String
) throws(OperationError) {
    var taken: [Int: String] = [:]
    for (variable, port) in ports {
        if let other = taken.updateValue(variable, forKey: port) {
            throw OperationError(
                "\(other) and \(variable) are both \(port): set one of them to another port")
        }
        switch canListen(onPort: port, at: address) {
        case .yes: break
        case .isTaken:
            throw OperationError(
                "port \(port) is in use: set \(variable) to another one, or stop who uses it")
        case .isNotAllowed:
            throw OperationError(
                "port \(port) is not for this account: set \(variable) to one above 1023")
        case .isNoAddress:
            throw OperationError(
                "BIND_ADDRESS is '\(address)', and must be an address of this machine, or 0.0.0.0 for all"
            )
        }
    }
}

/// Whether a role that runs on this machine says that it is ready, within three seconds; without a role, whether
/// that which has the operations port does.
public func isReady(_ role: Role?, _ settings: Settings) async throws -> Bool {
    let port =
        switch role {
        case .commandAPI: settings.commandPort
        case .queryAPI: settings.queryPort
        case .projector, .backupKeeper, nil: settings.operationsPort
        }
    // One that lags can serve, and is told of otherwise; who rolls a version out or back waits for this answer.
    let request = HTTPClientRequest(url: settings.url(ofPort: port) + "/readyz?exclude=lag")
    do {
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(3))
        let body = try await response.body.collect(upTo: 65_536)
        let isReady = response.status.code == 200
        say(isReady ? "ready" : "not ready: \(String(buffer: body))")
        return isReady
    } catch {
        throw OperationError(
            "\(role?.rawValue ?? "nobody") \(role == nil ? "answers" : "does not answer") at port \(port)"
        )
    }
}

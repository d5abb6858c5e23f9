internal import Access
internal import Bus
internal import CommandAPI
public import Commands
public import Domain
internal import EventLog
internal import Hummingbird
internal import HummingbirdCore
internal import LocalServers
public import Logging
internal import NIOCore
internal import Payments
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Publishing
internal import QueryAPI
internal import Reactions
internal import Sealing
public import ServiceLifecycle
public import Web

/// Builds the services of each role. Tests build them in the same way.
public struct Roles: Sendable {
    public let connections: Connections
    public let natsURL: String
    public let secrets: Secrets
    public let settings: Settings
    public let logger: Logger
    public let clock: @Sendable () -> Instant
    /// Draws a booking's code.
    public var drawCode: @Sendable () -> ConfirmationCode = {
        var generator = SystemRandomNumberGenerator()
        return .random(using: &generator)
    }
    private let measured = Measured()
    private let drain: Drain

    public init(
        _ connections: Connections, natsURL: String, secrets: Secrets, settings: Settings,
        logger: Logger, clock: (@Sendable () -> Instant)? = nil
    ) {
        self.connections = connections
        self.natsURL = natsURL
        self.secrets = secrets
        self.settings = settings
        self.logger = logger
        self.clock = clock ?? wallClock
        drain = Drain(seconds: settings.drainSeconds)
    }

    /// Stands last among the services of a process that has doors, see ``Drain``.
    var draining: any Service { drain }

    /// Connections of the command side: appends, and models read aside.
    static let commandConnectionCount = 2
    static let queryConnectionCount = 3

    public func decisionLoop() -> DecisionLoop {
        let client = PostgresClient(
            connections.durable, connectionCount: Self.commandConnectionCount, logger: logger)
        return DecisionLoop(
            EventLog(measured.adding(client, as: "commands")), clock: clock, logger: logger)
    }

    /// Every operation of both sides, as the contract test wants to see them.
    public func operations() -> (command: [Operation], query: [Operation]) {
        let client = connections.client(1)
        let feed = AvailabilityFeed(client, busURL: natsURL, logger: logger)
        return (
            commands(decisionLoop(), DockProvider()).operations, queries(client, feed).operations
        )
    }

    /// The command side, as services; `onStart` hears the port.
    public func commandAPI(
        _ loop: DecisionLoop, port: Int, onStart: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> [any Service] {
        measured.add(loop)
        var services: [any Service] = []
        let provider: any PaymentProvider
        switch settings.paymentProvider {
        case .dock: provider = DockProvider()
        case .sandbox:
            let sandbox = SandboxProvider(
                url: settings.url(ofPort: port) + "/v1/payments/messages", clock: clock,
                logger: logger)
            let desk = RefundDesk(
                sandbox, configuration: connections.durable, logger: logger)
            (provider, services) = (sandbox, [sandbox, desk])
        }
        return [server(commands(loop, provider).router, port: port, onStart)] + services
    }

    private func commands(
        _ loop: DecisionLoop, _ provider: any PaymentProvider
    ) -> CommandAPI {
        let log = loop.log
        let gate = gate(loop.log.client)
        return CommandAPI(
            loop, gatekeeper: gate.caller, desk: StaffDesk(gate, clock: clock),
            policy: settings.holdPolicy,
            provider: provider, links: BookingLink(SigningKeys(secrets.signing)),
            customerKey: { customer in
                let id = PostgresUUID(high: customer.entity.high, low: customer.entity.low)
                return try await log.customerKeys(of: [id])[id].flatMap(CustomerKey.init(bytes:))
            },
            clock: clock,
            isReady: { [drain] in
                guard !drain.isDraining else { return false }
                return (try? await log.isWritable()) ?? false
            },
            observer: RequestObserver(logger), drawCode: drawCode)
    }

    /// The query side, as services; `onStart` hears the port.
    public func queryAPI(
        port: Int, onStart: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> [any Service] {
        let client = measured.adding(
            connections.client(Self.queryConnectionCount), as: "queries")
        let feed = AvailabilityFeed(client, busURL: natsURL, logger: logger)
        // The feed goes down first: the server waits for those who watch, and it ends their streams.
        return [server(queries(client, feed).router, port: port, onStart), feed]
    }

    private func gate(_ client: PostgresClient) -> Gate {
        Gate(
            Credentials(client), operatorToken: StaffToken(secrets.staffToken),
            secrets: SigningKeys(secrets.signing), clock: clock)
    }

    private func queries(_ client: PostgresClient, _ feed: AvailabilityFeed) -> QueryAPI {
        let clock = clock
        return QueryAPI(
            client, gatekeeper: gate(client).caller,
            links: BookingLink(SigningKeys(secrets.signing)), feed: feed,
            exportingFrom: connections.reading, buildingWith: connections.rebuildable,
            clock: { clock().microseconds },
            isToEnd: { [drain] in drain.isDraining },
            observer: RequestObserver(logger))
    }

    /// Everything that follows the log: read models, publishing, and what time makes due.
    public func projector(_ loop: DecisionLoop) -> [any Service] {
        let log = connections.log()
        _ = measured.adding(log.client, as: "projections")
        let feed = EventFeed(log, listeningAt: connections.durable, logger: logger)
        loop.onAppend { feed.take($0, keys: $1) }
        let changed = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let runners = AllReadModels.list.map { model in
            runner(model, feed) { _ in changed.continuation.yield() }
        }
        let client = PostgresClient(connections.durable, connectionCount: 1, logger: logger)
        return [feed] + runners + [
            EventPublisher(
                feed: feed, busURL: natsURL, configuration: connections.durable, logger: logger),
            ViewPublisher(
                client, log, wakeups: changed, busURL: natsURL,
                configuration: connections.durable, logger: logger),
            KeptTables(
                of: AllReadModels.list, feed: feed, configuration: connections.rebuildable,
                logger: logger),
            Timekeeper(loop, reading: client, clock: clock, logger: logger),
        ]
    }

    private func runner<Model: ReadModel>(
        _ model: Model.Type, _ feed: EventFeed, onAdvance: @escaping @Sendable (Int64) -> Void
    ) -> any Service {
        ProjectionRunner(
            model, feed: feed, configuration: connections.rebuildable, logger: logger,
            onAdvance: onAdvance)
    }

    /// What Prometheus asks, as a service.
    public func operationsServer(port: Int) -> any Service {
        let operations = OperationsServer(
            client: connections.client(1), measured: measured, drain: drain)
        return server(operations.router, port: port) { _ in }
    }

    private func server(
        _ router: Router<APIContext>, port: Int,
        _ onStart: @escaping @Sendable (Int) -> Void
    ) -> any Service {
        let configuration = ApplicationConfiguration(
            address: .hostname(settings.bindAddress, port: port),
            availableConnectionsDelegate: .maximum(ConnectionLimits.count, logger: logger))
        // That it listens is said elsewhere.
        var own = logger
        if own.logLevel == .info { own.logLevel = .notice }
        let channel = HTTP1Channel.Configuration(
            idleTimeout: .seconds(ConnectionLimits.idleSeconds))
        return Application(
            router: router,
            server: HTTPServerBuilder {
                OnEventLoop(HTTP1Channel(responder: $0, configuration: channel))
            },
            configuration: configuration,
            onServerRunning: { (channel: any Channel) in
                onStart(channel.localAddress?.port ?? port)
            },
            logger: own)
    }
}

/// What a door gives to those who stand in it.
enum ConnectionLimits {
    /// Open at a time: those who watch a trip, and as many again in a rush. Who comes then waits in the system's queue.
    static let count = 20_000
    /// A connection that sends nothing, or less than a whole request, for so long is shut. Longer than a proxy keeps one
    /// that it does not use (Traefik: 90 seconds), so that it never sends into one that is being shut.
    static let idleSeconds: Int64 = 120
}

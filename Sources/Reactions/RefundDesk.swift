internal import Domain
public import Logging
public import Payments
public import Postgres
internal import ProjectionEngine
internal import Projections
public import ServiceLifecycle

/// Has the provider give back what is to be given back.
///
/// It finds that in the ledger and orders it by the refund's id, so an order that is given again, after
/// a crash or because nobody answered, is the same order. One process at a time does it.
public struct RefundDesk: Service {
    public static let interval = Duration.milliseconds(500)
    public static let batchLimit = 100
    /// An order that nobody answered is given again after this long.
    public static let patience = Duration.seconds(60)

    private let provider: any PaymentProvider
    private let configuration: PostgresConfiguration
    private let logger: Logger

    /// The connection is the desk's own: the lock lives as long as it does.
    public init(
        _ provider: any PaymentProvider,
        configuration: PostgresConfiguration, logger: Logger
    ) {
        self.provider = provider
        self.configuration = configuration
        self.logger = logger
    }

    public func run() async {
        await cancelWhenGracefulShutdown {
            var failureCount = 0
            while !Task.isCancelled {
                do {
                    try await serve()
                } catch {
                    failureCount += 1
                    logger.debug("not giving back", metadata: ["reason": "\(error)"])
                }
                try? await Task.sleep(
                    for: Backoff.wait(
                        after: failureCount, from: .milliseconds(100), to: .seconds(2)))
            }
        }
    }

    private func serve() async throws {
        let connection = try await PostgresConnection.connect(to: configuration)
        while try await !Leadership.take("refund.desk", on: connection) {
            try await Task.sleep(for: .seconds(1))
        }
        var orderedAt: [EntityID: ContinuousClock.Instant] = [:]
        while !Task.isCancelled {
            orderedAt = orderedAt.filter { .now - $0.value < Self.patience }
            let rows = try await connection.run([
                PaymentLedger.dueRefunds(
                    of: provider.kind, without: orderedAt.keys, limit: Self.batchLimit)
            ])
            for entry in PaymentLedger.entries(rows[0]) {
                // One that can't be ordered keeps no other from it, and is ordered again in a while.
                orderedAt[entry.id] = .now
                do {
                    try await provider.refund(
                        RefundID(entry.id), of: entry.row.payment, amount: entry.row.amount)
                } catch {
                    logger.warning(
                        "a refund was not ordered",
                        metadata: ["refund": "\(entry.id)", "reason": "\(error)"])
                }
            }
            try await Task.sleep(for: Self.interval)
        }
    }
}

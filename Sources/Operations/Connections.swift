public import EventLog
internal import Foundation
public import Logging
public import Postgres

/// How this process reaches PostgreSQL, acting as the application and as nobody more.
public struct Connections: Sendable {
    public let url: String
    public let logger: Logger

    public init(url: String, logger: Logger) {
        self.url = url
        self.logger = logger
    }

    /// For the log: what is committed is on disk.
    public var durable: PostgresConfiguration {
        var durable = configuration(Self.byKeysOnly)
        // Whoever buys has to be told before he gives up.
        durable.answerTimeout = .seconds(10)
        return durable
    }

    /// For projections: their rows and checkpoint are lost or kept together, and can be made again.
    public var rebuildable: PostgresConfiguration {
        let settings = [
            "synchronous_commit": "off",
            // What sorts words for an index is faster where it fits into the processor's cache.
            "maintenance_work_mem": "8MB",
        ]
        return configuration(Self.byKeysOnly.merging(settings) { $1 })
    }

    /// The log and the projections go by keys. A plan made while a table was small would read all of
    /// it later, so reading all of a table is ruled out; then one plan is good for ever.
    private static let byKeysOnly = [
        "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
        "enable_bitmapscan": "off",
        // What is ruled out counts as dear, and what is dear would be compiled.
        "plan_cache_mode": "force_generic_plan", "jit": "off",
    ]

    private func configuration(_ settings: [String: String] = [:]) -> PostgresConfiguration {
        let own = ["role": EventLog.applicationRole, "client_min_messages": "warning"]
        return PostgresConfiguration(url: url, settings: own.merging(settings) { $1 })
    }

    /// As whoever the URL names: migrations need the owner's rights.
    public var administrative: PostgresConfiguration {
        PostgresConfiguration(
            url: url, statementTimeout: .zero, settings: ["client_min_messages": "warning"])
    }

    /// For queries of any kind. PostgreSQL refuses whatever would write, and plans each query for what is
    /// asked: a word that all bookings have is looked for in another way than one that a single one has.
    public var reading: PostgresConfiguration {
        configuration([
            "default_transaction_read_only": "on", "plan_cache_mode": "force_custom_plan",
            "jit": "off",
        ])
    }

    public func client(_ connectionCount: Int) -> PostgresClient {
        PostgresClient(reading, connectionCount: connectionCount, logger: logger)
    }

    /// For what operators change of read models.
    public func writingClient(_ connectionCount: Int) -> PostgresClient {
        PostgresClient(rebuildable, connectionCount: connectionCount, logger: logger)
    }

    public func log(_ connectionCount: Int = 2) -> EventLog {
        EventLog(PostgresClient(durable, connectionCount: connectionCount, logger: logger))
    }
}

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

    /// Connections that lead an appender's or reader's life: what they commit is on disk.
    public var durable: PostgresConfiguration {
        PostgresConfiguration(
            url: url,
            settings: [
                "role": EventLog.applicationRole, "client_min_messages": "warning",
            ])
    }

    /// For projections: their rows and checkpoint are lost or kept together, and can be made again.
    ///
    /// They go by keys only. A plan made while a table was small would read all of it later, so
    /// reading all of a table is ruled out.
    public var rebuildable: PostgresConfiguration {
        PostgresConfiguration(
            url: url,
            settings: [
                "role": EventLog.applicationRole, "synchronous_commit": "off",
                "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
                "client_min_messages": "warning",
            ])
    }

    /// As whoever the URL names: migrations need the owner's rights.
    public var administrative: PostgresConfiguration {
        PostgresConfiguration(url: url, statementTimeout: .zero)
    }

    public func client(_ connectionCount: Int) -> PostgresClient {
        PostgresClient(durable, connectionCount: connectionCount, logger: logger)
    }

    public func log(_ connectionCount: Int = 2) -> EventLog {
        EventLog(client(connectionCount))
    }
}

public import Logging

/// A few connections that mend themselves.
///
/// Calls go round the connections. A broken one is connected anew by
/// the next call that needs it; when that fails, calls fail at once for a while that grows with
/// each failure, with jitter, so that a server coming back is not run over.
public actor PostgresClient {
    public let configuration: PostgresConfiguration
    private let logger: Logger
    private var slots: [Slot]
    private var next = 0
    private var failureCount = 0
    private var closedUntil = ContinuousClock.now
    private var lastFailure: PostgresError?
    private var isClosed = false

    private enum Slot {
        case empty
        case connecting(Task<Result<PostgresConnection, PostgresError>, Never>)
        case connected(PostgresConnection)
    }

    /// The longest wait between two attempts to connect.
    public static let backoffLimit = Duration.seconds(1)
    static let backoffStart = Duration.milliseconds(50)

    public init(_ configuration: PostgresConfiguration, connectionCount: Int, logger: Logger) {
        precondition(connectionCount > 0, "a client without connections")
        self.configuration = configuration
        self.logger = logger
        slots = Array(repeating: .empty, count: connectionCount)
    }

    /// Runs `calls` as one implicit transaction, see ``PostgresConnection/run(_:)``.
    @discardableResult
    public nonisolated func run(_ calls: [PostgresCall]) async throws(PostgresError) -> [Rows] {
        while true {
            let connection = try await connection()
            do throws(PostgresError) {
                return try await connection.run(calls)
            } catch {
                if error.isConnectionFault { await drop(connection) }
                // It was found broken before anything was sent; there are only so many of those.
                guard error.kind == .unreachable, await connection.isBroken else { throw error }
            }
        }
    }

    @discardableResult
    public nonisolated func run(
        _ sql: String, _ parameters: [PostgresValue] = []
    ) async throws(PostgresError) -> Rows {
        try await run([PostgresCall(sql, parameters)])[0]
    }

    /// How many connections are open now, and how many calls wait for their answers on them.
    public func usage() async -> (open: Int, waiting: Int) {
        var usage = (open: 0, waiting: 0)
        for slot in slots {
            guard case .connected(let connection) = slot else { continue }
            usage.open += 1
            usage.waiting += await connection.waitingCount
        }
        return usage
    }

    /// Lets go of all connections; what is in flight is still answered.
    public func close() {
        isClosed = true
        for index in slots.indices { slots[index] = .empty }
    }

    private func connection() async throws(PostgresError) -> PostgresConnection {
        guard !isClosed else {
            throw PostgresError(kind: .unreachable, message: "the client is closed")
        }
        let index = next
        next = (next + 1) % slots.count
        switch slots[index] {
        case .connected(let connection): return connection
        case .connecting(let task): return try await task.value.get()
        case .empty: break
        }
        if ContinuousClock.now < closedUntil, let lastFailure { throw lastFailure }
        let configuration = configuration
        let task = Task { () -> Result<PostgresConnection, PostgresError> in
            do throws(PostgresError) {
                return .success(try await PostgresConnection.connect(to: configuration))
            } catch {
                return .failure(error)
            }
        }
        slots[index] = .connecting(task)
        return try connected(await task.value, at: index)
    }

    private func connected(
        _ result: Result<PostgresConnection, PostgresError>, at index: Int
    ) throws(PostgresError) -> PostgresConnection {
        switch result {
        case .success(let connection):
            slots[index] = isClosed ? .empty : .connected(connection)
            failureCount = 0
            return connection
        case .failure(let error):
            slots[index] = .empty
            failureCount += 1
            lastFailure = error
            closedUntil =
                .now
                + Backoff.wait(
                    after: failureCount, from: Self.backoffStart, to: Self.backoffLimit)
            logger.warning("PostgreSQL can't be reached", metadata: ["reason": "\(error)"])
            throw error
        }
    }

    private func drop(_ broken: PostgresConnection) {
        for index in slots.indices {
            if case .connected(let connection) = slots[index], connection === broken {
                slots[index] = .empty
            }
        }
    }
}

/// How long to wait before trying again.
public enum Backoff {
    /// Doubles with each failure from `start` up to `limit`; then half of it is left to chance.
    ///
    /// Source: M. Brooker, "Exponential Backoff and Jitter".
    public static func wait(
        after failureCount: Int, from start: Duration, to limit: Duration
    ) -> Duration {
        let doubled = start * (1 << min(max(failureCount - 1, 0), 16))
        let full = min(doubled, limit)
        return full / 2 + full / 2 * Double.random(in: 0...1)
    }
}

public import Postgres

/// Lets readers wait until a projection has reached a position.
///
/// While somebody waits, the checkpoints are read every few milliseconds, once for everybody.
public actor CheckpointWatch {
    public static let interval = Duration.milliseconds(2)
    /// Readers waiting, above which more are turned away.
    public static let waiterLimit = 10_000

    private let client: PostgresClient
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0
    private var isPolling = false

    private struct Waiter {
        var projection: String
        var position: Int64
        var deadline: ContinuousClock.Instant
        var continuation: CheckedContinuation<Bool, Never>
    }

    public init(_ client: PostgresClient) {
        self.client = client
    }

    /// True when `projection` has reached `position`; false when `limit` passed first.
    public func wait(
        for projection: String, toReach position: Int64, limit: Duration
    ) async -> Bool {
        guard waiters.count < Self.waiterLimit else { return false }
        let number = nextWaiter
        nextWaiter += 1
        return await withCheckedContinuation { continuation in
            waiters[number] = Waiter(
                projection: projection, position: position, deadline: .now + limit,
                continuation: continuation)
            guard !isPolling else { return }
            isPolling = true
            Task { await poll() }
        }
    }

    private func poll() async {
        while !waiters.isEmpty {
            let statuses = (try? await ProjectionStatus.all(client)) ?? []
            let positions = Dictionary(
                uniqueKeysWithValues: statuses.map { ($0.name, $0.position) })
            let now = ContinuousClock.now
            for (number, waiter) in waiters {
                let isReached = positions[waiter.projection, default: -1] >= waiter.position
                guard isReached || now >= waiter.deadline else { continue }
                waiters[number] = nil
                waiter.continuation.resume(returning: isReached)
            }
            if !waiters.isEmpty { try? await Task.sleep(for: Self.interval) }
        }
        isPolling = false
    }
}

internal import Bus
internal import Domain
public import Logging
public import Postgres
internal import ProjectionEngine
internal import Projections
public import ServiceLifecycle

/// Tells those who watch a trip about changes of its sailings.
///
/// One reading of the changed rows serves everybody. NATS says when to look, and so does a slow
/// poll; a broken NATS therefore delays what is shown, and loses nothing.
public actor AvailabilityFeed: Service {
    public static let pollInterval = Duration.seconds(1)
    /// Changes that arrive within this time are one reading.
    public static let gatherInterval = Duration.milliseconds(20)
    public static let heartbeatInterval = Duration.seconds(15)
    public static let watcherLimit = 10_000
    /// Changes kept for a slow reader; older ones are dropped, for a newer one says it all.
    static let bufferLimit = 64

    private let client: PostgresClient
    private let busURL: String
    private let logger: Logger
    private typealias Watcher = (trip: TripID, changes: AsyncStream<[UInt8]>.Continuation)
    private var watchers: [Int: Watcher] = [:]
    private var nextWatcher = 0
    private var isEnded = false
    private var follower: SailingAvailability.Follower?
    private var lookedAt = ContinuousClock.now
    private let wakeups = AsyncStream.makeStream(
        of: Void.self, bufferingPolicy: .bufferingNewest(1))

    public init(_ client: PostgresClient, busURL: String, logger: Logger) {
        self.client = client
        self.busURL = busURL
        self.logger = logger
    }

    /// Server-sent events about the sailings of a trip, from now on; nil when too many watch.
    func changes(of trip: TripID) -> AsyncStream<[UInt8]>? {
        guard !isEnded, watchers.count < Self.watcherLimit else { return nil }
        let (stream, continuation) = AsyncStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingNewest(Self.bufferLimit))
        let number = nextWatcher
        nextWatcher += 1
        watchers[number] = (trip, continuation)
        continuation.onTermination = { _ in Task { await self.remove(number) } }
        return stream
    }

    public func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.listen() }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.pollInterval)
                        self.wakeups.continuation.yield()
                    }
                }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.heartbeatInterval)
                        await self.beat()
                    }
                }
                for await _ in self.wakeups.stream {
                    await self.readChanges()
                    try? await Task.sleep(for: Self.gatherInterval)
                }
            }
        }
        isEnded = true
        for watcher in watchers.values { watcher.changes.finish() }
        watchers = [:]
    }

    private func listen() async {
        var failureCount = 0
        while !Task.isCancelled {
            do throws(BusError) {
                let bus = try await BusConnection.connect(to: busURL, logger: logger)
                failureCount = 0
                for await _ in try bus.messages(of: "views.availability.*", bufferLimit: 1) {
                    wakeups.continuation.yield()
                }
            } catch {
                failureCount += 1
            }
            let wait = Backoff.wait(
                after: failureCount, from: .milliseconds(100), to: .seconds(2))
            try? await Task.sleep(for: wait)
        }
    }

    private func readChanges() async {
        do throws(PostgresError) {
            // Nobody watches: who comes next is shown everything by the query that lets him in, and what changes from
            // here on.
            if watchers.isEmpty, follower != nil, .now - lookedAt < Self.pollInterval { return }
            lookedAt = .now
            let rows = try await client.run([
                SailingAvailability.reached,
                SailingAvailability.complete,
            ])
            let (reached, complete) = (
                Int64(rows[0].integer(0, 0)), Int64(rows[1].integer(0, 0))
            )
            guard !watchers.isEmpty else {
                return follower = SailingAvailability.Follower(from: complete)
            }
            // At first a little before now, for those who came since their queries.
            var follower =
                follower ?? SailingAvailability.Follower(from: max(0, complete - 1000))
            follower.hear(of: complete)
            guard follower.position <= reached else {
                // The database was restored to an earlier moment: they come back for everything as it is now.
                self.follower = SailingAvailability.Follower(from: complete)
                for watcher in watchers.values { watcher.changes.finish() }
                return
            }
            let changes = try await client.run([
                SailingAvailability.changed(after: follower.position, limit: 1000)
            ])[0]
            for view in SailingAvailability.views(changes) {
                follower.position = view.position
                let theirs = watchers.values.filter { $0.trip == view.row.trip }
                guard !theirs.isEmpty else { continue }
                let bytes = view.serverSentEvent
                for watcher in theirs { tell(bytes, to: watcher) }
            }
            self.follower = follower
        } catch {
            logger.debug("changes can't be read", metadata: ["reason": "\(error)"])
        }
    }

    /// Who can't keep up is let go, and comes back for everything as it is then.
    private func tell(_ bytes: [UInt8], to watcher: Watcher) {
        if case .dropped = watcher.changes.yield(bytes) { watcher.changes.finish() }
    }

    /// A comment, so that a dead link is noticed by both sides.
    private func beat() {
        let bytes = Array(": still here\n\n".utf8)
        for watcher in watchers.values { tell(bytes, to: watcher) }
    }

    private func remove(_ number: Int) {
        watchers[number] = nil
    }
}

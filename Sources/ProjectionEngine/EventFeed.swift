internal import Domain
public import EventLog
public import Logging
public import Postgres
public import ServiceLifecycle

/// Reads the log once for all projections of the process, and wakes them when it grows.
///
/// The last events are kept decoded, so that projections near the head share them; one that is far
/// behind reads for itself. Woken by NOTIFY, and by a slow poll, because a notification may be lost.
public actor EventFeed: Service {
    /// Decoded events kept.
    public static let recentLimit = 4096
    public static let pageLimit = 1000
    public static let pollInterval = Duration.milliseconds(500)
    public static let gatherIntervals = (shortest: 10, longest: 40)

    /// How far apart two batches begin, the first of them of `count` events: so a busy log is taken in
    /// fewer, larger ones, and a quiet one at once.
    public static func gatherInterval(after count: Int) -> Duration {
        guard count < pageLimit / 2 else { return .zero }
        return .milliseconds(
            min(max(count, gatherIntervals.shortest), gatherIntervals.longest))
    }

    let source: EventSource
    private let configuration: PostgresConfiguration
    private let logger: Logger
    /// Pages of events, oldest first, without holes. They are shared with those who read them, so a
    /// page is never changed; one long array would be copied with every event that is added.
    private var recent: [[SourceEvent]] = []
    private var recentCount = 0
    /// The reading under way, and the position after which it begins.
    private var reading: (after: Int64, task: Task<Result<[SourceEvent], PostgresError>, Never>)?
    /// Counts the wakes, so that one that comes while a reader is busy is not lost on him.
    public private(set) var generation = 0
    private var wakeups: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWakeup = 0
    private var isEnded = false

    public init(_ log: EventLog, listeningAt configuration: PostgresConfiguration, logger: Logger) {
        source = EventSource(log: log)
        self.configuration = configuration
        self.logger = logger
    }

    public var log: EventLog { source.log }

    /// Listens until shutdown, and connects anew whenever the link breaks.
    public func run() async {
        let logger = logger
        let configuration = configuration
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.pollInterval)
                        await self.wake()
                    }
                }
                var failureCount = 0
                while !Task.isCancelled {
                    do {
                        let session = try await PostgresSession.connect(to: configuration)
                        failureCount = 0
                        try await session.listen(to: EventLog.channel) {
                            Task { await self.wake() }
                        }
                    } catch {
                        failureCount += 1
                        if failureCount == 1 {
                            logger.warning("not listening", metadata: ["reason": "\(error)"])
                        }
                        let wait = Backoff.wait(
                            after: failureCount, from: .milliseconds(100), to: .seconds(2))
                        try? await Task.sleep(for: wait)
                    }
                }
            }
        }
        isEnded = true
        wake()
    }

    /// The events after `position`, in order, at most ``pageLimit``; none when there are none yet.
    public func events(
        after position: Int64
    ) async throws(PostgresError) -> ArraySlice<SourceEvent> {
        if let kept = kept(after: position) { return kept }
        if let last = recent.last?.last?.position, position > last {
            // Everybody is further: what is kept serves nobody.
            recent.removeAll()
            recentCount = 0
        }
        guard position == (recent.last?.last?.position ?? position) else {
            return try await source.read(
                after: position, limit: Self.pageLimit, opensContacts: true)[...]
        }
        let events = try await readOn(after: position)
        return kept(after: position) ?? events[...]
    }

    /// Suspends until the log has grown since `generation`, or a poll is due, or the task is
    /// cancelled.
    public func nextWake(since generation: Int) async {
        guard generation == self.generation else { return }
        let number = nextWakeup
        nextWakeup += 1
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if isEnded || Task.isCancelled {
                    continuation.resume()
                } else {
                    wakeups[number] = continuation
                }
            }
        } onCancel: {
            Task { await self.wake(number) }
        }
    }

    private func wake() {
        generation += 1
        let waiting = wakeups
        wakeups = [:]
        for continuation in waiting.values { continuation.resume() }
    }

    private func wake(_ number: Int) {
        wakeups.removeValue(forKey: number)?.resume()
    }

    private func kept(after position: Int64) -> ArraySlice<SourceEvent>? {
        guard let first = recent.first?.first?.position, first <= position + 1,
            let last = recent.last?.last?.position, position < last
        else { return nil }
        var events: [SourceEvent] = []
        for page in recent {
            guard let start = page.first?.position, let end = page.last?.position, end > position
            else { continue }
            let rest = page[max(0, Int(position + 1 - start))...]
            if events.isEmpty, rest.count >= Self.pageLimit / 2 { return rest }
            guard events.count + rest.count <= Self.pageLimit else { break }
            events += rest
        }
        return events[...]
    }

    /// Reads what follows on what is kept; those who ask meanwhile wait for the same reading.
    private func readOn(after position: Int64) async throws(PostgresError) -> [SourceEvent] {
        if let reading {
            // What begins elsewhere would leave a hole in what the reader gets.
            guard reading.after == position else {
                return try await source.read(
                    after: position, limit: Self.pageLimit, opensContacts: true)
            }
            return try await reading.task.value.get()
        }
        let source = source
        let task = Task { () -> Result<[SourceEvent], PostgresError> in
            do throws(PostgresError) {
                return .success(
                    try await source.read(
                        after: position, limit: Self.pageLimit, opensContacts: true))
            } catch {
                return .failure(error)
            }
        }
        reading = (position, task)
        let result = await task.value
        reading = nil
        let events = try result.get()
        if !events.isEmpty, recent.last?.last.map({ $0.position == position }) ?? true {
            recent.append(events)
            recentCount += events.count
            while recentCount > Self.recentLimit, recent.count > 1 {
                recentCount -= recent.removeFirst().count
            }
        }
        return events
    }
}

public import Domain
public import EventLog
public import Logging
public import Postgres
public import ServiceLifecycle

/// Reads the log once for all projections of the process, and wakes them when it grows.
///
/// The last events are kept decoded, so that projections near the head share them; one that is far
/// behind reads for itself. Woken by NOTIFY, and by a slow poll, because a notification may be lost.
/// What this process appends itself need not be read: who appended it hands it in with `take`.
public actor EventFeed: Service {
    /// Decoded events kept.
    public static let recentLimit = 4096
    public static let pageLimit = 1000
    public static let pollInterval = Duration.milliseconds(500)
    public static let gatherIntervals = (shortest: 10, longest: 40, longestIdle: 80)

    /// How far apart two batches begin, the first of them of `count` events: so a busy log is taken in
    /// fewer, larger ones, and a quiet one at once. Who has changed nothing takes longer, for he has nothing to show but
    /// how far he is.
    public static func gatherInterval(after count: Int, isIdle: Bool = false) -> Duration {
        guard count < pageLimit / 2 else { return .zero }
        let longest = isIdle ? gatherIntervals.longestIdle : gatherIntervals.longest
        return .milliseconds(min(max(count, gatherIntervals.shortest), longest))
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
    /// Whether the log is known to have what is kept: not until a new link to PostgreSQL has been asked, for it may have
    /// been restored to an earlier moment, or another server have taken over that has less.
    private var mayKeep = false
    private nonisolated let handedIn = AsyncStream.makeStream(
        of: Appended.self, bufferingPolicy: .bufferingNewest(handedInLimit))
    /// What was handed in during a reading, and may go on after what that reads.
    private var held: [Appended] = []
    /// Batches handed in and not yet looked at, beyond which the oldest are left to be read.
    static let handedInLimit = 64

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
                group.addTask {
                    for await events in self.handedIn.stream { await self.keep(events) }
                }
                var failureCount = 0
                while !Task.isCancelled {
                    do {
                        let session = try await PostgresSession.connect(to: configuration)
                        failureCount = 0
                        await self.listenAgain()
                        try await session.listen(to: EventLog.channel) { head in
                            Task { await self.hear(of: head.flatMap { Int64($0) }) }
                        }
                    } catch {
                        await self.forget()
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
        if let lastKept, position > lastKept {
            // Everybody is further: what is kept serves nobody.
            dropKept()
        }
        guard position == (lastKept ?? position) else {
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

    /// Takes events that were just appended, so that they need not be read.
    ///
    /// Nothing rests on it: what does not follow on what is kept is left to be read.
    public nonisolated func take(
        _ events: [(stored: LoggedEvent, event: Event)], keys: [PostgresUUID: [UInt8]]
    ) {
        handedIn.continuation.yield(Appended(events: events, keys: keys))
    }

    private struct Appended: Sendable {
        var events: [(stored: LoggedEvent, event: Event)]
        /// Of the customers who are new with them.
        var keys: [PostgresUUID: [UInt8]]
    }

    private func keep(_ appended: Appended) {
        guard reading == nil else {
            if held.count < Self.handedInLimit { held.append(appended) }
            return
        }
        guard let first = appended.events.first?.stored.position,
            first == lastKept.map({ $0 + 1 }),
            // The key of a customer who is not new is in the database only, so his events are read.
            appended.events.allSatisfy({ $0.event.needsNoKey(beyond: appended.keys) })
        else {
            wake()
            return
        }
        keep(
            appended.events.map { SourceEvent($0.stored, .success($0.event), keys: appended.keys) })
        wake()
    }

    private func keep(_ page: [SourceEvent]) {
        guard mayKeep else { return }
        recent.append(page)
        recentCount += page.count
        while recentCount > Self.recentLimit, recent.count > 1 {
            recentCount -= recent.removeFirst().count
        }
    }

    private var lastKept: Int64? { recent.last?.last?.position }

    private func listenAgain() { mayKeep = true }

    private func forget() {
        mayKeep = false
        dropKept()
        held = []
    }

    private func dropKept() {
        recent.removeAll()
        recentCount = 0
    }

    /// PostgreSQL says that the log has grown, up to `head` if that is known.
    private func hear(of head: Int64?) {
        if let head, let lastKept, head <= lastKept { return }
        wake()
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
        for page in recent[firstPage(after: position)...] {
            let start = page.first?.position ?? 0
            let rest = page[max(0, Int(position + 1 - start))...]
            if events.isEmpty, rest.count >= Self.pageLimit / 2 {
                return rest.prefix(Self.pageLimit)
            }
            guard events.count + rest.count <= Self.pageLimit else { break }
            events += rest
        }
        return events[...]
    }

    /// The index of the first page that has events after `position`. A quiet log has thousands of pages
    /// of one event each.
    private func firstPage(after position: Int64) -> Int {
        var (low, high) = (0, recent.count)
        while low < high {
            let middle = (low + high) / 2
            if let end = recent[middle].last?.position, end > position {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
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
        let waiting = held
        held = []
        let events = try result.get()
        if !events.isEmpty, lastKept.map({ $0 == position }) ?? true {
            keep(events)
            // Who is told of them by PostgreSQL after this takes it for something that everybody has heard.
            wake()
        }
        for appended in waiting { keep(appended) }
        return events
    }
}

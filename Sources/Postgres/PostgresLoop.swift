internal import Glibc
internal import NIOConcurrencyHelpers

/// The one thread that may touch libpq: it sleeps in `poll` and runs the connections' jobs.
///
/// A connection uses the loop as its executor, so "isolated to the connection" and "on the loop's
/// thread" are the same thing, and a readiness callback needs no hop. One loop serves the process.
final class PostgresLoop: SerialExecutor {
    /// Takes the `poll` events that fired, on the loop's thread, and must not block.
    typealias ReadinessHandler = (_ events: CShort) -> Void

    static let shared: PostgresLoop = {
        let loop = PostgresLoop()
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(loop).toOpaque()
        let status = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<PostgresLoop>.fromOpaque(argument!).takeUnretainedValue().run()
                return nil
            }, argument)
        precondition(status == 0, "pthread_create: error \(status)")
        return loop
    }()

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var works: [@Sendable () -> Void] = []
        var thread: pthread_t?
        /// Whether the loop is in `poll`, or on its way there, and must be woken.
        var isSleeping = false
    }

    private struct Watch {
        var handler: ReadinessHandler
        var deadline: ContinuousClock.Instant?
    }

    private let inbox = NIOLockedValueBox(Inbox())
    private let wakeup: (reader: CInt, writer: CInt)

    // Safe: only the loop's thread reads or writes these; `watch` and its like check that.
    nonisolated(unsafe) private var watches: [CInt: Watch] = [:]
    // Safe: as above. The first entry is the wakeup pipe.
    nonisolated(unsafe) private var polled: [pollfd] = []

    private init() {
        var ends: [CInt] = [-1, -1]
        precondition(pipe(&ends) == 0, "pipe: errno \(errno)")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        wakeup = (ends[0], ends[1])
        polled = [pollfd(fd: ends[0], events: CShort(POLLIN), revents: 0)]
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = inbox.withLockedValue { inbox in
            inbox.jobs.append(job)
            defer { inbox.isSleeping = false }
            return inbox.isSleeping
        }
        if mustWake { wake() }
    }

    /// Runs `work` on the loop's thread, some time soon.
    func perform(_ work: @escaping @Sendable () -> Void) {
        let mustWake = inbox.withLockedValue { inbox in
            inbox.works.append(work)
            defer { inbox.isSleeping = false }
            return inbox.isSleeping
        }
        if mustWake { wake() }
    }

    func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on the Postgres loop's thread")
    }

    func isIsolatingCurrentContext() -> Bool? {
        inbox.withLockedValue { $0.thread == pthread_self() }
    }

    // MARK: Sockets

    /// Asks for a call to `handler` whenever one of `events` is ready on `socket`, and once with no
    /// events when `deadline` passes.
    func watch(
        _ socket: CInt, for events: Int32, until deadline: ContinuousClock.Instant? = nil,
        _ handler: @escaping ReadinessHandler
    ) {
        checkIsolated()
        watches[socket] = Watch(handler: handler, deadline: deadline)
        setEvents(events, of: socket)
    }

    /// Changes what a watched socket is watched for.
    func setEvents(_ events: Int32, of socket: CInt) {
        if let index = polled.lastIndex(where: { $0.fd == socket }) {
            polled[index].events = CShort(events)
        } else {
            polled.append(pollfd(fd: socket, events: CShort(events), revents: 0))
        }
    }

    func unwatch(_ socket: CInt) {
        checkIsolated()
        watches[socket] = nil
        polled.removeAll { $0.fd == socket }
    }

    /// Suspends until one of `events` is ready on `socket`; false when `deadline` passed first or
    /// the task was cancelled.
    ///
    /// For the conversations that take one step at a time: connecting, COPY, LISTEN. Call it from
    /// an actor that has the loop as its executor.
    func readiness(
        of socket: CInt, for events: Int32, until deadline: ContinuousClock.Instant? = nil,
        isolation: isolated (any Actor)? = #isolation
    ) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: isolation) { continuation in
                guard !Task.isCancelled else { return continuation.resume(returning: false) }
                watch(socket, for: events, until: deadline) { [unowned self] fired in
                    unwatch(socket)
                    continuation.resume(returning: fired != 0)
                }
            }
        } onCancel: {
            perform { [self] in watches[socket]?.handler(0) }
        }
    }

    // MARK: The loop

    private func run() {
        inbox.withLockedValue { $0.thread = pthread_self() }
        while true {
            runJobs()
            let count = poll(&polled, nfds_t(polled.count), sleepMilliseconds())
            precondition(count >= 0 || errno == EINTR, "poll: errno \(errno)")
            inbox.withLockedValue { $0.isSleeping = false }
            if polled[0].revents != 0 { drainWakeups() }
            guard count > 0 || watches.values.contains(where: { $0.deadline != nil }) else {
                continue
            }
            for socket in polled[1...] where socket.revents != 0 {
                guard let watch = watches[socket.fd] else {
                    // Nobody wants it any more, and it may be closed.
                    unwatch(socket.fd)
                    continue
                }
                watch.handler(socket.revents)
            }
            callOverdue()
        }
    }

    /// Runs every job that has arrived; afterwards the loop counts as asleep.
    private func runJobs() {
        while true {
            let (jobs, works) = inbox.withLockedValue { inbox in
                defer {
                    inbox.jobs.removeAll()
                    inbox.works.removeAll()
                }
                inbox.isSleeping = inbox.jobs.isEmpty && inbox.works.isEmpty
                return (inbox.jobs, inbox.works)
            }
            if jobs.isEmpty && works.isEmpty { return }
            for work in works { work() }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }

    private func sleepMilliseconds() -> CInt {
        guard let first = watches.values.compactMap(\.deadline).min() else { return -1 }
        return CInt(clamping: max(0, (first - .now).wholeMilliseconds + 1))
    }

    private func callOverdue() {
        let now = ContinuousClock.now
        for (socket, watch) in watches {
            if let deadline = watch.deadline, deadline <= now {
                watches[socket]?.deadline = nil
                watch.handler(0)
            }
        }
    }

    /// A full pipe is fine: it is already readable, so the loop is already going to wake.
    private func wake() {
        _ = write(wakeup.writer, [1] as [UInt8], 1)
    }

    private func drainWakeups() {
        var scratch: (UInt64, UInt64) = (0, 0)
        while read(wakeup.reader, &scratch, 16) > 0 {}
    }
}

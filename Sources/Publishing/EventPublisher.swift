internal import Bus
public import Domain
internal import EventCodec
internal import EventLog
public import Logging
internal import Metrics
public import Postgres
public import ProjectionEngine
public import ServiceLifecycle
internal import Trace
internal import Tracing

/// Publishes the log to the stream EVENTS, so that a message's sequence is its event's position.
///
/// There is one publisher at a time, and each message expects to follow the one before it: so the
/// stream holds every event once, in order, for ever. Where to resume is asked of the stream.
public struct EventPublisher: Service {
    public static let stream = "EVENTS"
    public static let subjectPrefix = "events"
    public static let retryLimit = Duration.seconds(2)
    /// How often one that has nothing to publish looks whether the stream is what he knows.
    public static let lookInterval = Duration.seconds(5)
    static var configuration: StreamConfiguration {
        StreamConfiguration(name: stream, subjects: [subjectPrefix + ".>"])
    }

    private static let published = Gauge(label: "quartermaster_published_position")
    private static let stopped = Gauge(label: "quartermaster_publishing_stopped")

    private let feed: EventFeed
    private let busURL: String
    private let configuration: PostgresConfiguration
    private let logger: Logger

    public init(
        feed: EventFeed, busURL: String, configuration: PostgresConfiguration, logger: Logger
    ) {
        self.feed = feed
        self.busURL = busURL
        self.configuration = configuration
        self.logger = logger
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            // A series that begins with the first success would hide that there is none.
            Self.published.record(0)
            Self.stopped.record(0)
            var failureCount = 0
            var lastReason = ""
            while !Task.isCancelled {
                do {
                    try await publish { (failureCount, lastReason) = (0, "") }
                } catch {
                    failureCount += 1
                    if error is StreamAheadError || error is StreamDivergedError
                        || error is StreamOfOtherLogError
                    {
                        Self.stopped.record(1)
                    }
                    if "\(error)" != lastReason, !Task.isCancelled {
                        lastReason = "\(error)"
                        logger.error("not publishing", metadata: ["reason": "\(error)"])
                    }
                }
                let wait = Backoff.wait(
                    after: failureCount, from: .milliseconds(50), to: Self.retryLimit)
                try? await Task.sleep(for: wait)
            }
        }
    }

    /// Publishes until a link breaks.
    private func publish(onProgress: () -> Void) async throws {
        let connection = try await PostgresConnection.connect(to: configuration)
        while try await !Leadership.take("publisher.events", on: connection) {
            try await Task.sleep(for: Self.retryLimit)
        }
        let log = await feed.log
        let bus = try await BusConnection.connect(to: busURL, logger: logger)
        let state = try await bus.makeStream(Self.configuration)
        // After that: whoever deletes the stream has begun a new epoch before.
        let source = try await EventHeaders(of: log)
        var position = Int64(state.lastSequence)
        try await checkHistory(of: log, upTo: position, source, bus)
        Self.published.record(position)
        Self.stopped.record(0)
        var lookedAt = ContinuousClock.now
        while !Task.isCancelled {
            let began = ContinuousClock.now
            let generation = await feed.generation
            let events = try await feed.events(after: position)
            // Events may come from a server that has taken the place of the one that history was checked with, and that
            // has lost some: but then this link is broken, and the leadership with it.
            try await connection.run("SELECT 1")
            guard let last = events.last else {
                if .now - lookedAt > Self.lookInterval {
                    lookedAt = .now
                    // Somebody may have deleted it, so that it is made anew.
                    let now = try await bus.state(ofStream: Self.stream).lastSequence
                    guard now == Int(position) else { return }
                }
                await feed.nextWake(since: generation)
                continue
            }
            precondition(events.first?.stored.position == position + 1, "a hole in the feed")
            var messages: [BusMessage] = []
            for event in events { messages.append(try await source.message(event, in: log)) }
            try await bus.publish(messages, after: Int(position))
            position = last.stored.position
            Trace.record(
                "publish \(Self.stream)", .producer, following: last.span,
                links: events.suffix(Trace.linkLimit).dropLast().map(\.span), since: began)
            Self.published.record(position)
            onProgress()
            try await Task.sleep(until: began + EventFeed.gatherInterval(after: events.count))
        }
    }
}

extension EventPublisher {
    /// The stream's last message must be the log's event at that position, or one of the two has
    /// another history, and nothing may be added to it.
    private func checkHistory(
        of log: EventLog, upTo position: Int64, _ source: EventHeaders, _ bus: BusConnection
    ) async throws {
        switch try await PublishedHistory(of: log, upTo: position, source, bus) {
        case .same: return
        case .ahead(let sequence, let head):
            throw StreamAheadError(stream: Self.stream, sequence: sequence, head: head)
        case .diverged(let position):
            throw StreamDivergedError(stream: Self.stream, position: position)
        case .ofOtherLog(let log): throw StreamOfOtherLogError(stream: Self.stream, log: log)
        }
    }
}

/// The stream holds another history of the log: that of before a restore.
public struct StreamDivergedError: Error, CustomStringConvertible {
    public let stream: String
    public let position: Int64

    public var description: String {
        """
        the stream \(stream) holds another event at \(position) than the log: it is that of before a \
        restore; nothing is published until this is resolved: quartermaster events reset-stream
        """
    }
}

/// The stream belongs to another log: one of the two addresses is wrong.
public struct StreamOfOtherLogError: Error, CustomStringConvertible {
    public let stream: String
    public let log: EntityID

    public var description: String {
        """
        the stream \(stream) belongs to another log, \(log): DATABASE_URL or NATS_URL is that of another \
        system; nothing is published there
        """
    }
}

/// The log has lost history that was published: somebody has to look before anything goes on.
public struct StreamAheadError: Error, CustomStringConvertible {
    public let stream: String
    public let sequence: Int64
    public let head: Int64

    public var description: String {
        """
        the stream \(stream) is at \(sequence), ahead of the log's head \(head): the log has lost \
        events that were published, perhaps by a restore to an earlier moment; nothing is published \
        until this is resolved: quartermaster events reset-stream
        """
    }
}

internal import Bus
public import Domain
public import EventLog
internal import JSON
public import Logging
public import Postgres
internal import ProjectionEngine
internal import Projections
public import ServiceLifecycle
internal import Trace

/// Publishes the rows that people watch live to the stream VIEWS, which keeps the last of each.
///
/// Only availability is watched; there is one subject for each sailing, and none for a booking. It
/// goes by the position of the rows, so what changed while NATS was away is published when it is back.
public struct ViewPublisher: Service {
    public static let stream = "VIEWS"
    public static let pageLimit = 500
    public static let retryLimit = Duration.seconds(2)
    public static let pollInterval = Duration.milliseconds(500)
    /// How often one that has nothing to publish looks whether the stream is what he knows.
    public static let lookInterval = Duration.seconds(5)
    /// How far apart two looks at the rows are: they change several times for one event.
    public static let gatherInterval = Duration.milliseconds(25)

    public static func subject(of sailing: SailingID) -> String {
        "views.availability.\(sailing)"
    }

    private let client: PostgresClient
    private let log: EventLog
    private let wakeups: Wakeups
    private let busURL: String
    private let configuration: PostgresConfiguration
    private let logger: Logger

    public typealias Wakeups = (
        stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation
    )

    /// `client` reads the rows, `log` what their events belong to. `wakeups` yields when rows may have changed; another
    /// process may change them too, so it also looks now and then.
    public init(
        _ client: PostgresClient, _ log: EventLog, wakeups: Wakeups, busURL: String,
        configuration: PostgresConfiguration, logger: Logger
    ) {
        self.client = client
        self.log = log
        self.wakeups = wakeups
        self.busURL = busURL
        self.configuration = configuration
        self.logger = logger
    }

    public func run() async throws {
        let poll = wakeups.continuation
        await cancelWhenGracefulShutdown {
            async let _: Void = {
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.pollInterval)
                    poll.yield()
                }
            }()
            var failureCount = 0
            while !Task.isCancelled {
                do {
                    try await publish { failureCount = 0 }
                } catch {
                    if !isTooEarly(error) {
                        failureCount += 1
                        if failureCount == 1, !Task.isCancelled {
                            logger.warning("not publishing", metadata: ["reason": "\(error)"])
                        }
                    }
                }
                let wait = Backoff.wait(
                    after: failureCount, from: .milliseconds(50), to: Self.retryLimit)
                try? await Task.sleep(for: wait)
            }
        }
    }

    /// Whether the tables to look at are still being made, as at the very first start: "undefined_table".
    private func isTooEarly(_ error: any Error) -> Bool {
        (error as? PostgresError)?.kind == .other(sqlState: "42P01")
    }

    private func publish(onProgress: () -> Void) async throws {
        let connection = try await PostgresConnection.connect(to: configuration)
        while try await !Leadership.take("publisher.views", on: connection) {
            try await Task.sleep(for: Self.retryLimit)
        }
        let bus = try await BusConnection.connect(to: busURL, logger: logger)
        let state = try await bus.makeStream(
            StreamConfiguration(
                name: Self.stream, subjects: ["views.>"], messagesPerSubjectLimit: 1))
        var sequence = state.lastSequence
        // What the last event changed may have been published in part: it is published once more. What is beyond the rows
        // was of a log that was restored since.
        let published = try await lastPosition(bus, at: sequence)
        let reached = try await client.run([SailingAvailability.reached])[0].integer(0, 0)
        var follower = SailingAvailability.Follower(
            from: published > Int64(reached) ? 0 : max(0, published - 1))
        var lookedAt = ContinuousClock.now
        var iterator = wakeups.stream.makeAsyncIterator()
        while !Task.isCancelled {
            let began = ContinuousClock.now
            let complete = try await client.run([SailingAvailability.complete])[0]
            follower.hear(of: Int64(complete.integer(0, 0)))
            let rows = try await client.run([
                SailingAvailability.changed(after: follower.position, limit: Self.pageLimit)
            ])[0]
            let views = SailingAvailability.views(rows)
            let correlations =
                views.isEmpty ? [:] : try await log.correlations(at: Set(views.map(\.position)))
            // One event may have changed more sailings than a run holds.
            for start in stride(from: 0, to: views.count, by: BusConnection.runLimit) {
                let run = views[start..<min(start + BusConnection.runLimit, views.count)]
                try await bus.publish(
                    run.map { message($0, correlations[$0.position]) }, after: sequence)
                sequence += run.count
            }
            follower.position = views.last?.position ?? follower.position
            if !views.isEmpty { onProgress() }
            // A full page is not all that there is.
            guard views.count < Self.pageLimit else { continue }
            if views.isEmpty, .now - lookedAt > Self.lookInterval {
                lookedAt = .now
                // Somebody may have deleted it, so that it is made anew.
                let now = try await bus.state(ofStream: Self.stream).lastSequence
                guard now == sequence else { return }
            }
            guard await iterator.next() != nil else { return }
            try await Task.sleep(until: began + Self.gatherInterval)
        }
    }

    /// The position that the stream's last message shows; 0 where there is none.
    private func lastPosition(_ bus: BusConnection, at sequence: Int) async throws -> Int64 {
        guard sequence > 0 else { return 0 }
        do throws(BusError) {
            let message = try await bus.message(at: sequence, ofStream: Self.stream)
            return message.header("Quartermaster-Position").flatMap { Int64($0) } ?? 0
        } catch {
            guard error.kind == .notFound else { throw error }
            return 0
        }
    }

    /// Belongs to the trace of the last event that changed the row.
    private func message(_ view: SailingView, _ correlation: PostgresUUID?) -> BusMessage {
        let span = correlation.map { id in
            TraceParent(
                correlation: EntityID(high: id.high, low: id.low), position: view.position)
        }
        return BusMessage(
            subject: Self.subject(of: view.sailing),
            headers: [
                ("content-type", "application/json"),
                ("Quartermaster-Position", String(view.position)),
            ] + (span.map { [("traceparent", $0.description)] } ?? []),
            payload: JSONWriter.write { view.write(to: &$0) })
    }
}

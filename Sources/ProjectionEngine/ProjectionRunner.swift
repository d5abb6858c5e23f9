internal import Domain
internal import EventCodec
internal import EventLog
public import Logging
internal import Metrics
public import Postgres
public import ServiceLifecycle
internal import Synchronization
internal import Trace
internal import Tracing

/// Keeps one read model up to date, as its one leader among all processes.
///
/// Rows and checkpoint are written in one transaction, so each event is reflected exactly once. A
/// projection that fails on an event stops there and says why; it holds up no other.
public struct ProjectionRunner<Model: ReadModel>: Service {
    private let feed: EventFeed
    private let configuration: PostgresConfiguration
    private let logger: Logger
    /// Called after each batch, with the position reached.
    private let onAdvance: @Sendable (Int64) -> Void
    private let table: ReadModelTable<Model>

    /// How often one that is not the leader asks again, and one that stopped tries again.
    public static var retryInterval: Duration { .seconds(1) }
    /// Rows kept in memory, because this leader is the only one who writes them.
    public static var rowLimit: Int { 4096 }

    /// The connection is the leader's own: the lock lives as long as it does.
    public init(
        _ model: Model.Type, feed: EventFeed, configuration: PostgresConfiguration, logger: Logger,
        onAdvance: @escaping @Sendable (Int64) -> Void = { _ in }
    ) {
        self.init(ReadModelTable(), feed, configuration, logger, onAdvance)
    }

    /// Keeps any table of the read model up to date; one that was kept, for as long as it is.
    init(
        _ table: ReadModelTable<Model>, _ feed: EventFeed, _ configuration: PostgresConfiguration,
        _ logger: Logger, _ onAdvance: @escaping @Sendable (Int64) -> Void = { _ in }
    ) {
        self.table = table
        self.feed = feed
        self.configuration = configuration
        self.onAdvance = onAdvance
        var logger = logger
        logger[metadataKey: "projection"] = "\(table.plainName)"
        self.logger = logger
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var failureCount = 0
            while !Task.isCancelled {
                do {
                    guard try await lead() else { return }
                    failureCount = 0
                } catch {
                    failureCount += 1
                    if !Task.isCancelled {
                        logger.warning("will try again", metadata: ["reason": "\(error)"])
                    }
                }
                let wait = Backoff.wait(
                    after: failureCount, from: .milliseconds(50), to: Self.retryInterval)
                try? await Task.sleep(for: wait)
            }
        }
    }

    /// Becomes the leader, or waits until it is needed, and then projects until the link breaks. False when
    /// there is nothing to lead any more.
    private func lead() async throws -> Bool {
        let connection = try await PostgresConnection.connect(to: configuration)
        while try await !Leadership.take(table.plainName, on: connection) {
            try await Task.sleep(for: Self.retryInterval)
        }
        guard var checkpoint = try await begin(on: connection) else { return false }
        var skips = try await Skips.load(from: feed.log)
        var memory = RowMemory<Model>()
        var stoppedAt: Int64?
        var lookedAt = ContinuousClock.now
        logger.debug("leading", metadata: ["position": "\(checkpoint.position)"])
        while !Task.isCancelled {
            let began = ContinuousClock.now
            let generation = await feed.generation
            let events = try await feed.events(after: checkpoint.position)
            guard let last = events.last else {
                if .now - lookedAt > Self.retryInterval {
                    lookedAt = .now
                    try await checkpoint.checkLead(on: connection)
                }
                await feed.nextWake(since: generation)
                continue
            }
            precondition(events.first?.position == checkpoint.position + 1, "a hole in the feed")
            do {
                let (wanted, fault) = ProjectionFault.wanted(
                    by: Model.self, of: events, without: skips)
                if memory.count > Self.rowLimit { memory.removeAll() }
                // What stands before an event that can't be read is projected all the same.
                let reached = fault?.position.map { $0 - 1 } ?? last.position
                var isIdle = true
                if reached > checkpoint.position {
                    isIdle = try await !project(
                        wanted, to: reached, &checkpoint, &memory, on: connection)
                    Trace.record(
                        "project \(table.plainName)", .consumer, following: last.span,
                        links: events.suffix(Trace.linkLimit).dropLast().map(\.span),
                        since: began)
                }
                if let fault { throw fault }
                Gauge(
                    label: "quartermaster_projection_position",
                    dimensions: [("projection", table.plainName)]
                )
                .record(last.position)
                onAdvance(last.position)
                try await Task.sleep(
                    until: began
                        + EventFeed.gatherInterval(after: events.count, isIdle: isIdle))
            } catch let error as ProjectionFault {
                try await stop(checkpoint, because: error, &stoppedAt, on: connection)
                memory.removeAll()
                try await Task.sleep(for: Self.retryInterval)
                // Somebody may have decided meanwhile that it goes on without the event.
                skips = try await Skips.load(from: feed.log)
            }
        }
        return true
    }

    /// Says where it stands still and why; in the log once, however often it is tried again.
    private func stop(
        _ checkpoint: ProjectionCheckpoint, because fault: ProjectionFault,
        _ stoppedAt: inout Int64?, on connection: PostgresConnection
    ) async throws {
        guard let position = fault.position else { throw fault }
        if stoppedAt != position {
            stoppedAt = position
            logger.error(
                "stopped", metadata: ["reason": "\(fault)", "position": "\(position)"])
        }
        try await checkpoint.stop(at: position, because: fault.description, on: connection)
    }

    /// Begins to lead. A table of an older version is built anew first; one of a newer is left alone,
    /// for it belongs to the program that replaces this one.
    private func begin(on connection: PostgresConnection) async throws -> ProjectionCheckpoint? {
        do {
            return try await ProjectionCheckpoint.lead(table, on: connection)
        } catch let error as ProjectionVersionError {
            guard error.stored < error.expected, table.generation == .live else {
                // Nobody goes on with it until somebody has decided which version it is to be of.
                try await ProjectionCheckpoint.stop(
                    table.plainName, because: error.description, on: connection)
                throw error
            }
            logger.notice("building it anew", metadata: ["version": "\(error.expected)"])
            let outcome = try await buildAnew(on: connection)
            if outcome?.end == .paused || outcome?.end == .cancelled {
                logger.notice("is not built anew until somebody asks for it")
                return try await waitForRebuild(on: connection)
            }
            return try await ProjectionCheckpoint.lead(table, on: connection)
        }
    }

    /// Where an event stops it, that is told of the table that it was to replace.
    private func buildAnew(on connection: PostgresConnection) async throws -> Rebuild.Outcome? {
        let told = ProgressLog(logger)
        let rebuild = Rebuild([Model.self], from: await feed.log, configuration: configuration)
        do {
            return try await rebuild.run { told.take($0) }.first
        } catch {
            try await tell(of: error, on: connection)
            throw error
        }
    }

    private func tell(
        of error: any Error, on connection: PostgresConnection
    ) async throws(PostgresError) {
        guard let fault = error as? ProjectionFault, let position = fault.position else { return }
        try await ProjectionCheckpoint.stop(
            table.plainName, at: position, because: fault.description, on: connection)
    }

    /// An operator has stopped the building of the new version: what he builds is led when it is there.
    private func waitForRebuild(
        on connection: PostgresConnection
    ) async throws -> ProjectionCheckpoint? {
        while true {
            try await Task.sleep(for: Self.retryInterval)
            do {
                return try await ProjectionCheckpoint.lead(table, on: connection)
            } catch is ProjectionVersionError {
                continue
            }
        }
    }

    /// True when a row has changed. Where a batch can't be written it is written event by event, so that the one stops it
    /// that has to, and what stands before that is there.
    private func project(
        _ events: [ProjectedEvent], to position: Int64, _ checkpoint: inout ProjectionCheckpoint,
        _ memory: inout RowMemory<Model>, on connection: PostgresConnection
    ) async throws(ProjectionFault) -> Bool {
        do throws(ProjectionFault) {
            return try await write(events, to: position, &checkpoint, &memory, on: connection)
        } catch {
            guard error.position != nil, events.count > 1 else { throw error }
            memory.removeAll()
            for event in events {
                _ = try await write(
                    [event], to: event.position, &checkpoint, &memory, on: connection)
            }
            if position > checkpoint.position {
                _ = try await write([], to: position, &checkpoint, &memory, on: connection)
            }
            return true
        }
    }

    private func write(
        _ events: [ProjectedEvent], to position: Int64, _ checkpoint: inout ProjectionCheckpoint,
        _ memory: inout RowMemory<Model>, on connection: PostgresConnection
    ) async throws(ProjectionFault) -> Bool {
        do throws(PostgresError) {
            let missing = Model.missing(for: events, in: &memory)
            if !missing.isEmpty {
                memory.take(try await connection.run([table.load(missing)])[0])
            }
            Model.fold(into: &memory)
            let changes = Model.takeChanges(of: &memory)
            let advance = checkpoint.advance(to: position)
            _ = try await connection.run([advance] + table.write(changes))
            checkpoint.position = position
            return !changes.isEmpty
        } catch {
            throw ProjectionFault(writing: events, error)
        }
    }
}

/// Writes now and then how far a table is that is built anew.
private final class ProgressLog: Sendable {
    private static let interval = Duration.seconds(5)

    private let logger: Logger
    private let told = Mutex(ContinuousClock.now)

    init(_ logger: Logger) {
        self.logger = logger
    }

    func take(_ progress: Rebuild.Progress) {
        let isDue = told.withLock { told in
            guard .now - told > Self.interval else { return false }
            told = .now
            return true
        }
        guard isDue else { return }
        logger.notice(
            "building it anew",
            metadata: [
                "step": "\(progress.step)", "position": "\(progress.position)",
                "head": "\(progress.head)",
            ])
    }
}

/// Why a projection can't go on.
public struct ProjectionFault: Error, CustomStringConvertible {
    /// The event it stopped at; nil when it is no event's fault.
    public let position: Int64?
    public let description: String

    /// The link, a new leader, or a server that can't write now is nobody's fault; anything else is laid at the
    /// batch's first event.
    init(writing events: [ProjectedEvent], _ error: PostgresError) {
        let isTransient =
            switch error.kind {
            case .retryable, .timedOut, .other(sqlState: "QM001"): true
            default: error.isConnectionFault || error.isServersFault
            }
        position = isTransient ? nil : events.first?.position
        description = error.description
    }

    init(position: Int64, description: String) {
        self.position = position
        self.description = description
    }

    /// The events that a read model folds, up to the first of them that can't be read.
    static func wanted<Model: ReadModel>(
        by model: Model.Type, of events: some Sequence<SourceEvent>, without skips: Skips
    ) -> (events: [ProjectedEvent], fault: ProjectionFault?) {
        let types = Model.types
        var wanted: [ProjectedEvent] = []
        for source in events where !skips.contains(source.position, of: Model.name) {
            switch source.event {
            case .success(let event):
                if types.contains(event.type) { wanted.append(event) }
            case .failure(let error):
                // Nobody knows whether it wants an event of a type that nobody knows.
                let type = EventType(rawValue: source.type)
                guard type.map({ types.contains($0) }) ?? true else { continue }
                let fault = ProjectionFault(
                    position: source.position, description: error.description)
                return (wanted, fault)
            }
        }
        return (wanted, nil)
    }
}

/// One leader for each name, among all processes: a lock that lives as long as its connection.
public enum Leadership {
    /// True when this connection has the lock now.
    public static func take(
        _ name: String, on connection: PostgresConnection
    ) async throws(PostgresError) -> Bool {
        try await connection.run(
            "SELECT pg_try_advisory_lock(hashtextextended('quartermaster.' || $1::text, 0))",
            [.text(name)]
        ).bool(0, 0)
    }
}

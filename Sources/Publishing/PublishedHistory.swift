internal import Bus
public import Domain
public import EventLog
public import Logging

/// How the stream EVENTS stands to the log.
public enum PublishedHistory: Hashable, Sendable {
    /// It is the log, up to a position; 0 for an empty one.
    case same(upTo: Int64)
    /// It goes beyond the log's head: the log has lost events that were published.
    case ahead(sequence: Int64, head: Int64)
    /// It holds another event at its end than the log.
    case diverged(at: Int64)
    /// It was published from another log.
    case ofOtherLog(EntityID)

    /// Asks the bus and the log. Throws what the bus says when it can't be reached.
    public init(of log: EventLog, busURL: String, logger: Logger) async throws {
        let bus = try await BusConnection.connect(to: busURL, logger: logger)
        try await self.init(
            of: log, upTo: try await Self.lastSequence(bus), try await EventHeaders(of: log), bus)
    }

    init(
        of log: EventLog, upTo position: Int64, _ source: EventHeaders, _ bus: BusConnection
    ) async throws {
        self = .same(upTo: position)
        guard position > 0 else { return }
        let published = try await bus.message(at: Int(position), ofStream: EventPublisher.stream)
        if let other = source.otherLog(of: published) {
            self = .ofOtherLog(other)
            return
        }
        let head = try await log.head()
        guard position <= head else {
            self = .ahead(sequence: position, head: head)
            return
        }
        let event = try await log.read(position...position).first
        if !(event.map { source.isSame(published, $0) } ?? false) { self = .diverged(at: position) }
    }

    /// The first position at which the stream holds something else than the log, or one of the two holds nothing, and
    /// the epoch of the stream's last message. What is the same up to somewhere is the same before.
    public static func firstDifference(
        of log: EventLog, busURL: String, logger: Logger
    ) async throws -> (position: Int64, publishedEpoch: Int) {
        let bus = try await BusConnection.connect(to: busURL, logger: logger)
        let last = try await lastSequence(bus)
        let source = try await EventHeaders(of: log)
        var (same, other) = (Int64(0), min(last, try await log.head()) + 1)
        while other - same > 1 {
            let middle = same + (other - same) / 2
            let published = try await bus.message(at: Int(middle), ofStream: EventPublisher.stream)
            let event = try await log.read(middle...middle).first
            let isSame = event.map { source.isSame(published, $0) } ?? false
            if isSame { same = middle } else { other = middle }
        }
        guard last > 0 else { return (other, 1) }
        let message = try await bus.message(at: Int(last), ofStream: EventPublisher.stream)
        return (other, message.header(EventHeaders.epoch).flatMap { Int($0) } ?? 1)
    }

    /// 0 where nobody has made the stream: who asks does not.
    private static func lastSequence(_ bus: BusConnection) async throws(BusError) -> Int64 {
        do {
            return Int64(try await bus.state(ofStream: EventPublisher.stream).lastSequence)
        } catch {
            guard error.kind == .notFound else { throw error }
            return 0
        }
    }

    /// Deletes the streams EVENTS and VIEWS: whoever publishes makes them anew and publishes the whole log.
    public static func deleteStreams(busURL: String, logger: Logger) async throws {
        let bus = try await BusConnection.connect(to: busURL, logger: logger)
        for stream in [EventPublisher.stream, ViewPublisher.stream] {
            do throws(BusError) {
                try await bus.deleteStream(stream)
            } catch {
                // Of one that was cut off half-way.
                guard error.kind == .notFound else { throw error }
            }
        }
    }
}

internal import Bus
internal import Domain
internal import EventCodec
public import EventLog
public import Logging

/// The stream EVENTS, read from its beginning beside the log, to be held against it.
public actor PublishedEvents {
    private static let batchSize = 500
    private static let waitMilliseconds: Int64 = 2_000
    private static let attemptLimit = 3

    private let bus: BusConnection
    private let consumer: StreamConsumer
    private let source: EventHeaders
    private let log: EventLog
    /// The position that the stream had reached when the reading began.
    public nonisolated let head: Int64
    private var page: [Delivery] = []
    private var next = 0
    private var taken = 0

    /// Throws what the bus says when it can't be reached, or has no such stream.
    public init(_ log: EventLog, busURL: String, logger: Logger) async throws {
        self.log = log
        source = try await EventHeaders(of: log)
        bus = try await BusConnection.connect(to: busURL, logger: logger)
        head = Int64(try await bus.state(ofStream: EventPublisher.stream).lastSequence)
        consumer = try await StreamConsumer(
            of: EventPublisher.stream, subject: EventPublisher.subjectPrefix + ".>", durable: nil,
            on: bus)
    }

    /// What is wrong with the messages of these events, which follow on those asked for before; each fault
    /// with its position.
    public func faults(in events: [LoggedEvent]) async throws -> [(position: Int64, reason: String)]
    {
        var faults: [(position: Int64, reason: String)] = []
        for event in events where event.position <= head {
            guard let delivery = try await nextDelivery(),
                delivery.sequence == event.position
            else {
                return faults + [(event.position, "EVENTS lacks it")]
            }
            let message = delivery.message
            let known = EventType(rawValue: event.type)?.name
            let name = if let known { known } else { try await log.words(at: event.position).type }
            let isSame =
                message.subject == "\(EventPublisher.subjectPrefix).\(name)"
                && source.isSame(message, event)
            if !isSame { faults.append((event.position, "EVENTS has another event there")) }
        }
        return faults
    }

    /// The next message after the last one: what was taken before may be sent once more.
    private func nextDelivery() async throws -> Delivery? {
        while true {
            if next == page.count {
                next = 0
                // A server that is busy, or a link that is mended just now, says nothing for a while.
                for _ in 0..<Self.attemptLimit {
                    page = try await consumer.fetch(
                        limit: Self.batchSize, waitMilliseconds: Self.waitMilliseconds)
                    guard page.isEmpty else { break }
                }
                guard !page.isEmpty else { return nil }
                for delivery in page { consumer.acknowledge(delivery) }
            }
            next += 1
            let delivery = page[next - 1]
            guard delivery.sequence > taken else { continue }
            taken = delivery.sequence
            return delivery
        }
    }
}

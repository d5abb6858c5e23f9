internal import Bus
internal import Domain
internal import EventCodec
internal import EventLog
internal import Postgres
internal import ProjectionEngine
internal import Trace

/// Makes CloudEvents 1.0 of events, in binary mode: attributes are headers, data is the payload.
///
/// Source: CloudEvents 1.0, NATS protocol binding, section 3.1.
struct EventHeaders: Sendable {
    static let epoch = "Quartermaster-Epoch"

    private static let source = "ce-source"
    private static let sourcePrefix = "urn:uuid:"

    private let logID: EntityID
    /// Where epochs after the first have begun.
    private let epochs: [(start: Int64, number: Int)]

    init(of log: EventLog) async throws(PostgresError) {
        let id = try await log.identity()
        logID = EntityID(high: id.high, low: id.low)
        let item = QueryItem(types: [EventType.logEpochBegun.rawValue], tags: [id])
        epochs = try await log.read(item).events.compactMap { stored in
            let event = try? EventCodec.decode(
                type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data)
            guard case .logEpochBegun(let fact) = event else { return nil }
            return (fact.from ?? stored.position, fact.epoch)
        }
    }

    func epoch(at position: Int64) -> Int {
        epochs.reduce(1) { $1.start <= position ? max($0, $1.number) : $0 }
    }

    /// What this program can't read is published as well, in the log's own words: others may know it.
    func message(_ source: SourceEvent, in log: EventLog) async throws(PostgresError) -> BusMessage
    {
        guard let event = try? source.event.get().event else {
            let words = try await log.words(at: source.stored.position)
            let tags = words.tags.map { EntityID(high: $0.high, low: $0.low) }
            return message(source, words.type, tags)
        }
        return message(source, event.type.name, event.tags)
    }

    private func message(_ source: SourceEvent, _ name: String, _ tags: [EntityID]) -> BusMessage {
        let stored = source.stored
        return BusMessage(
            subject: "\(EventPublisher.subjectPrefix).\(name)",
            headers: [
                ("ce-specversion", "1.0"),
                ("ce-id", eventID(at: stored.position).description),
                (Self.source, "\(Self.sourcePrefix)\(logID)"),
                ("ce-type", "quartermaster.\(name).v\(stored.schemaVersion)"),
                ("ce-time", Instant(microseconds: stored.recordedAt).description),
                ("ce-correlationid", id(stored.correlationID)),
                ("traceparent", source.span.description),
                ("ce-entities", tags.map(\.description).joined(separator: ",")),
                ("content-type", "application/json"),
                ("Quartermaster-Position", String(stored.position)),
                (Self.epoch, String(epoch(at: stored.position))),
            ],
            payload: stored.data)
    }

    /// Whether a message is what is published of an event.
    func isSame(_ message: BusMessage, _ event: LoggedEvent) -> Bool {
        message.payload == event.data
            && message.header("ce-id") == eventID(at: event.position).description
            && message.header("ce-time") == Instant(microseconds: event.recordedAt).description
    }

    /// The log that a message was published from, where that is another one.
    func otherLog(of message: BusMessage) -> EntityID? {
        guard let text = message.header(Self.source), text.hasPrefix(Self.sourcePrefix),
            let id = EntityID(text.dropFirst(Self.sourcePrefix.count)), id != logID
        else { return nil }
        return id
    }

    /// Derived from the log, the epoch and the position, so it needs no column and never differs; and what was
    /// published and then lost is not taken for what stands in its place.
    func eventID(at position: Int64) -> EntityID {
        EntityID(
            customHigh: logID.high &+ UInt64(epoch(at: position) - 1),
            low: logID.low &+ UInt64(bitPattern: position))
    }

    private func id(_ uuid: PostgresUUID) -> String {
        EntityID(high: uuid.high, low: uuid.low).description
    }
}

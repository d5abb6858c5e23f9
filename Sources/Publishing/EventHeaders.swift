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
    private let logID: EntityID
    /// Where epochs after the first have begun, in order.
    private let epochStarts: [Int64]

    init(of log: EventLog) async throws(PostgresError) {
        let id = try await log.identity()
        logID = EntityID(high: id.high, low: id.low)
        let item = QueryItem(types: [EventType.logEpochBegun.rawValue], tags: [id])
        epochStarts = try await log.read(item).events.map(\.position)
    }

    private func epoch(at position: Int64) -> Int {
        1 + epochStarts.count { $0 <= position }
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
                ("ce-source", "urn:uuid:\(logID)"),
                ("ce-type", "quartermaster.\(name).v\(stored.schemaVersion)"),
                ("ce-time", Instant(microseconds: stored.recordedAt).description),
                ("ce-correlationid", id(stored.correlationID)),
                ("traceparent", source.span.description),
                ("ce-entities", tags.map(\.description).joined(separator: ",")),
                ("content-type", "application/json"),
                ("Quartermaster-Position", String(stored.position)),
                ("Quartermaster-Epoch", String(epoch(at: stored.position))),
            ],
            payload: stored.data)
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

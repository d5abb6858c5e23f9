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

    func message(_ source: SourceEvent) throws(EventCodecError) -> BusMessage {
        let stored = source.stored
        let event = try source.event.get().event
        let name = event.type.name
        let tags = event.tags.map(\.description).joined(separator: ",")
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
                ("ce-entities", tags),
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

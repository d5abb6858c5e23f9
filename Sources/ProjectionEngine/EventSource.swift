internal import Domain
public import EventCodec
public import EventLog
internal import Postgres
internal import Sealing

/// An event as it came from the log, read as far as it can be.
public struct SourceEvent: Sendable {
    public var stored: LoggedEvent
    /// A failure is the business of those only who want events of this type.
    public var event: Result<ProjectedEvent, EventCodecError>

    var position: Int64 { stored.position }
    var type: Int16 { stored.type }
}

/// Reads events of the log for folds: decoded, and with contacts opened where that is wanted.
struct EventSource: Sendable {
    let log: EventLog

    /// The events after `position`, in order, at most `limit` of them.
    func read(
        after position: Int64, limit: Int, opensContacts: Bool
    ) async throws(PostgresError) -> [SourceEvent] {
        try await decoded(
            try await log.read(after: position, limit: limit), opensContacts: opensContacts)
    }

    func decoded(
        _ stored: some Collection<LoggedEvent> & Sendable, opensContacts: Bool
    ) async throws(PostgresError) -> [SourceEvent] {
        var events = stored.map(decode)
        if opensContacts { try await openContacts(in: &events) }
        return events
    }

    private func decode(_ stored: LoggedEvent) -> SourceEvent {
        let event: Result<ProjectedEvent, EventCodecError>
        do throws(EventCodecError) {
            event = .success(
                ProjectedEvent(
                    position: stored.position,
                    recordedAt: Instant(microseconds: stored.recordedAt),
                    event: try EventCodec.decode(
                        type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data),
                    contact: nil))
        } catch {
            event = .failure(error)
        }
        return SourceEvent(stored: stored, event: event)
    }

    private func openContacts(in events: inout [SourceEvent]) async throws(PostgresError) {
        let customers = events.compactMap { $0.placed?.customer }
        guard !customers.isEmpty else { return }
        let keys = try await log.customerKeys(
            of: customers.map { PostgresUUID(high: $0.entity.high, low: $0.entity.low) })
        for index in events.indices {
            guard let placed = events[index].placed,
                case .success(var event) = events[index].event
            else { continue }
            let id = placed.customer.entity
            let key = keys[PostgresUUID(high: id.high, low: id.low)].flatMap(
                CustomerKey.init(bytes:))
            event.contact = key?.open(placed.contact, of: placed.customer)
            events[index].event = .success(event)
        }
    }
}

extension SourceEvent {
    fileprivate var placed: BookingPlaced? {
        guard case .success(let projected) = event, case .bookingPlaced(let fact) = projected.event
        else { return nil }
        return fact
    }
}

internal import Domain
public import EventCodec
public import EventLog
internal import Postgres
internal import Sealing

/// An event as it came from the log, read as far as it can be. Shared like ``ProjectedEvent``.
public final class SourceEvent: Sendable {
    public let stored: LoggedEvent
    /// A failure is the business of those only who want events of this type.
    public let event: Result<ProjectedEvent, EventCodecError>

    var position: Int64 { stored.position }
    var type: Int16 { stored.type }

    /// Contacts are opened as far as their customers' keys are there.
    init(
        _ stored: LoggedEvent, _ event: Result<Event, EventCodecError>,
        keys: [PostgresUUID: [UInt8]]
    ) {
        self.stored = stored
        self.event = event.map { event in
            let (contact, note) = event.opened(with: keys)
            return ProjectedEvent(
                position: stored.position,
                recordedAt: Instant(microseconds: stored.recordedAt), event: event,
                contact: contact, note: note)
        }
    }
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
        let events = stored.map { ($0, decode($0)) }
        let keys = opensContacts ? try await keys(of: events.compactMap { $1.customer }) : [:]
        return events.map { SourceEvent($0, $1, keys: keys) }
    }

    private func decode(_ stored: LoggedEvent) -> Result<Event, EventCodecError> {
        do throws(EventCodecError) {
            return .success(
                try EventCodec.decode(
                    type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data))
        } catch {
            return .failure(error)
        }
    }

    private func keys(
        of customers: [CustomerID]
    ) async throws(PostgresError) -> [PostgresUUID: [UInt8]] {
        guard !customers.isEmpty else { return [:] }
        return try await log.customerKeys(of: customers.map(PostgresUUID.init))
    }
}

extension Result<Event, EventCodecError> {
    fileprivate var customer: CustomerID? {
        guard case .success(let event) = self else { return nil }
        return event.sealedFor
    }
}

extension Event {
    /// The customer with whose key something in the event is sealed.
    fileprivate var sealedFor: CustomerID? {
        switch self {
        case .bookingPlaced(let fact): fact.customer
        case .contactChanged(let fact): fact.customer
        case .staffNoteWritten(let fact): fact.customer
        default: nil
        }
    }

    /// Whether these keys are all that is needed to open what the event may have sealed.
    func needsNoKey(beyond keys: [PostgresUUID: [UInt8]]) -> Bool {
        sealedFor.map { keys[PostgresUUID($0)] != nil } ?? true
    }

    fileprivate func opened(with keys: [PostgresUUID: [UInt8]]) -> (
        contact: Contact?, note: String?
    ) {
        guard let customer = sealedFor,
            let key = keys[PostgresUUID(customer)].flatMap(CustomerKey.init(bytes:))
        else { return (nil, nil) }
        switch self {
        case .bookingPlaced(let fact): return (key.open(fact.contact, of: customer), nil)
        case .contactChanged(let fact): return (key.open(fact.contact, of: customer), nil)
        case .staffNoteWritten(let fact): return (nil, key.openNote(fact.note, of: customer))
        default: return (nil, nil)
        }
    }
}

extension PostgresUUID {
    fileprivate init(_ customer: CustomerID) {
        self.init(high: customer.entity.high, low: customer.entity.low)
    }
}

internal import Domain
public import EventCodec
public import EventLog
public import Postgres
internal import Sealing
public import Trace

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
        self.event = event.map { ProjectedEvent($0, stored.position, stored.recordedAt, keys) }
    }
}

extension SourceEvent {
    /// The span that has appended the event.
    public var span: TraceParent {
        let id = stored.correlationID
        return TraceParent(
            correlation: EntityID(high: id.high, low: id.low), position: stored.position)
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
        _ stored: [LoggedEvent], opensContacts: Bool
    ) async throws(PostgresError) -> [SourceEvent] {
        var events = stored.map { stored in
            Result { () throws(EventCodecError) in
                try EventCodec.decode(
                    type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data)
            }
        }
        var named: [Int16: EventCodecError] = [:]
        for (index, event) in events.enumerated() {
            guard case .failure(let error) = event else { continue }
            events[index] = .failure(try await name(error, stored[index].content, &named))
        }
        let customers = opensContacts ? events.compactMap { try? $0.get().sealedFor } : []
        let keys = try await keys(of: customers)
        return zip(stored, events).map { SourceEvent($0, $1, keys: keys) }
    }

    /// The same for a read model that is built: nothing is kept but what folds need.
    func page(
        _ stored: [EventContent], upTo end: Int64, opensContacts: Bool
    ) async throws(PostgresError) -> EventPage {
        var page = EventPage(end: end)
        var events: [(index: Int, event: Event)] = []
        events.reserveCapacity(stored.count)
        var customers: [CustomerID] = []
        var named: [Int16: EventCodecError] = [:]
        for (index, stored) in stored.enumerated() {
            do throws(EventCodecError) {
                let event = try EventCodec.decode(
                    type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data)
                if opensContacts, let customer = event.sealedFor { customers.append(customer) }
                events.append((index, event))
            } catch {
                let error = try await name(error, stored, &named)
                page.unreadable.append((stored.position, stored.type, error.description))
            }
        }
        let keys = try await keys(of: customers)
        page.events = events.map { index, event in
            ProjectedEvent(event, stored[index].position, stored[index].recordedAt, keys)
        }
        return page
    }

    /// With the name of a type that nobody knows, for which the log is asked once a page.
    private func name(
        _ error: EventCodecError, _ event: EventContent, _ named: inout [Int16: EventCodecError]
    ) async throws(PostgresError) -> EventCodecError {
        guard case .unknownType = error.kind else { return error }
        if let known = named[event.type] { return known }
        let known = try await error.named(in: log, at: event.position)
        named[event.type] = known
        return known
    }

    private func keys(
        of customers: [CustomerID]
    ) async throws(PostgresError) -> [PostgresUUID: [UInt8]] {
        guard !customers.isEmpty else { return [:] }
        return try await log.customerKeys(of: customers.map(PostgresUUID.init))
    }
}

extension EventCodecError {
    /// The same, with the name of a type of which the program knows none: the log has it.
    public func named(
        in log: EventLog, at position: Int64
    ) async throws(PostgresError) -> EventCodecError {
        guard case .unknownType(let type, nil) = kind else { return self }
        let name = try await log.words(at: position).type
        return EventCodecError(kind: .unknownType(type, name: name.isEmpty ? nil : name))
    }
}

extension ProjectedEvent {
    /// Opens what is sealed in the event, as far as the keys are there.
    fileprivate convenience init(
        _ event: Event, _ position: Int64, _ recordedAt: Int64, _ keys: [PostgresUUID: [UInt8]]
    ) {
        let (contact, note) = keys.isEmpty ? (nil, nil) : event.opened(with: keys)
        self.init(
            position: position, recordedAt: Instant(microseconds: recordedAt), event: event,
            contact: contact, note: note)
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

internal import Domain
internal import EventCodec
internal import EventLog
internal import Hummingbird
internal import JSON
internal import Postgres
internal import Web

/// What became of one thing: who did what, when, and what was so before and after.
extension QueryAPI {
    /// Events that one answer looks back over.
    static let timelineLimit = 1000

    var timelineOperations: [Operation] {
        [
            Operation("showTimeline", .get, "/v1/timeline/{entity}", for: .books) {
                request, context in
                try await timeline(request, context)
            }
        ]
    }

    /// Straight from the log: it is what the log says, whatever the read models have come to.
    private func timeline(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.allowQuery(only: "after", "limit", "min-position")
        let reached = try await reached(request)
        let subjects = try await subjects(context.parameters.get("entity") ?? "")
        let limit =
            try request.query("limit", in: 1...Self.timelineLimit) ?? Self.timelineLimit
        let after = try request.query("after", in: 0...Int(Int64.max)) ?? 0
        let (entries, position) = try await entries(
            ofFirstKnown: subjects, after: Int64(after), limit: limit + 1, reached)
        let shown = entries.prefix(limit)
        return answer(position: position) { json in
            json.field("events", shown) { json, entry in json.object { entry.write(to: &$0) } }
            json.field("next", entries.count > limit ? shown.last?.position : nil)
        }
    }

    /// What somebody may mean: a thing by its id, a booking by its code, a discount or access code by its letters.
    private func subjects(_ text: String) async throws(Problem) -> [EntityID] {
        if let entity = EntityID(text) { return [entity] }
        var subjects: [EntityID] = []
        if let code = ConfirmationCode(text) {
            let tag = PostgresUUID(high: code.entity.high, low: code.entity.low)
            do throws(PostgresError) {
                let placed = try await EventLog(client).read(QueryItem(types: [], tags: [tag]))
                subjects += placed.events.compactMap(\.decoded?.concernedBooking?.entity)
            } catch {
                throw .unavailable("the log can't be read now")
            }
        }
        return subjects + [.discount, .access].compactMap { SalesCode($0, text)?.entity }
    }

    private func entries(
        ofFirstKnown subjects: [EntityID], after: Int64, limit: Int, _ reached: Int64
    ) async throws(Problem) -> (entries: [Timeline.Entry], position: Int64) {
        for subject in subjects {
            if let found = try await entries(of: subject, after: after, limit: limit) {
                return found
            }
        }
        throw .notFound("entity").at(reached)
    }

    /// The events before are read as well: only they know what a field was before.
    private func entries(
        of entity: EntityID, after: Int64, limit: Int
    ) async throws(Problem) -> (entries: [Timeline.Entry], position: Int64)? {
        let log = EventLog(client)
        let item = QueryItem(types: [], tags: [PostgresUUID(high: entity.high, low: entity.low)])
        var timeline = Timeline()
        var entries: [Timeline.Entry] = []
        var (reached, isKnown) = (Int64(0), false)
        do throws(PostgresError) {
            while true {
                let (events, position) = try await log.read(item, after: reached)
                isKnown = isKnown || !events.isEmpty
                entries += events.map { timeline.entry(of: $0) }.filter { $0.position > after }
                reached = position
                if events.count < EventLog.readLimit || entries.count >= limit {
                    break
                }
            }
        } catch {
            throw .unavailable("the log can't be read now")
        }
        return isKnown ? (entries, reached) : nil
    }
}

/// Looks back over the events of one thing, oldest first.
private struct Timeline {
    /// What is sealed is not shown: it may be somebody's who is forgotten.
    private static let sealed: Set<String> = ["contact", "note"]
    /// What a change of an order had before stands with the order that it was before.
    private static let unshown = sealed.union(["before"])
    /// What a field is of: an event about a sailing may be about one of its ticket types, and a sailing's timeline has
    /// the events of its bookings as well.
    private struct Field: Hashable {
        var subject: EntityID?
        var ticketType: ArraySlice<UInt8>?
        var name: String
    }

    /// The value that each field had last.
    private var values: [Field: ArraySlice<UInt8>] = [:]

    struct Entry {
        var position: Int64
        var recordedAt: Instant
        var actor: String
        var type: String
        var changes: [(field: String, before: ArraySlice<UInt8>?, after: ArraySlice<UInt8>)]

        func write(to json: inout JSONWriter) {
            json.field("position", position)
            json.field("at", recordedAt)
            json.field("actor", actor)
            json.field("type", type)
            json.field("changes", changes) { json, change in
                json.object { json in
                    json.field("field", change.field)
                    json.name("before")
                    if let before = change.before { json.value(json: before) } else { json.null() }
                    json.name("after")
                    json.value(json: change.after)
                }
            }
        }
    }

    /// An event with the fields that it gives another value than the events before it.
    mutating func entry(of event: LoggedEvent) -> Entry {
        var changes: [(field: String, before: ArraySlice<UInt8>?, after: ArraySlice<UInt8>)] = []
        let members = (try? JSONDocument(event.data).root.object())?.members ?? []
        var field = Field(
            subject: event.decoded?.timelineSubject,
            ticketType: members.first { $0.name == "ticketType" }?.value.source, name: "")
        let isDeed = event.decoded?.isDeed ?? false
        for (name, value) in members where !Self.unshown.contains(name) {
            field.name = name
            let after = value.source
            if values[field] == after { continue }
            changes.append((name, isDeed ? nil : values[field], after))
            if !isDeed { values[field] = after }
        }
        return Entry(
            position: event.position, recordedAt: Instant(microseconds: event.recordedAt),
            actor: event.actor, type: EventType(rawValue: event.type)?.name ?? "\(event.type)",
            changes: changes)
    }
}

extension LoggedEvent {
    /// nil where this program can't read it.
    fileprivate var decoded: Event? {
        try? EventCodec.decode(type: type, schemaVersion: schemaVersion, data: data)
    }
}

extension Event {
    /// Whether it tells of something that was done, again and again, and not of how something is from then on: who comes
    /// aboard now has not been who came aboard before.
    fileprivate var isDeed: Bool {
        switch self {
        case .passengerCheckedIn, .checkInReverted, .passengersScanned, .merchandiseFulfilled,
            .paymentStarted, .paymentDeclined, .paymentSucceeded, .paymentArrivedLate,
            .chargeDisputed, .refundRequested, .refundSucceeded, .refundFailed, .stockReceived,
            .stockAdjusted, .oversaleAuthorised, .holdExpired, .bookingAbandoned,
            .bookingCancelled, .bookingConfirmed, .bookingCompleted:
            true
        default: false
        }
    }

    /// What its fields are of: the first of its tags, but that oversales of a sailing are of their bookings.
    fileprivate var timelineSubject: EntityID? {
        if case .oversaleAuthorised(let fact) = self { fact.booking.entity } else { tags.first }
    }
}

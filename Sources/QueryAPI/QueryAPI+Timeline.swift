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
        try request.allowQuery(only: "after", "limit")
        guard let text = context.parameters.get("entity"),
            let entity = EntityID(text) ?? ConfirmationCode(text)?.entity
        else { throw Problem.notFound("entity") }
        let limit =
            try request.query("limit", in: 1...Self.timelineLimit) ?? Self.timelineLimit
        let after = try request.query("after", in: 0...Int(Int64.max)) ?? 0
        let (entries, position) = try await entries(
            of: entity, after: Int64(after), limit: limit + 1)
        let shown = entries.prefix(limit)
        return answer(position: position) { json in
            json.field("events", shown) { json, entry in json.object { entry.write(to: &$0) } }
            json.field("next", entries.count > limit ? shown.last?.position : nil)
        }
    }

    /// The events before are read as well: only they know what a field was before.
    private func entries(
        of entity: EntityID, after: Int64, limit: Int
    ) async throws(Problem) -> (entries: [Timeline.Entry], position: Int64) {
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
        guard isKnown else { throw .notFound("entity") }
        return (entries, reached)
    }
}

/// Looks back over the events of one thing, oldest first.
private struct Timeline {
    /// What is sealed is not shown: it may be somebody's who is forgotten.
    private static let sealed: Set<String> = ["contact", "note"]
    /// The value that each field had last.
    private var values: [String: ArraySlice<UInt8>] = [:]

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
        let object = try? JSONDocument(event.data).root.object()
        for (field, value) in object?.members ?? [] where !Self.sealed.contains(field) {
            let after = value.source
            if values[field] != after { changes.append((field, values[field], after)) }
            values[field] = after
        }
        return Entry(
            position: event.position, recordedAt: Instant(microseconds: event.recordedAt),
            actor: event.actor, type: EventType(rawValue: event.type)?.name ?? "\(event.type)",
            changes: changes)
    }
}

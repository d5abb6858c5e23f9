internal import Domain
internal import EventCodec
internal import EventLog
internal import Postgres

/// Reads a stretch of the log once, for all read models that are built from it.
///
/// Pages are read one after the other, and several at a time are decoded while the one before them is folded.
struct EventScan: Sendable {
    /// Positions in a page.
    static let pageSize: Int64 = 4_000
    /// Pages read ahead of the one that is folded.
    static let pagesAhead = 4

    private let events: any LoggedEvents
    private let source: EventSource
    private let wanted: WantedTypes
    private let opensContacts: Bool

    /// Reads what these read models fold from `events`, and customers' keys from `log`.
    init(_ events: any LoggedEvents, keysOf log: EventLog, for models: [any ReadModel.Type]) {
        self.events = events
        source = EventSource(log: log)
        wanted = WantedTypes(
            Set(models.flatMap { $0.types.map(\.rawValue) }),
            lastKnown: EventType.allCases.map(\.rawValue).max() ?? 0)
        opensContacts = models.contains { $0.opensContacts }
    }

    /// Lends the pages after `start` up to `end`, in order, until `body` wants no more.
    func pages(
        after start: Int64, upTo end: Int64, _ body: (EventPage) async throws -> Bool
    ) async throws {
        let skips = try await Skips.load(from: source.log)
        var ahead: [Task<EventPage, any Error>] = []
        defer { for task in ahead { task.cancel() } }
        var reading: Task<[EventContent], any Error>?
        var next = start
        while next < end || !ahead.isEmpty {
            while next < end, ahead.count < Self.pagesAhead {
                let (before, from, to) = (reading, next, min(next + Self.pageSize, end))
                let read = Task {
                    _ = try await before?.value
                    try Task.checkCancellation()
                    return try await events.read(after: from, upTo: to, wanted)
                }
                ahead.append(
                    Task {
                        try await source.page(
                            try await read.value, upTo: to, opensContacts: opensContacts)
                    })
                (reading, next) = (read, to)
            }
            var page = try await ahead[0].value
            page.skips = skips
            ahead.removeFirst()
            guard try await body(page) else { return }
        }
    }
}

/// The events of a stretch of positions.
struct EventPage: Sendable {
    /// The last position of the stretch, whether an event of it is wanted or not.
    var end: Int64
    var events: [ProjectedEvent] = []
    var unreadable: [(position: Int64, type: Int16, reason: String)] = []
    var skips = Skips.none

    init(end: Int64) {
        self.end = end
    }

    /// Those after `position` that a read model folds. Throws when it wants one that can't be read.
    func events<Model: ReadModel>(
        for model: Model.Type, after position: Int64
    ) throws(ProjectionFault) -> [ProjectedEvent] {
        let types = Model.types
        for fault in unreadable
        where fault.position > position && !skips.contains(fault.position, of: Model.name) {
            // Nobody knows whether it wants an event of a type that nobody knows.
            guard EventType(rawValue: fault.type).map({ types.contains($0) }) ?? true else {
                continue
            }
            throw ProjectionFault(
                position: fault.position,
                description: "position \(fault.position): \(fault.reason)")
        }
        var isWanted = [Bool](repeating: false, count: Int(types.map(\.rawValue).max() ?? 0) + 1)
        for type in types { isWanted[Int(type.rawValue)] = true }
        return events.filter { event in
            let type = Int(event.type.rawValue)
            return type < isWanted.count && isWanted[type] && event.position > position
                && !skips.contains(event.position, of: Model.name)
        }
    }
}

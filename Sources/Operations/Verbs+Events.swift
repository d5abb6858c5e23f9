internal import Commands
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import JSON
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Publishing

/// Which events are to be shown.
public struct EventSelection: Sendable {
    /// The first position; nil: the first of all, or when the log is followed, the next.
    public var from: Int64?
    public var limit: Int?
    /// Names of types, such as `BookingPlaced`; none: all.
    public var types: [String] = []
    /// What they concern: a UUID, or a booking's code.
    public var entity: String?
    public var follows = false
    public var isJSON = false

    public init() {}
}

extension Verbs {
    /// Events read at once.
    private static let eventPageSize = 1000

    /// Prints events, one a line; follows the log when asked to.
    public func events(_ selection: EventSelection) async throws {
        let log = connections.log(1)
        let types = Set(try selection.types.map(Self.type))
        let tag = try await tag(selection.entity)
        let head = try await log.head()
        var reached = (selection.from ?? (selection.follows ? head + 1 : 1)) - 1
        var left = selection.limit ?? .max
        while left > 0 {
            let after = reached
            let (events, end) = try await whileAway(selection.follows) {
                try await page(log, after: after, types, tag)
            }
            for event in events.prefix(left) { say(line(event, asJSON: selection.isJSON)) }
            left -= events.count
            if end > reached {
                reached = end
            } else if selection.follows {
                try await Task.sleep(for: .milliseconds(200))
            } else {
                return
            }
        }
    }

    /// What is followed for hours outlives a PostgreSQL that is started anew: it is asked again until it answers.
    func whileAway<R>(_ isPatient: Bool, _ ask: () async throws -> R) async throws -> R {
        var isTold = false
        while true {
            do {
                return try await ask()
            } catch let error as PostgresError where isPatient && error.isConnectionFault {
                if !isTold { complain("\(sentence(for: error)); going on when it does") }
                isTold = true
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// The events that are wanted of the next stretch, and where that ends.
    private func page(
        _ log: EventLog, after position: Int64, _ types: Set<Int16>, _ tag: PostgresUUID?
    ) async throws -> (events: [LoggedEvent], end: Int64) {
        guard let tag else {
            let events = try await log.read(after: position, limit: Self.eventPageSize)
            let wanted = types.isEmpty ? events : events.filter { types.contains($0.type) }
            return (wanted, events.last?.position ?? position)
        }
        let (events, end) = try await log.read(
            QueryItem(types: types, tags: [tag]), after: position, limit: Self.eventPageSize)
        return (events, end)
    }

    private static func type(_ name: String) throws(OperationError) -> Int16 {
        guard let type = EventType.allCases.first(where: { $0.name == name }) else {
            throw OperationError("there is no event type '\(name)'; one is BookingPlaced")
        }
        return type.rawValue
    }

    private func tag(_ entity: String?) async throws -> PostgresUUID? {
        guard let entity else { return nil }
        let id = try await self.entity(entity, try await asOf(.position(.max)))
        return PostgresUUID(high: id.high, low: id.low)
    }

    private func line(_ event: LoggedEvent, asJSON: Bool) -> String {
        let name = EventType(rawValue: event.type)?.name ?? "type \(event.type)"
        let time = Instant(microseconds: event.recordedAt)
        guard asJSON else {
            let data = String(decoding: event.data, as: UTF8.self)
            return "\(event.position)\t\(time)\t\(name)\t\(event.actor)\t\(data)"
        }
        let bytes = JSONWriter.write { json in
            json.object { json in
                json.field("position", event.position)
                json.field("recordedAt", time)
                json.field("type", name)
                json.field("schemaVersion", Int(event.schemaVersion))
                json.field("actor", event.actor)
                json.name("correlation")
                json.value(
                    EntityID(high: event.correlationID.high, low: event.correlationID.low))
                json.name("data")
                json.value(json: event.data)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Epochs

    /// Says how the stream EVENTS stands to the log, and with `reason` puts it right: begins a new epoch, and lets
    /// everything be published anew.
    public func resetStream(because reason: String?) async throws {
        let log = connections.log(2)
        let url = try place.natsURL()
        if let reason, !reason.contains(where: { !$0.isWhitespace }) {
            throw OperationError("nothing was changed: --reason must say why")
        }
        let history = try await PublishedHistory(of: log, busURL: url, logger: logger)
        let first = try await PublishedHistory.firstDifference(of: log, busURL: url, logger: logger)
        let publishedUpTo: Int64
        switch history {
        case .ofOtherLog(let other):
            throw OperationError(
                "nothing was changed: EVENTS belongs to another log, \(other): DATABASE_URL or NATS_URL is "
                    + "that of another system. Where that log is gone for good, 'nats stream rm EVENTS' and "
                    + "'nats stream rm VIEWS' make room")
        case .same(let position):
            return say(
                "EVENTS is the log, up to position \(grouped(position)): there is nothing to reset")
        case .ahead(let sequence, let head):
            publishedUpTo = sequence
            say(
                "EVENTS is at \(grouped(sequence)), and the log's head is \(grouped(head)): the log has lost "
                    + "\(counted(sequence - first.position + 1, "event")) that were published, as after a restore to an "
                    + "earlier moment. Consumers may have acted on them.")
        case .diverged(let position):
            publishedUpTo = position
            say(
                "EVENTS holds another event at \(grouped(position)) than the log: the log has lost "
                    + "\(counted(position - first.position + 1, "event")) that it had published, from "
                    + "\(grouped(first.position)) on, and others have taken the positions.")
        }
        guard let reason else {
            say(
                """
                To go on:
                  1. If the log can be had with what is missing (a later backup, a standby), restore that \
                instead.
                  2. Keep what the stream has and the log has not, for those who must be told:
                     nats stream backup EVENTS FOLDER
                  3. quartermaster events reset-stream --reason "why"
                A new epoch begins: EVENTS and VIEWS are deleted and published anew, with new ids from here \
                on. Consumers that keep a position begin again at the first.
                """)
            throw OperationError("nothing was changed: --reason says why, and does it")
        }
        let id = try await log.identity()
        let command = BeginLogEpoch(
            log: LogID(EntityID(high: id.high, low: id.low)), publishedEpoch: first.publishedEpoch,
            from: first.position, publishedUpTo: publishedUpTo, reason: reason)
        let receipt = try await submit(command)
        try await PublishedHistory.deleteStreams(busURL: url, logger: logger)
        say(
            "a new epoch begins at position \(grouped(min(first.position, receipt.position))); whoever "
                + "publishes makes EVENTS and VIEWS anew")
    }

    /// Gives a command as the operator.
    func submit(_ command: any Command) async throws -> Receipt {
        var generator = SystemRandomNumberGenerator()
        let envelope = Envelope(
            id: .random(using: &generator), requestHash: [], actor: "operator",
            commands: [command])
        return try await withLoop { try await $0.submit(envelope) }
    }
}

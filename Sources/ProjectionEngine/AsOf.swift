public import Domain
internal import EventCodec
public import EventLog
internal import Postgres

/// A moment of the log: a position, or a time.
public enum Moment: Hashable, Sendable {
    case position(Int64)
    case instant(Instant)

    /// Reads `1900286`, or `2026-11-20T18:05-05:00` with or without seconds; nil when it is neither.
    public init?(_ text: String) {
        if let position = Int64(text) {
            guard position >= 0 else { return nil }
            self = .position(position)
            return
        }
        guard let instant = Instant(text) ?? Instant(Self.withSeconds(text)) else { return nil }
        self = .instant(instant)
    }

    /// People leave out the seconds.
    private static func withSeconds(_ text: String) -> String {
        let minutes = text.prefix(16)
        return minutes.count == 16 ? "\(minutes):00\(text.dropFirst(16))" : text
    }
}

/// What was known at a position: the same folds over the events up to there.
///
/// Of single things only, found by their ids: their events are read and folded in memory. A row changes by
/// events that carry its key, so those are all that it takes. Customers who were forgotten since stay forgotten.
public struct AsOf: Sendable {
    /// Events that one question may look back over.
    public static let eventLimit = 100_000

    public let position: Int64
    /// When the event at the position was recorded; nil before the first.
    public let recordedAt: Instant?
    private let source: EventSource
    /// Decided at any time: what a read model does without, it never had.
    private let skips: Skips

    /// The log as of `moment`: at its head when that is later.
    public init(_ moment: Moment, of log: EventLog) async throws {
        switch moment {
        case .position(let position): self.position = min(position, try await log.head())
        case .instant(let instant): position = try await log.position(at: instant.microseconds)
        }
        source = EventSource(log: log)
        skips = try await Skips.load(from: log)
        recordedAt =
            position > 0
            ? try await log.read(position...position).first.map {
                Instant(microseconds: $0.recordedAt)
            } : nil
    }

    /// The events that concern any of these, oldest first, with who gave the command. One that can't be read is left out
    /// where all of `models` that fold such events do without it, and thrown else.
    public func events(
        of entities: [EntityID], for models: [any ReadModel.Type], after start: Int64 = 0
    ) async throws -> [(actor: String, event: ProjectedEvent)] {
        let tags = entities.map { PostgresUUID(high: $0.high, low: $0.low) }
        var events: [(actor: String, event: ProjectedEvent)] = []
        var reached = start
        while true {
            let stored = try await source.log.read(anyOf: tags, after: reached, upTo: position)
            guard let last = stored.last else { return events }
            for event in try await source.decoded(stored, opensContacts: true) {
                if case .failure = event.event, skips.contains(event, of: models) { continue }
                events.append((event.stored.actor, try event.event.get()))
            }
            reached = last.position
            guard stored.count == EventLog.readLimit else { return events }
            guard events.count < Self.eventLimit else {
                throw AsOfError(description: "more than \(Self.eventLimit) events concern it")
            }
        }
    }

    /// The rows of a read model that these events have made.
    public func rows<Model: ReadModel>(
        of model: Model.Type, from events: [ProjectedEvent]
    ) -> [Model.Key: (row: Model.Row, position: Int64)] {
        var memory = RowMemory<Model>()
        let types = Model.types
        let wanted = events.filter {
            types.contains($0.type) && !skips.contains($0.position, of: Model.name)
        }
        _ = Model.missing(for: wanted, in: &memory)
        Model.fold(into: &memory)
        return memory.rows
    }
}

/// A question about the past that can't be answered.
public struct AsOfError: Error, CustomStringConvertible {
    public let description: String
}

public import Domain
internal import EventCodec
public import EventLog
public import Postgres

/// The events that operators have decided read models do without, as the log has them.
public struct Skips: Sendable {
    /// With where the decision stands.
    public struct Entry: Hashable, Sendable {
        public var fact: ProjectionEventSkipped
        public var decidedAt: Instant
        public var decidedBy: String
    }

    public let entries: [Entry]
    private let positions: [String: Set<Int64>]

    static let none = Skips([])

    private init(_ entries: [Entry]) {
        self.entries = entries
        positions = entries.reduce(into: [:]) {
            $0[$1.fact.projection, default: []].insert($1.fact.position)
        }
    }

    /// Reads all decisions of a log.
    public static func load(from log: EventLog) async throws(PostgresError) -> Skips {
        let item = QueryItem(
            types: [EventType.projectionEventSkipped.rawValue], tags: [try await log.identity()])
        return Skips(
            try await log.read(item).events.compactMap { stored in
                let event = try? EventCodec.decode(
                    type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data)
                guard case .projectionEventSkipped(let fact) = event else { return nil }
                return Entry(
                    fact: fact, decidedAt: Instant(microseconds: stored.recordedAt),
                    decidedBy: stored.actor)
            })
    }

    func contains(_ position: Int64, of projection: String) -> Bool {
        guard !positions.isEmpty else { return false }
        return positions[projection]?.contains(position) ?? false
    }

    /// Whether all of these read models that fold such events do without it, and one of them does.
    func contains(_ event: SourceEvent, of models: [any ReadModel.Type]) -> Bool {
        let type = EventType(rawValue: event.type)
        let wanting = models.filter { model in type.map { model.types.contains($0) } ?? true }
        return wanting.allSatisfy { contains(event.position, of: $0.name) }
    }

    /// Whether some read model does without the event.
    public func contains(_ position: Int64) -> Bool {
        positions.values.contains { $0.contains(position) }
    }
}

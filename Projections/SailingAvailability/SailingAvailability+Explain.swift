public import Domain
internal import EventCodec
public import ProjectionEngine

/// How many seats of a sailing were free after an event that has changed something of it.
public struct AvailabilityStep: Sendable {
    public var position: Int64
    public var recordedAt: Instant
    public var type: EventType
    public var actor: String
    /// The booking that the event is about.
    public var booking: BookingID?
    public var limit: Int
    public var committed: Int
    public var held: Int
    public var available: Int
    public var isPaused: Bool
}

extension SailingAvailability {
    /// The events that made the figures of a sailing what they were at a moment, oldest first; none when there
    /// was no such sailing.
    public static func explanation(
        of sailing: SailingID, asOf moment: AsOf
    ) async throws -> [AvailabilityStep] {
        let models: [any ReadModel.Type] = [SailingAvailability.self]
        var events = try await moment.events(of: [sailing.entity], for: models)
        // What concerns a trip or a boat concerns its sailings too.
        guard events.contains(where: { keys(of: $0.event.event).contains(sailing) }) else {
            return []
        }
        let boats = events.compactMap { _, event -> EntityID? in
            if case .boatAssigned(let fact) = event.event { fact.boat.entity } else { nil }
        }
        events += try await moment.events(of: boats, for: models).filter { _, event in
            event.type == .boatRegistered || event.type == .boatCapacityChanged
        }
        events.sort { $0.event.position < $1.event.position }
        var (row, capacity): (Row?, Int) = (nil, 0)
        var steps: [AvailabilityStep] = []
        for (actor, event) in events {
            switch event.event {
            case .boatRegistered(let fact): capacity = fact.capacity
            case .boatCapacityChanged(let fact): capacity = fact.capacity
            default:
                if types.contains(event.type) { row = fold(row, of: sailing, event) }
            }
            guard let row else { continue }
            let figures = row.figures(capacity: capacity)
            let step = AvailabilityStep(
                position: event.position, recordedAt: event.recordedAt, type: event.type,
                actor: actor, booking: event.event.concernedBooking, limit: figures.limit,
                committed: figures.committed, held: figures.held, available: figures.available,
                isPaused: row.isPaused)
            if steps.last.map({ !step.hasSameFigures(as: $0) }) ?? true { steps.append(step) }
        }
        return steps
    }
}

extension AvailabilityStep {
    fileprivate func hasSameFigures(as other: AvailabilityStep) -> Bool {
        (limit, committed, held, available) == (
            other.limit, other.committed, other.held, other.available
        ) && isPaused == other.isPaused
    }
}

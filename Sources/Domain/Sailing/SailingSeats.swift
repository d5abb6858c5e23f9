/// The seats of one sailing: what is sold, what is held, what is left.
public struct SailingSeats: DecisionModel {
    public static let types: Set<EventType> = [
        .boatAssigned, .sailingLimitSet, .salesPaused, .salesResumed, .bookingPlaced,
        .holdExtended, .holdExpired, .bookingAbandoned, .bookingConfirmed, .bookingCancelled,
    ]

    private let sailing: SailingID
    public private(set) var assigned: BoatAssigned?
    public private(set) var isPaused = false
    private var committed = Tally<TicketTypeID>()
    private var holds = LiveHolds<TicketTypeID>()

    public init(of entity: EntityID) {
        sailing = SailingID(entity)
    }

    public mutating func evolve(_ recorded: RecordedEvent) {
        holds.lapse(at: recorded.recordedAt - LiveHolds<TicketTypeID>.clockMargin)
        switch recorded.event {
        case .boatAssigned(let fact): assigned = fact
        case .sailingLimitSet(let fact): assigned?.limit = fact.limit
        case .salesPaused: isPaused = true
        case .salesResumed: isPaused = false
        case .bookingPlaced(let fact):
            holds.add(fact.booking, deadline: fact.deadline, ours(fact.quote.lines))
        case .holdExtended(let fact): holds.extend(fact.booking, to: fact.deadline)
        case .holdExpired(let fact), .bookingAbandoned(let fact): holds.remove(fact.booking)
        case .bookingConfirmed(let fact):
            holds.remove(fact.booking)
            committed.add(ours(fact.holdings.seats))
        case .bookingCancelled(let fact):
            if fact.wasHeld {
                holds.remove(fact.booking)
            } else {
                committed.remove(ours(fact.holdings.seats))
            }
        default: break
        }
    }

    /// The three figures at `now`, for a boat that may carry `capacity` passengers.
    ///
    /// A hold whose deadline is `now` or earlier counts for nothing, whether or not anyone has
    /// recorded that it ran out.
    public func figures(capacity: Int, at now: Instant) -> SeatFigures {
        SeatFigures(
            limit: min(assigned?.limit ?? capacity, capacity), committed: committed,
            held: holds.tally(at: now), ticketTypes: assigned?.ticketTypes ?? [])
    }

    /// Whether the booking's seats are still set aside at `now`.
    public func holds(_ booking: BookingID, at now: Instant) -> Bool {
        holds[booking].map { now < $0.deadline } ?? false
    }

    public func ticketType(_ id: TicketTypeID) -> TicketType? {
        assigned?.ticketTypes.first { $0.id == id }
    }

    private func ours(_ lines: [Quote.Line]) -> [Portion<TicketTypeID>] {
        lines.filter { $0.sailing == sailing }
            .map { Portion(of: $0.ticketType, quantity: $0.quantity) }
    }

    private func ours(_ seats: [SeatLine]) -> [Portion<TicketTypeID>] {
        seats.filter { $0.sailing == sailing }
            .map { Portion(of: $0.ticketType, quantity: $0.quantity) }
    }
}

/// Committed, held, available: the one place where they are computed.
public struct SeatFigures: Sendable {
    public let limit: Int
    private let committedTally: Tally<TicketTypeID>
    private let heldTally: Tally<TicketTypeID>
    private let ticketTypes: [TicketType]

    init(
        limit: Int, committed: Tally<TicketTypeID>, held: Tally<TicketTypeID>,
        ticketTypes: [TicketType]
    ) {
        self.limit = limit
        committedTally = committed
        heldTally = held
        self.ticketTypes = ticketTypes
    }

    /// For one who keeps the counts himself: `counts` has committed and held seats per type.
    public init(
        limit: Int, ticketTypes: [TicketType],
        counts: [TicketTypeID: (committed: Int, held: Int)]
    ) {
        var committed = Tally<TicketTypeID>()
        var held = Tally<TicketTypeID>()
        for (type, count) in counts {
            committed.add([Portion(of: type, quantity: count.committed)])
            held.add([Portion(of: type, quantity: count.held)])
        }
        self.init(limit: limit, committed: committed, held: held, ticketTypes: ticketTypes)
    }

    public var committed: Int { committedTally.total }
    public var held: Int { heldTally.total }
    public var used: Int { committed + held }
    /// Never negative; see ``isOversold``.
    public var available: Int { max(0, limit - used) }
    /// More is sold and held than there are seats: somebody counted a hold as over too early.
    public var isOversold: Bool {
        used > limit
            || ticketTypes.contains { type in
                guard case .fixed(let count) = type.cap else { return false }
                return committedTally[type.id] + heldTally[type.id] > count
            }
    }

    public func committed(of type: TicketTypeID) -> Int { committedTally[type] }
    public func held(of type: TicketTypeID) -> Int { heldTally[type] }

    public func available(of type: TicketTypeID) -> Int {
        let used = committedTally[type] + heldTally[type]
        let cap = ticketTypes.first { $0.id == type }?.cap ?? .fixed(0)
        return cap.available(of: available, used: used)
    }
}

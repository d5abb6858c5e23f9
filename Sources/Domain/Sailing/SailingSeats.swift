/// The seats of one sailing: what is sold, what is held, what is left.
public struct SailingSeats: DecisionModel {
    public static let types: Set<EventType> = Commitments<TicketTypeID>.types.union([
        .boatAssigned, .boatUnassigned, .sailingLimitSet, .salesPaused, .salesResumed,
        .ticketTypeDefined, .ticketTypeRepriced, .ticketTypeCapped, .ticketTypeRelabelled,
        .ticketTypeWithdrawn, .oversaleAuthorised,
    ])

    private let sailing: SailingID
    /// As it was at first.
    public private(set) var original: BoatAssigned?
    /// The same; nil when the boat does not go any more.
    public private(set) var assigned: BoatAssigned?
    public private(set) var limit: Int?
    public private(set) var ticketTypes: [TicketType] = []
    public private(set) var isPaused = false
    private var commitments = Commitments<TicketTypeID>()
    /// Seats beyond the limit, for bookings that are held or sold.
    private var oversales: [BookingID: (seatCount: Int, isSold: Bool)] = [:]

    public var size: Int { commitments.size }

    public init(of entity: EntityID) {
        sailing = SailingID(entity)
    }

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .boatAssigned(let fact):
            (original, assigned) = (fact, fact)
            (limit, ticketTypes) = (fact.limit, fact.ticketTypes)
        case .boatUnassigned: assigned = nil
        case .sailingLimitSet(let fact): limit = fact.limit
        case .salesPaused: isPaused = true
        case .salesResumed: isPaused = false
        case .ticketTypeDefined, .ticketTypeRepriced, .ticketTypeCapped, .ticketTypeRelabelled,
            .ticketTypeWithdrawn:
            ticketTypes = ticketTypes.evolved(by: recorded.event)
        case .oversaleAuthorised(let fact):
            oversales[fact.booking, default: (0, false)].seatCount += fact.seatCount
        default:
            let sailing = sailing
            commitments.evolve(recorded) { holdings in
                holdings.seats.portions(on: sailing)
            }
            if !oversales.isEmpty { evolveOversales(recorded.event) }
        }
    }

    private mutating func evolveOversales(_ event: Event) {
        switch event {
        case .holdExpired(let fact), .bookingAbandoned(let fact): oversales[fact.booking] = nil
        case .bookingConfirmed(let fact): oversales[fact.booking]?.isSold = true
        case .bookingCancelled(let fact): oversales[fact.booking] = nil
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            oversales[fact.booking]?.isSold = fact.heldUntil == nil
            lower(fact.booking, from: fact.before, to: fact.quote.holdings)
        case .alternativeOffered(let fact):
            lower(fact.booking, from: fact.before, to: fact.quote.holdings)
        default: break
        }
    }

    private mutating func lower(_ booking: BookingID, from: Holdings, to: Holdings) {
        guard let oversale = oversales[booking] else { return }
        let left = oversale.seatCount - from.seatsReturned(by: to, on: sailing)
        oversales[booking] = left > 0 ? (left, oversale.isSold) : nil
    }

    /// The three figures at `now`, for a boat that may carry `capacity` passengers.
    public func figures(capacity: Int, at now: Instant) -> SeatFigures {
        figures(capacity: capacity, held: commitments.held(at: now)) { holds($0, at: now) }
    }

    /// Whether the seats that `booking` holds at `now` are not its any more, for more are sold than there are.
    func isOversold(for booking: BookingID, capacity: Int, at now: Instant) -> Bool {
        let later = now + LiveHolds<TicketTypeID>.clockMargin
        return figures(capacity: capacity, held: commitments.held(for: booking, at: now)) {
            $0 == booking || holds($0, at: later)
        }.isOversold
    }

    private func figures(
        capacity: Int, held: Tally<TicketTypeID>, _ isLive: (BookingID) -> Bool
    ) -> SeatFigures {
        var oversold = 0
        for (booking, oversale) in oversales where oversale.isSold || isLive(booking) {
            oversold += oversale.seatCount
        }
        return SeatFigures(
            limit: min(limit ?? capacity, capacity), oversold: oversold, capacity: capacity,
            committed: commitments.sold, held: held, ticketTypes: ticketTypes)
    }

    /// Seats that are sold, and that are held at `now`.
    func taken(at now: Instant) -> (committed: Int, held: Int) {
        (commitments.sold.total, commitments.held(at: now).total)
    }

    /// Seats of one type that are sold or held at `now`.
    func taken(of type: TicketTypeID, at now: Instant) -> Int {
        commitments.sold[type] + commitments.held(at: now)[type]
    }

    /// Whether the booking's seats are still set aside at `now`.
    public func holds(_ booking: BookingID, at now: Instant) -> Bool {
        commitments.holds(booking, at: now)
    }

    public func ticketType(_ id: TicketTypeID) -> TicketType? {
        ticketTypes.first { $0.id == id }
    }
}

/// Committed, held, available: the one place where they are computed.
public struct SeatFigures: Sendable {
    /// What may be sold without anybody's leave.
    public let limit: Int
    /// What may be taken, with what staff has authorised beyond the limit.
    private let ceiling: Int
    /// Of what is taken, the seats beyond the limit that staff has authorised.
    public var oversold: Int { ceiling - limit }
    private let committedTally: Tally<TicketTypeID>
    private let heldTally: Tally<TicketTypeID>
    private let ticketTypes: [TicketType]

    init(
        limit: Int, oversold: Int, capacity: Int, committed: Tally<TicketTypeID>,
        held: Tally<TicketTypeID>, ticketTypes: [TicketType]
    ) {
        self.limit = limit
        ceiling = min(limit + oversold, capacity)
        committedTally = committed
        heldTally = held
        self.ticketTypes = ticketTypes
    }

    /// For one who keeps the counts himself: `counts` has committed and held seats per type.
    public init(
        limit: Int, oversold: Int, capacity: Int, ticketTypes: [TicketType],
        counts: [TicketTypeID: (committed: Int, held: Int)]
    ) {
        var committed = Tally<TicketTypeID>()
        var held = Tally<TicketTypeID>()
        for (type, count) in counts {
            committed.add([Portion(of: type, quantity: count.committed)])
            held.add([Portion(of: type, quantity: count.held)])
        }
        self.init(
            limit: limit, oversold: oversold, capacity: capacity, committed: committed, held: held,
            ticketTypes: ticketTypes)
    }

    public var committed: Int { committedTally.total }
    public var held: Int { heldTally.total }
    public var used: Int { committed + held }
    /// Never negative; see ``isOversold``.
    public var available: Int { max(0, limit - used) }
    /// More is sold and held than there are seats: somebody counted a hold as over too early.
    public var isOversold: Bool {
        used > ceiling
            || ticketTypes.contains { type in
                guard case .fixed(let count) = type.cap else { return false }
                return used(of: type.id) > count
            }
    }

    public func committed(of type: TicketTypeID) -> Int { committedTally[type] }
    public func held(of type: TicketTypeID) -> Int { heldTally[type] }
    private func used(of type: TicketTypeID) -> Int { committedTally[type] + heldTally[type] }

    public func available(of type: TicketTypeID) -> Int {
        available(of: type, from: available)
    }

    /// Of a pool that is larger than ``available``, where the operator's limit does not count.
    func available(of type: TicketTypeID, from pool: Int) -> Int {
        let cap = ticketTypes.first { $0.id == type }?.cap ?? .fixed(0)
        return cap.available(of: pool, used: used(of: type))
    }
}

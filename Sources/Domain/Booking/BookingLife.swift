/// Where a booking stands.
public enum BookingStatus: String, Sendable, CaseIterable {
    case held
    case confirmed
    case checkedIn = "checked_in"
    case completed
    case expired
    case abandoned
    case cancelled
}

/// One booking from the order to the quay.
public struct BookingLife: DecisionModel {
    public static let types: Set<EventType> = [
        .bookingPlaced, .holdExtended, .holdExpired, .bookingAbandoned, .bookingConfirmed,
        .bookingCancelled, .passengerCheckedIn, .checkInReverted, .merchandiseFulfilled,
        .bookingCompleted,
    ]

    public private(set) var placed: BookingPlaced?
    /// What happened to it so far; passengers aboard are counted apart, see ``status``.
    private var stage = BookingStatus.held
    public private(set) var deadline = Instant(microseconds: 0)
    public private(set) var extensionCount = 0
    /// Numbers of the seats whose passengers are aboard.
    public private(set) var aboard: Set<Int> = []
    /// What was handed over.
    public private(set) var fulfilled: Set<OfferID> = []
    /// Position of the booking's last event: what an ETag shows.
    public private(set) var version: Int64 = 0

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        version = recorded.position
        switch recorded.event {
        case .bookingPlaced(let fact): (placed, deadline, stage) = (fact, fact.deadline, .held)
        case .holdExtended(let fact):
            deadline = fact.deadline
            extensionCount += 1
        case .holdExpired: stage = .expired
        case .bookingAbandoned: stage = .abandoned
        case .bookingConfirmed: stage = .confirmed
        case .bookingCancelled: stage = .cancelled
        case .passengerCheckedIn(let fact): aboard.formUnion(fact.passengers)
        case .checkInReverted(let fact): aboard.subtract(fact.passengers)
        case .merchandiseFulfilled(let fact): fulfilled.formUnion(fact.merchandise.map(\.offer))
        case .bookingCompleted: stage = .completed
        default: break
        }
    }

    /// Checked in means that everybody is aboard.
    public var status: BookingStatus {
        stage == .confirmed && !aboard.isEmpty && aboard.count == passengerCount
            ? .checkedIn : stage
    }

    /// What would come back: what the booking has, but for what was handed over.
    public var returnable: Holdings {
        var holdings = placed?.quote.holdings ?? .none
        holdings.merchandise.removeAll { fulfilled.contains($0.offer) }
        return holdings
    }

    public var passengerCount: Int { placed?.quote.seats.seatCount ?? 0 }

    /// The seat numbers that the booking has on `sailing`, in order.
    public func passengers(on sailing: SailingID) -> [Int] {
        placed?.quote.seats.passengers(on: sailing) ?? []
    }
}

extension [SeatLine] {
    /// Seats are numbered from 1 through all lines, in order; these are the ones on `sailing`.
    public func passengers(on sailing: SailingID) -> [Int] {
        var numbers: [Int] = []
        var next = 1
        for line in self {
            if line.sailing == sailing { numbers += next..<next + line.quantity }
            next += line.quantity
        }
        return numbers
    }
}

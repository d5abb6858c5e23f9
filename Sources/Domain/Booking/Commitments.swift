/// How much of something limited bookings have: what live holds set aside, and what is sold.
///
/// Every limited thing is counted here: seats, uses of codes, merchandise.
struct Commitments<Thing: Hashable & Sendable>: Sendable {
    private(set) var sold = Tally<Thing>()
    private var holds = LiveHolds<Thing>()

    /// See ``DecisionModel/size``.
    var size: Int { holds.count }

    static var types: Set<EventType> {
        [
            .bookingPlaced, .holdExtended, .holdExpired, .bookingAbandoned, .bookingConfirmed,
            .bookingCancelled, .lineQuantityChanged, .lineTicketTypeChanged, .bookingRescheduled,
            .passengersReassigned, .alternativeOffered,
        ]
    }

    /// Takes an event into account; `ours` is what holdings have of the thing that is counted.
    mutating func evolve(
        _ recorded: RecordedEvent, _ ours: (Holdings) -> [Portion<Thing>]
    ) {
        holds.lapse(at: recorded.recordedAt - LiveHolds<Thing>.clockMargin)
        switch recorded.event {
        case .bookingPlaced(let fact):
            holds.add(fact.booking, deadline: fact.deadline, ours(fact.quote.holdings))
        case .holdExtended(let fact): holds.extend(fact.booking, to: fact.deadline)
        case .holdExpired(let fact), .bookingAbandoned(let fact): holds.remove(fact.booking)
        case .bookingConfirmed(let fact):
            holds.remove(fact.booking)
            sold.add(ours(fact.holdings))
        case .bookingCancelled(let fact):
            if fact.wasHeld {
                holds.remove(fact.booking)
            } else {
                sold.remove(ours(fact.holdings))
            }
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            if let deadline = fact.heldUntil {
                holds.add(fact.booking, deadline: deadline, ours(fact.quote.holdings))
            } else {
                sold.remove(ours(fact.before))
                sold.add(ours(fact.quote.holdings))
            }
        case .alternativeOffered(let fact):
            holds.add(fact.booking, deadline: fact.deadline, ours(fact.quote.holdings))
        default: break
        }
    }

    /// What the holds that are live at `now` set aside: one whose deadline is `now` or earlier counts for
    /// nothing, whether or not anyone has recorded that it ran out.
    func held(at now: Instant) -> Tally<Thing> { holds.tally(at: now) }

    /// The same as `booking`, which has a hold, may count on it: see ``LiveHolds/tally(for:at:)``.
    func held(for booking: BookingID, at now: Instant) -> Tally<Thing> {
        holds.tally(for: booking, at: now)
    }

    /// Whether a booking's hold is live at `now`.
    func holds(_ booking: BookingID, at now: Instant) -> Bool {
        holds[booking].map { now < $0.deadline } ?? false
    }

    /// What is taken in all at `now`.
    func used(at now: Instant) -> Int { sold.total + held(at: now).total }

    func used(for booking: BookingID, at now: Instant) -> Int {
        sold.total + held(for: booking, at: now).total
    }
}

/// What an event changes of the counts of what is held and what is sold, as they are recorded: a hold
/// counts until its end is an event.
public struct CommitmentChange: Sendable {
    public let holdings: Holdings
    /// -1, 0 or 1 for each thing that the holdings name, as often as they name it.
    public let held: Int
    public let sold: Int
}

extension Event {
    /// None for an event that changes no counts.
    public var commitmentChanges: [CommitmentChange] {
        switch self {
        case .bookingPlaced(let fact):
            [CommitmentChange(holdings: fact.quote.holdings, held: 1, sold: 0)]
        case .holdExpired(let fact), .bookingAbandoned(let fact):
            [CommitmentChange(holdings: fact.holdings, held: -1, sold: 0)]
        case .bookingConfirmed(let fact):
            [CommitmentChange(holdings: fact.holdings, held: fact.wasHeld ? -1 : 0, sold: 1)]
        case .bookingCancelled(let fact):
            [
                CommitmentChange(
                    holdings: fact.holdings, held: fact.wasHeld ? -1 : 0,
                    sold: fact.wasHeld ? 0 : -1)
            ]
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            fact.heldUntil == nil
                ? [
                    CommitmentChange(holdings: fact.before, held: 0, sold: -1),
                    CommitmentChange(holdings: fact.quote.holdings, held: 0, sold: 1),
                ]
                : [
                    CommitmentChange(holdings: fact.before, held: -1, sold: 0),
                    CommitmentChange(holdings: fact.quote.holdings, held: 1, sold: 0),
                ]
        case .alternativeOffered(let fact):
            [
                CommitmentChange(holdings: fact.before, held: fact.wasHeld ? -1 : 0, sold: 0),
                CommitmentChange(holdings: fact.quote.holdings, held: 1, sold: 0),
            ]
        default: []
        }
    }
}

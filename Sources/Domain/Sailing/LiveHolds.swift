/// The holds of one sailing whose deadline had not passed when last looked at.
///
/// Running totals make every answer cost the same however many holds there are; only holds that
/// ran out since the last event are counted one by one, and the next event drops them.
struct LiveHolds: Sendable {
    struct Hold: Sendable {
        var deadline: Instant
        var seats: [TypeSeats]
    }

    private struct Deadline: Sendable {
        var at: Instant
        var booking: BookingID
    }

    private var holds: [BookingID: Hold] = [:]
    private var totals = SeatTally()
    /// A binary heap, earliest first. Its entries may be out of date: `holds` has the last word.
    private var deadlines: [Deadline] = []

    subscript(booking: BookingID) -> Hold? { holds[booking] }

    mutating func add(_ booking: BookingID, _ hold: Hold) {
        remove(booking)
        holds[booking] = hold
        totals.add(hold.seats)
        push(Deadline(at: hold.deadline, booking: booking))
    }

    mutating func extend(_ booking: BookingID, to deadline: Instant) {
        guard var hold = holds[booking] else { return }
        hold.deadline = deadline
        holds[booking] = hold
        push(Deadline(at: deadline, booking: booking))
    }

    /// Returns the seats that the hold still had; nil when it was not live any more.
    @discardableResult
    mutating func remove(_ booking: BookingID) -> [TypeSeats]? {
        guard let hold = holds.removeValue(forKey: booking) else { return nil }
        totals.remove(hold.seats)
        return hold.seats
    }

    /// Drops the holds whose deadline is `now` or earlier.
    mutating func lapse(at now: Instant) {
        while let first = deadlines.first, first.at <= now {
            popFirst()
            guard let hold = holds[first.booking], hold.deadline <= now else { continue }
            remove(first.booking)
        }
    }

    /// The seats of the holds that are live at `now`.
    func tally(at now: Instant) -> SeatTally {
        guard let first = deadlines.first, first.at <= now else { return totals }
        var live = totals
        var counted: Set<BookingID> = []
        subtractLapsed(below: 0, at: now, from: &live, counted: &counted)
        return live
    }

    /// A child is never earlier than its parent, so a branch that is later ends the search.
    private func subtractLapsed(
        below index: Int, at now: Instant, from live: inout SeatTally,
        counted: inout Set<BookingID>
    ) {
        guard index < deadlines.count, deadlines[index].at <= now else { return }
        let booking = deadlines[index].booking
        if let hold = holds[booking], hold.deadline <= now, counted.insert(booking).inserted {
            live.remove(hold.seats)
        }
        subtractLapsed(below: 2 * index + 1, at: now, from: &live, counted: &counted)
        subtractLapsed(below: 2 * index + 2, at: now, from: &live, counted: &counted)
    }

    private mutating func push(_ deadline: Deadline) {
        deadlines.append(deadline)
        var child = deadlines.count - 1
        while child > 0, deadlines[child].at < deadlines[(child - 1) / 2].at {
            deadlines.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func popFirst() {
        deadlines.swapAt(0, deadlines.count - 1)
        deadlines.removeLast()
        var parent = 0
        while true {
            var earliest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < deadlines.count && deadlines[child].at < deadlines[earliest].at {
                earliest = child
            }
            guard earliest != parent else { return }
            deadlines.swapAt(parent, earliest)
            parent = earliest
        }
    }
}

/// Seats of one ticket type.
struct TypeSeats: Hashable, Sendable {
    var ticketType: TicketTypeID
    var quantity: Int
}

/// Counts seats, in all and per ticket type.
struct SeatTally: Hashable, Sendable {
    private(set) var total = 0
    private var byType: [TicketTypeID: Int] = [:]

    subscript(type: TicketTypeID) -> Int { byType[type] ?? 0 }

    mutating func add(_ seats: [TypeSeats]) {
        for line in seats {
            total += line.quantity
            byType[line.ticketType, default: 0] += line.quantity
        }
    }

    mutating func remove(_ seats: [TypeSeats]) {
        add(seats.map { TypeSeats(ticketType: $0.ticketType, quantity: -$0.quantity) })
    }
}

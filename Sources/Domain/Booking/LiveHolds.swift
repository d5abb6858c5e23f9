/// What holds set aside of something limited, as long as their deadlines have not passed.
///
/// Running totals make every answer cost the same however many holds there are; only holds that
/// ran out since the last event are counted one by one, and the next event drops them.
struct LiveHolds<Thing: Hashable & Sendable>: Sendable {
    struct Hold: Sendable {
        var deadline: Instant
        var portions: [Portion<Thing>]
    }

    /// Events are recorded by one clock and decided by others, so a hold is kept in mind for this
    /// long after its deadline: it may turn out to have been extended. It counts for nothing.
    static var clockMargin: TimeSpan { .minutes(1) }

    private struct Deadline: Sendable {
        var at: Instant
        var booking: BookingID
    }

    private var holds: [BookingID: Hold] = [:]
    private var totals = Tally<Thing>()
    /// A binary heap, earliest first. Its entries may be out of date: `holds` has the last word.
    private var deadlines: [Deadline] = []
    /// Of the last hold: most set aside the same as the one before, and then it stands in memory once.
    private var lastPortions: [Portion<Thing>] = []

    var count: Int { holds.count }

    subscript(booking: BookingID) -> Hold? { holds[booking] }

    /// Sets aside so much, instead of what the booking had set aside before.
    mutating func add(_ booking: BookingID, deadline: Instant, _ portions: [Portion<Thing>]) {
        remove(booking)
        guard !portions.isEmpty else { return }
        if portions != lastPortions { lastPortions = portions }
        holds[booking] = Hold(deadline: deadline, portions: lastPortions)
        totals.add(portions)
        push(Deadline(at: deadline, booking: booking))
    }

    mutating func extend(_ booking: BookingID, to deadline: Instant) {
        guard var hold = holds[booking] else { return }
        hold.deadline = deadline
        holds[booking] = hold
        push(Deadline(at: deadline, booking: booking))
    }

    mutating func remove(_ booking: BookingID) {
        guard let hold = holds.removeValue(forKey: booking) else { return }
        totals.remove(hold.portions)
    }

    /// Drops the holds whose deadline is `now` or earlier.
    mutating func lapse(at now: Instant) {
        while let first = deadlines.first, first.at <= now {
            popFirst()
            guard let hold = holds[first.booking], hold.deadline <= now else { continue }
            remove(first.booking)
        }
    }

    /// What the holds that are live at `now` set aside.
    func tally(at now: Instant) -> Tally<Thing> {
        guard let first = deadlines.first, first.at <= now else { return totals }
        var live = totals
        var counted: Set<BookingID> = []
        subtractLapsed(below: 0, at: now, from: &live, counted: &counted)
        return live
    }

    /// The same as one of the bookings may count on it: holds of others that end within the clocks' margin count for nothing,
    /// for another process, by another clock, may have sold what they set aside, and that is nobody's loss but theirs.
    func tally(for booking: BookingID, at now: Instant) -> Tally<Thing> {
        let later = now + Self.clockMargin
        var tally = tally(at: later)
        if let hold = holds[booking], now < hold.deadline, hold.deadline <= later {
            tally.add(hold.portions)
        }
        return tally
    }

    /// A child is never earlier than its parent, so a branch that is later ends the search.
    private func subtractLapsed(
        below index: Int, at now: Instant, from live: inout Tally<Thing>,
        counted: inout Set<BookingID>
    ) {
        guard index < deadlines.count, deadlines[index].at <= now else { return }
        let booking = deadlines[index].booking
        if let hold = holds[booking], hold.deadline <= now, counted.insert(booking).inserted {
            live.remove(hold.portions)
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

/// So many of one thing: seats of a ticket type, uses of a code.
struct Portion<Thing: Hashable & Sendable>: Hashable, Sendable {
    var thing: Thing
    var quantity: Int

    init(of thing: Thing, quantity: Int) {
        self.thing = thing
        self.quantity = quantity
    }
}

/// Counts things, in all and each.
struct Tally<Thing: Hashable & Sendable>: Hashable, Sendable {
    private(set) var total = 0
    private var byThing: [Thing: Int] = [:]

    subscript(thing: Thing) -> Int { byThing[thing] ?? 0 }

    mutating func add(_ portions: [Portion<Thing>]) {
        for portion in portions {
            total += portion.quantity
            byThing[portion.thing, default: 0] += portion.quantity
        }
    }

    mutating func remove(_ portions: [Portion<Thing>]) {
        add(portions.map { Portion(of: $0.thing, quantity: -$0.quantity) })
    }
}

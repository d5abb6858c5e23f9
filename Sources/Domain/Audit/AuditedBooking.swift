/// One booking as an audit sees it: what it has, and what was paid for it.
struct AuditedBooking: Sendable {
    private enum Stage: Sendable {
        case unknown, held, sold, completed, ended, cancelled
    }

    private var stage = Stage.unknown
    /// What it has; nothing when it is over.
    private var holdings = Holdings.none
    private var passengers: Set<Int> = []
    private var aboard: Set<Int> = []
    /// How many of each thing the customer has in his hands.
    private var handedOver: [OfferID: Int] = [:]
    private var wasOffered = false
    /// Of the last event that was about it.
    private(set) var position: Int64 = 0
    private(set) var money = BookingMoney(of: EntityID(high: 0, low: 0))

    /// Takes an event of the booking into account; returns what it makes untrue.
    mutating func evolve(_ recorded: RecordedEvent) -> [Audit.Statement] {
        var faults: [Audit.Statement] = []
        position = recorded.position
        switch recorded.event {
        case .bookingPlaced(let fact):
            if stage != .unknown { faults.append(.impossibleState) }
            faults += take(fact.quote)
            stage = .held
        case .holdExtended: if stage != .held { faults.append(.impossibleState) }
        case .holdExpired(let fact), .bookingAbandoned(let fact):
            faults += giveBack(fact.holdings, from: .held, to: .ended)
        case .bookingConfirmed(let fact): faults += confirm(fact)
        case .bookingCancelled(let fact):
            if fact.wasHeld {
                faults += giveBack(fact.holdings, from: .held, to: .cancelled)
            } else if stage == .ended {
                if fact.holdings != .none { faults.append(.givenBackTwice) }
                stage = .cancelled
            } else {
                faults += giveBack(fact.holdings, from: .sold, to: .cancelled)
            }
        case .bookingCompleted:
            if stage != .sold { faults.append(.impossibleState) }
            stage = .completed
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            if stage != (fact.heldUntil == nil ? .sold : .held) { faults.append(.impossibleState) }
            if fact.before != holdings { faults.append(.givenBackTwice) }
            faults += take(fact.quote)
        case .alternativeOffered(let fact):
            if stage != (fact.wasHeld ? .held : .ended) { faults.append(.impossibleState) }
            faults += take(fact.quote)
            (stage, wasOffered) = (.held, true)
        case .passengerCheckedIn(let fact):
            if stage != .sold && stage != .completed { faults.append(.impossibleState) }
            if !aboard.isDisjoint(with: fact.passengers) { faults.append(.passengerTwice) }
            aboard.formUnion(fact.passengers)
        case .checkInReverted(let fact):
            if !aboard.isSuperset(of: fact.passengers) { faults.append(.passengerTwice) }
            aboard.subtract(fact.passengers)
        case .merchandiseFulfilled(let fact):
            for line in fact.merchandise { handedOver[line.offer, default: 0] += line.quantity }
            let isOurs = fact.merchandise.allSatisfy { line in
                has(line.offer) >= handedOver[line.offer] ?? 0
            }
            if !isOurs { faults.append(.handedOverTooMuch) }
        default: faults += move(recorded)
        }
        if !aboard.isSubset(of: passengers) { faults.append(.aboardWithoutSeat) }
        return faults + moneyFaults
    }

    private mutating func move(_ recorded: RecordedEvent) -> [Audit.Statement] {
        let before = money
        money.evolve(recorded)
        switch recorded.event {
        case .paymentSucceeded(let fact), .paymentArrivedLate(let fact):
            return before.charged.contains(fact.payment) ? [.movedTwice] : []
        case .refundRequested(let fact):
            if before.refunds[fact.refund] != nil { return [.movedTwice] }
            // What a bank has taken back is no more there to be given back.
            return fact.amount.minorUnits <= before.refundable(of: fact.payment).minorUnits
                ? [] : [.refundedTooMuch]
        default: return []
        }
    }

    private mutating func confirm(_ fact: BookingConfirmed) -> [Audit.Statement] {
        var faults: [Audit.Statement] = []
        switch stage {
        case .held: if !fact.wasHeld { faults.append(.impossibleState) }
        case .ended: if fact.wasHeld { faults.append(.impossibleState) }
        case .sold: faults.append(.takenTwice)
        case .unknown, .completed, .cancelled: faults.append(.impossibleState)
        }
        if stage == .held, fact.holdings != holdings { faults.append(.takenTwice) }
        (stage, holdings) = (.sold, fact.holdings)
        return faults
    }

    private mutating func take(_ quote: Quote) -> [Audit.Statement] {
        var faults: [Audit.Statement] = []
        if !quote.addsUp { faults.append(.wrongTotal) }
        let numbers = quote.lines.flatMap(\.passengers)
        passengers = Set(numbers)
        if passengers.count != numbers.count { faults.append(.passengerTwice) }
        holdings = quote.holdings
        // What the booking has no more was brought back.
        for (offer, count) in handedOver { handedOver[offer] = min(count, has(offer)) }
        return faults
    }

    private func has(_ offer: OfferID) -> Int {
        holdings.merchandise.reduce(0) { $0 + ($1.offer == offer ? $1.quantity : 0) }
    }

    /// Merchandise that was handed over may stay with the customer.
    private mutating func giveBack(
        _ given: Holdings, from expected: Stage, to next: Stage
    ) -> [Audit.Statement] {
        var faults: [Audit.Statement] = []
        if stage != expected { faults.append(.impossibleState) }
        let isOurs =
            given.seats == holdings.seats && given.codes == holdings.codes
            && given.merchandise.allSatisfy { line in
                holdings.merchandise.contains {
                    ($0.offer, $0.variation) == (line.offer, line.variation)
                        && line.quantity <= $0.quantity
                }
            }
        if !isOurs { faults.append(.givenBackTwice) }
        (stage, holdings) = (next, .none)
        return faults
    }

    private var moneyFaults: [Audit.Statement] {
        guard !money.payments.isEmpty else { return [] }
        return money.kept.minorUnits < 0 ? [.refundedTooMuch] : []
    }

    /// What holds between requests only: one request charges, and sells or gives back.
    var chargedWithoutSeats: Bool {
        let hasSeats = stage == .sold || stage == .completed || (stage == .held && wasOffered)
        let isExhausted = money.failedRefundCount >= HearFromProvider.refundAttemptLimit
        return money.kept != .zero && !hasSeats && !isExhausted
    }
}

extension Quote {
    /// Whether every sum in it is the sum of its parts.
    var addsUp: Bool {
        let amounts =
            lines.reduce(Money.zero) { $0 + $1.amount }
            + merchandise.reduce(.zero) { $0 + $1.amount }
        let discounts =
            lines.reduce(Money.zero) { $0 + $1.discount }
            + merchandise.reduce(.zero) { $0 + $1.discount }
        let taxable = taxes.reduce(Money.zero) { $0 + $1.taxable }
        let tax = taxes.reduce(Money.zero) { $0 + $1.amount }
        return amounts == subtotal && discounts == discount && taxable == subtotal - discount
            && codes.reduce(Money.zero) { $0 + $1.discount } == discount
            && taxes.allSatisfy { $0.amount == $0.rate.share(of: $0.taxable) }
            && subtotal - discount + tax + tip - waived == total
    }
}

import EventCodec
import Testing

@testable import Domain

/// Every order in which a provider's messages may come, in every state that a booking may be in.
@Suite struct ProviderMessageTests {
    private static let payment: PaymentID = id(300)
    private static let total = Money(minorUnits: 27606)
    private static let deadline = noon + .minutes(10)
    private static let fleet = Fleet(capacity: 3)

    /// Where a booking of two of three seats stands when the messages begin to come.
    enum Situation: CaseIterable {
        case held, lapsed, lapsedAndTaken, expired, expiredAndTaken, abandoned
        /// Taken as well, but another boat of the trip has seats.
        case takenBesideSister
        case sold, checkedIn, completed, cancelled

        var now: Instant {
            switch self {
            case .held, .sold, .checkedIn, .cancelled: noon
            case .completed: departure
            default: deadline
            }
        }

        /// `payments` were begun, each for all that is due.
        func history(_ payments: [PaymentID] = [payment]) -> [Event] {
            let ended = HoldEnded(booking: ada.booking, holdings: ada.holdings(2))
            let taken = bob.placed(2, until: deadline + .minutes(5), fleet: fleet)
            let aboard = PassengersChecked(
                booking: ada.booking, sailing: Fleet.sailing, passengers: [1, 2])
            let more: [Event] =
                switch self {
                case .held, .lapsed: []
                case .lapsedAndTaken: taken
                case .expired: [.holdExpired(ended)]
                case .expiredAndTaken: [.holdExpired(ended)] + taken
                case .takenBesideSister:
                    taken + Array(Harbour.events().dropFirst(fleet.events.count))
                case .abandoned: [.bookingAbandoned(ended)]
                case .sold: ada.confirmed(2)
                case .checkedIn: ada.confirmed(2) + [.passengerCheckedIn(aboard)]
                case .completed:
                    ada.confirmed(2) + [
                        .bookingCompleted(
                            BookingCompleted(booking: ada.booking, sailings: [Fleet.sailing]))
                    ]
                case .cancelled:
                    [
                        .bookingCancelled(
                            BookingCancelled(
                                booking: ada.booking, holdings: ada.holdings(2), wasHeld: true,
                                reason: "fog"))
                    ]
                }
            let started = payments.map { payment in
                Event.paymentStarted(
                    PaymentStarted(
                        payment: payment, booking: ada.booking, amount: total, provider: .sandbox))
            }
            return fleet.events + ada.placed(2, fleet: fleet) + started + more
        }
    }

    private enum Message: CaseIterable {
        case declined, succeeded, disputed, refundSucceeded, refundFailed

        /// The refund messages are about the payment's newest refund.
        func command(_ money: BookingMoney, about payment: PaymentID) -> HearFromProvider {
            let entity = payment.entity
            let count = money.refunds.values.count { $0.payment == payment }
            let newest = RefundID(
                EntityID(
                    customHigh: entity.high, low: entity.low &+ UInt64(max(1, count)) << 32))
            let message: HearFromProvider.Message =
                switch self {
                case .declined: .declined(reason: "no cover")
                case .succeeded: .succeeded(total)
                case .disputed: .disputed(total)
                case .refundSucceeded: .refundSucceeded(newest)
                case .refundFailed: .refundFailed(newest, reason: "account closed")
                }
            return HearFromProvider(payment: payment, message: message)
        }
    }

    @Test(
        "keeps money and seats together, whatever a provider says up to five times",
        arguments: Situation.allCases)
    func keepsMoneyAndSeats(_ situation: Situation) {
        let payments = [Self.payment]
        var count = 0
        walk(situation.history(payments), payments, at: situation.now, depth: 5, &count)
        #expect(count == 5 + 25 + 125 + 625 + 3125)
    }

    @Test(
        "keeps them together also when a customer pays twice at the same time",
        arguments: Situation.allCases)
    func keepsMoneyOfTwoPayments(_ situation: Situation) {
        let payments = [Self.payment, id(301)]
        var count = 0
        walk(situation.history(payments), payments, at: situation.now, depth: 4, &count)
        #expect(count == 10 + 100 + 1000 + 10_000)
    }

    private func walk(
        _ history: [Event], _ payments: [PaymentID], at now: Instant, depth: Int,
        _ count: inout Int
    ) {
        guard depth > 0 else { return }
        let before = Ledger(history)
        let width = payments.count * Message.allCases.count
        for (payment, message) in payments.flatMap({ payment in
            Message.allCases.map { (payment, $0) }
        }) {
            let command = message.command(before.money, about: payment)
            let events = (try? Story.given(history).decide(command, at: now).get()) ?? []
            #expect(Ledger(history + events).faults(since: before, at: now) == [])
            #expect(!givesBackTooMuch(events, before.money))
            count += 1
            if events.isEmpty {
                // Nothing has changed, so what follows is what would follow without it.
                count += (1..<depth).reduce(0) { $0 + power(width, depth - $1) }
            } else {
                walk(history + events, payments, at: now, depth: depth - 1, &count)
            }
        }
    }

    /// More than is left of a payment when the bank has taken its part.
    private func givesBackTooMuch(_ events: [Event], _ money: BookingMoney) -> Bool {
        var money = money
        for event in events {
            if case .refundRequested(let fact) = event,
                fact.amount.minorUnits > money.refundable(of: fact.payment).minorUnits
            {
                return true
            }
            money.evolve(RecordedEvent(position: 1, recordedAt: dawn, event: event))
        }
        return false
    }

    private func power(_ base: Int, _ exponent: Int) -> Int {
        (0..<exponent).reduce(1) { result, _ in result * base }
    }

    /// What must hold after every message.
    private struct Ledger {
        var money = BookingMoney(of: ada.booking.entity)
        var life = BookingLife(of: ada.booking.entity)
        var seats = SailingSeats(of: Fleet.sailing.entity)
        /// Seats on another boat are set aside for what was paid.
        private var isOffered = false

        init(_ history: [Event]) {
            for (index, event) in history.enumerated() {
                let recorded = RecordedEvent(
                    position: Int64(index + 1), recordedAt: dawn, event: event)
                if event.tags.contains(ada.booking.entity) {
                    money.evolve(recorded)
                    life.evolve(recorded)
                }
                if event.tags.contains(Fleet.sailing.entity) { seats.evolve(recorded) }
                if case .alternativeOffered = event { isOffered = true }
            }
        }

        /// What does not hold, in words.
        func faults(since before: Ledger, at now: Instant) -> [String] {
            let hasSeats =
                [.confirmed, .checkedIn, .completed].contains(life.status)
                || isOffered && life.status == .held
            let faults: [(Bool, String)] = [
                (money.kept.minorUnits < 0, "more is given back than was paid"),
                (money.kept != .zero && !hasSeats, "charged, without a seat or a refund"),
                (money.kept.minorUnits > total.minorUnits, "charged twice"),
                (seats.figures(capacity: 3, at: now).used > 3, "a seat was sold twice"),
                (
                    [.checkedIn, .completed].contains(before.life.status)
                        && life.status != before.life.status, "taken from the boat"
                ),
            ]
            return faults.filter(\.0).map(\.1)
        }
    }

    @Test("would see money without a seat, a second refund, and a seat that is sold twice")
    func seesFaults() {
        let charge = ChargeMade(
            payment: Self.payment, booking: ada.booking, amount: Self.total, provider: .sandbox)
        func refund(_ number: UInt64) -> Event {
            .refundRequested(
                RefundRequested(
                    refund: id(400 + number), payment: Self.payment, booking: ada.booking,
                    amount: Self.total, provider: .sandbox, cause: .again, reason: ""))
        }
        func faults(_ situation: Situation, _ events: [Event]) -> [String] {
            Ledger(situation.history() + events)
                .faults(since: Ledger(situation.history()), at: situation.now)
        }
        let late = Event.paymentArrivedLate(charge)
        #expect(faults(.expired, [late]) == ["charged, without a seat or a refund"])
        #expect(faults(.expired, [late, refund(1)]) == [])
        #expect(
            faults(.sold, [refund(1), refund(2)]) == ["more is given back than was paid"])
        #expect(givesBackTooMuch([late, .chargeDisputed(charge), refund(1)], Ledger([]).money))
        #expect(!givesBackTooMuch([late, refund(1), .chargeDisputed(charge)], Ledger([]).money))
        let confirmed = Event.bookingConfirmed(
            BookingConfirmed(
                booking: ada.booking, holdings: ada.holdings(2), basis: .paid, wasHeld: false))
        #expect(faults(.expiredAndTaken, [late, confirmed]) == ["a seat was sold twice"])
    }
}

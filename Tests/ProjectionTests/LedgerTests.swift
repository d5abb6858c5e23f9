import Domain
import EventCodec
import ProjectionEngine
import Testing

@testable import Projections

@Suite struct LedgerTests {
    private static let booking = BookingID(EntityID(high: 1, low: 1))
    private static let payment = PaymentID(EntityID(high: 1, low: 2))

    private static func charge(_ cents: Int) -> ChargeMade {
        ChargeMade(
            payment: payment, booking: booking, amount: Money(minorUnits: cents),
            provider: .sandbox)
    }

    /// What is owed and what has happened, and the balance that is shown.
    private static let cases: [(owed: Int, events: [Event], balance: Int)] = [
        (27606, [.paymentSucceeded(charge(27606))], 0),
        (10000, [.paymentSucceeded(charge(27606))], -17606),
        // What the bank has taken back is not there to be given back, and the rest is.
        (10000, [.paymentSucceeded(charge(27606)), .chargeDisputed(charge(7606))], -17606),
        (1000, [.paymentSucceeded(charge(27606)), .chargeDisputed(charge(7606))], -20000),
        (10000, [.paymentSucceeded(charge(27606)), .chargeDisputed(charge(27606))], 0),
        // It was never charged.
        (0, [.chargeDisputed(charge(27606))], 0),
    ]

    @Test("shows no more to be given back than there is, and no less", arguments: cases)
    func balances(owed: Int, events: [Event], balance: Int) {
        let started = Event.paymentStarted(
            PaymentStarted(
                payment: Self.payment, booking: Self.booking, amount: Money(minorUnits: 27606),
                provider: .sandbox))
        var row: PaymentLedger.Row?
        for (index, event) in ([started] + events).enumerated() {
            let projected = ProjectedEvent(
                position: Int64(index + 1), recordedAt: Instant(microseconds: 0), event: event,
                contact: nil)
            row = PaymentLedger.fold(row, of: Self.payment.entity, projected)
        }
        let entries = [row].compactMap { $0 }.map { LedgerEntry(id: Self.payment.entity, row: $0) }
        #expect(entries.balance(of: Money(minorUnits: owed)).minorUnits == balance)
    }
}

import Commands
import Domain
import Operations
import Payments
import Reactions
import Synchronization
import Testing
import TestSupport

@Suite struct RefundDeskTests {
    /// Takes no order, and remembers who was named in one.
    private final class DeafProvider: PaymentProvider {
        struct Silence: Error {}

        let kind = ProviderKind.sandbox
        let asked = Mutex<Set<RefundID>>([])

        func page(of payment: PaymentID) -> String? { nil }

        func refund(_ refund: RefundID, of payment: PaymentID, amount: Money) throws {
            _ = asked.withLock { $0.insert(refund) }
            throw Silence()
        }

        func heard(
            _ body: [UInt8], header: (String) -> String?, at now: Instant
        ) throws(MessageFault) -> HeardMessage {
            throw .notSigned
        }
    }

    @Test("orders every refund, also when more than one batch of them is answered by nobody")
    func ordersAll() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                let fleet = SeaFleet(capacity: 10)
                _ = try await loop.submit(fleet.envelope)
                let placed = try await loop.submit(fleet.order(seats: 1))
                let fact = try placed.placed
                var generator = SystemRandomNumberGenerator()
                let payment = PaymentID(.random(using: &generator))
                let messages: [any Command] = [
                    StartPayment(payment: payment, booking: fact.booking, provider: .sandbox),
                    HearFromProvider(payment: payment, message: .succeeded(fact.quote.total)),
                ]
                for message in messages { _ = try await loop.submit(envelope([message])) }
                let count = RefundDesk.batchLimit + 5
                let refunds = (0..<count).map { _ in
                    RefundGoodwill(
                        booking: fact.booking, amount: Money(minorUnits: 50), reason: "fog")
                }
                _ = try await loop.submit(envelope(refunds))
                let provider = DeafProvider()
                let desk = RefundDesk(
                    provider, configuration: database.connections.durable, logger: quiet)
                try await withServices([desk]) {
                    try await eventually("every refund is ordered") {
                        provider.asked.withLock { $0.count } == count
                    }
                }
            }
        }
    }
}

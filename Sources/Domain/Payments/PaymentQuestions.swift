/// What was asked for by a payment.
public struct PaymentAskedFor: Question {
    public var payment: PaymentID

    public init(payment: PaymentID) {
        self.payment = payment
    }

    public func answer(
        in world: borrowing World, at now: Instant
    ) throws(Refusal) -> PaymentStarted {
        guard let started = world.look(at: PaymentTerms.self, of: payment).started else {
            throw .unknown(kind: "payment", id: payment.entity)
        }
        return started
    }
}

internal import Commands
internal import Domain
internal import EventCodec
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Payments
internal import Web

extension CommandAPI {
    var paymentOperations: [Operation] {
        [
            Operation(
                "startPayment", .post, "/v1/bookings/{booking}/payments"
            ) { request, context in
                try await startPayment(request, context.id("booking"))
            },
            Operation("hearFromProvider", .post, "/v1/payments/messages") { request, _ in
                try await hear(request)
            },
            Operation("actInSandbox", .post, "/v1/sandbox/payments/{payment}") { request, context in
                try await act(request, context.id("payment"))
            },
        ]
    }

    private func startPayment(_ request: Request, _ booking: BookingID) async throws -> Response {
        let payment = draw(Kind.Payment.self)
        guard provider.page(of: payment) != nil else {
            throw Problem(
                "pay-at-the-dock", .conflict, "Pay at the dock",
                detail: "cards are not taken here: staff takes the money")
        }
        let receipt = try await submit(
            request, Body.none(request),
            [StartPayment(payment: payment, booking: booking, provider: provider.kind)])
        guard case .paymentStarted(let fact) = receipt.events.first?.event else {
            preconditionFailure("a new payment was known")
        }
        return answer(.created, position: receipt.position) { json in
            json.field("payment", fact.payment)
            json.field("booking", fact.booking)
            json.field("amount") { $0.write(fact.amount) }
            json.field("provider", fact.provider.rawValue)
            json.field("page", provider.page(of: fact.payment))
        }
    }

    /// A message takes effect once, however often it comes: its own id is the key.
    private func hear(_ request: Request) async throws -> Response {
        let body = try await Body.read(request)
        let message: HeardMessage
        do throws(MessageFault) {
            message = try provider.heard(
                body.bytes,
                header: { name in HTTPField.Name(name).flatMap { request.headers[$0] } },
                at: clock())
        } catch .notSigned {
            throw Problem(
                "bad-signature", .unauthorized, "Who are you?",
                detail: "the message is not signed by the payment provider, or too old")
        } catch .notUnderstood {
            throw Problem.malformed(field: "", "this is no message of a payment provider")
        }
        let envelope = Envelope(
            id: message.id, requestHash: body.hash, actor: "provider:\(provider.kind.rawValue)",
            commands: [message.command])
        do throws(CommandError) {
            let receipt = try await loop.submit(envelope)
            return answer(position: receipt.position) { json in
                json.field("happened", receipt.events) { $0.value($1.event.type.name) }
            }
        } catch {
            throw problem(for: error)
        }
    }

    private func act(_ request: Request, _ payment: PaymentID) async throws -> Response {
        let body = try await Body.read(request)
        let deed = try reading { () throws(JSONError) in
            try body.json.allow(only: ["deed"])
            return try body.json["deed"].choice(of: SandboxProvider.Deed.self)
        }
        guard let sandbox else { throw Problem.notFound("sandbox") }
        let (started, position) = try await ask(PaymentAskedFor(payment: payment))
        sandbox.act(deed, on: started)
        return answer(.accepted, position: position) { $0.field("payment", payment) }
    }
}

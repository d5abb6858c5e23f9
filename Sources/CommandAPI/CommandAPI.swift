public import Access
public import Commands
public import Domain
internal import EventCodec
internal import HTTPTypes
public import Hummingbird
internal import JSON
public import Payments
public import Sealing
public import Web

/// The front door: decodes commands, hands them to the decision loop, and says what came of them.
public struct CommandAPI: Sendable {
    let loop: DecisionLoop
    let gatekeeper: Gatekeeper
    let desk: StaffDesk
    let policy: HoldPolicy
    let provider: any PaymentProvider
    /// The provider, when it is the one for trying things out.
    var sandbox: SandboxProvider? { provider as? SandboxProvider }
    let links: BookingLink
    /// The key of a customer; nil when he is forgotten.
    let customerKey: @Sendable (CustomerID) async throws -> CustomerKey?
    let clock: @Sendable () -> Instant
    /// Whether the log can be written now.
    let isReady: @Sendable () async -> Bool
    let observer: RequestObserver
    /// Draws a booking's code, which somebody may have.
    let drawCode: @Sendable () -> ConfirmationCode
    /// Codes that are drawn for one order.
    static let drawLimit = 5

    public init(
        _ loop: DecisionLoop, gatekeeper: @escaping Gatekeeper, desk: StaffDesk,
        policy: HoldPolicy = HoldPolicy(),
        provider: any PaymentProvider = DockProvider(), links: BookingLink,
        customerKey: @escaping @Sendable (CustomerID) async throws -> CustomerKey?,
        clock: @escaping @Sendable () -> Instant,
        isReady: @escaping @Sendable () async -> Bool, observer: RequestObserver,
        drawCode: @escaping @Sendable () -> ConfirmationCode
    ) {
        self.loop = loop
        self.gatekeeper = gatekeeper
        self.desk = desk
        self.policy = policy
        self.provider = provider
        self.links = links
        self.customerKey = customerKey
        self.clock = clock
        self.isReady = isReady
        self.observer = observer
        self.drawCode = drawCode
    }

    public var operations: [Operation] {
        bookingOperations + changeOperations + scanOperations + staffOperations
            + paymentOperations + codeOperations
            + merchandiseOperations
            + sailingOperations
            + catalogueOperations + [
                OpenAPI.operation,
                Operation("liveness", .get, "/livez") { _, _ in
                    answer(position: 0) { $0.field("status", "alive") }
                },
                Operation("readiness", .get, "/readyz") { request, _ in
                    _ = try request.excludedFromReadiness()
                    guard await isReady() else {
                        throw Problem.unavailable("the log can't be written now")
                    }
                    let depth = loop.queueDepth
                    return answer(position: 0) { json in
                        json.field("status", "ready")
                        json.field("waiting", depth)
                    }
                },
            ]
    }

    public var router: Router<APIContext> {
        .serving(operations, gatekeeper: gatekeeper, observer: observer)
    }

    // MARK: What all commands have in common

    /// How the one who asks sells.
    var seller: Seller { Caller.current.seller }

    /// `hash` where a repeat is told from another request by something else than the body.
    func submit(
        _ request: Request, _ body: Body, hash: [UInt8]? = nil, _ commands: [any Command],
        by actor: String? = nil
    ) async throws(Problem) -> Receipt {
        let envelope = try envelope(request, hash ?? body.hash, commands, by: actor)
        do throws(CommandError) {
            return try await loop.submit(envelope)
        } catch {
            throw problem(for: error, saidIn: body)
        }
    }

    /// Submits an order under a code that is drawn for it, and drawn again where somebody has it.
    func submit(
        _ request: Request, _ body: Body, _ order: PlaceBooking, key: CustomerKey
    ) async throws(Problem) -> Receipt {
        var envelope = try envelope(request, body.hash, [order])
        envelope.customerKeys = [(order.customer, key.bytes)]
        var drawCount = 1
        while true {
            do throws(CommandError) {
                return try await loop.submit(envelope)
            } catch {
                guard case .claimTaken = error, drawCount < Self.drawLimit else {
                    throw problem(for: error, saidIn: body)
                }
            }
            var again = order
            again.code = drawCode()
            envelope.commands = [again]
            drawCount += 1
        }
    }

    private func envelope(
        _ request: Request, _ hash: [UInt8], _ commands: [any Command], by actor: String? = nil
    ) throws(Problem) -> Envelope {
        Envelope(
            id: try request.idempotencyKey(), requestHash: hash,
            correlationID: Caller.current.trace, actor: actor ?? Caller.current.actor,
            commands: commands)
    }

    /// The receipt of the first time, where the request's key was accepted before.
    func repeated(_ request: Request, _ hash: [UInt8]) async throws(Problem) -> Receipt? {
        let key = try request.idempotencyKey()
        do throws(CommandError) {
            return try await loop.repeated(key, hash)
        } catch {
            throw problem(for: error)
        }
    }

    /// Says what has happened to a thing; nothing, where it was so already.
    func changed(
        _ entity: EntityID, by receipt: Receipt, _ status: HTTPResponse.Status = .ok
    ) -> Response {
        answer(status, position: receipt.position) { json in
            json.name("id")
            json.value(entity)
            json.field("happened", receipt.events) { $0.value($1.event.type.name) }
        }
    }

    func keys(_ customer: CustomerID) async throws(Problem) -> CustomerKey? {
        do {
            return try await customerKey(customer)
        } catch {
            throw .unavailable("the customers' keys can't be read now")
        }
    }

    func ask<Asked: Question>(
        _ question: Asked, isCurrent: Bool = false, saidIn body: Body? = nil
    ) async throws(Problem) -> (answer: Asked.Answer, position: Int64) {
        do throws(CommandError) {
            return try await loop.ask(question, isCurrent: isCurrent)
        } catch {
            throw problem(for: error, saidIn: body)
        }
    }

    /// Draws an id that nobody has.
    func draw<K>(_ kind: K.Type = K.self) -> ID<K> {
        var generator = SystemRandomNumberGenerator()
        return ID(.drawn(at: clock(), using: &generator))
    }
}

internal import AsyncHTTPClient
public import Domain
internal import Foundation
public import Logging
internal import NIOCore
internal import NIOHTTP1
public import ServiceLifecycle
internal import Synchronization

/// A card provider that moves no money and otherwise behaves like a real one: what becomes of a payment
/// it says later, in signed messages that may come twice and out of order.
public final class SandboxProvider: PaymentProvider, Service {
    /// What the customer of a payment does, or his bank later.
    public enum Deed: String, Sendable, CaseIterable {
        case pay
        case decline
        case dispute
    }

    public let kind = ProviderKind.sandbox
    private let secret = SigningSecret()
    /// Messages on their way, beyond which new ones are lost, as they would be by a provider that is down.
    public static let messageLimit = 10_000
    /// Times that a message is sent until somebody takes it.
    public static let attemptLimit = 8
    /// The first attempt to give back an amount that ends like this fails.
    public static let failingCents = 13

    private let url: String
    private let clock: @Sendable () -> Instant
    private let logger: Logger
    private let messages = AsyncStream.makeStream(of: ProviderMessage.self)
    /// Those of ``messages``, and those that are being sent.
    private let underWay = Atomic(0)
    private let failedOnce = Mutex<Set<PaymentID>>([])

    /// `url` is where the messages go.
    public init(url: String, clock: @escaping @Sendable () -> Instant, logger: Logger) {
        self.url = url
        self.clock = clock
        self.logger = logger
    }

    public func page(of payment: PaymentID) -> String? { "/v1/sandbox/payments/\(payment)" }

    /// Does what a customer or a bank would do.
    public func act(_ deed: Deed, on payment: PaymentStarted) {
        let (kind, reason): (ProviderMessage.Kind, String?) =
            switch deed {
            case .pay: (.paymentSucceeded, nil)
            case .decline: (.paymentDeclined, "insufficient funds")
            case .dispute: (.chargeDisputed, nil)
            }
        send(kind, payment.payment, refund: nil, payment.amount, reason)
    }

    public func refund(_ refund: RefundID, of payment: PaymentID, amount: Money) {
        let fails =
            amount.minorUnits % 100 == Self.failingCents
            && failedOnce.withLock { $0.insert(payment).inserted }
        if fails {
            send(.refundFailed, payment, refund: refund, amount, "the card's account is closed")
        } else {
            send(.refundSucceeded, payment, refund: refund, amount, nil)
        }
    }

    public func heard(
        _ body: [UInt8], header: (String) -> String?, at now: Instant
    ) throws(MessageFault) -> HeardMessage {
        let signature = header(ProviderMessage.signatureHeader) ?? ""
        guard secret.signed(body, as: signature, at: now) else { throw .notSigned }
        guard let message = ProviderMessage(body: body), let command = message.heard else {
            throw .notUnderstood
        }
        return HeardMessage(id: message.id, command: command)
    }

    private func send(
        _ kind: ProviderMessage.Kind, _ payment: PaymentID, refund: RefundID?, _ amount: Money,
        _ reason: String?
    ) {
        guard underWay.add(1, ordering: .relaxed).newValue <= Self.messageLimit else {
            underWay.subtract(1, ordering: .relaxed)
            return logger.warning(
                "too many messages are on their way", metadata: ["payment": "\(payment)"])
        }
        var generator = SystemRandomNumberGenerator()
        messages.continuation.yield(
            ProviderMessage(
                id: .random(using: &generator), kind: kind, payment: payment, refund: refund,
                amount: amount, reason: reason))
    }

    /// Sends until shutdown: each message after a while of its own, and one in four a second time.
    public func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await message in self.messages.stream {
                    let isToldTwice = Int.random(in: 0..<4) == 0
                    group.addTask {
                        async let again: Void? = isToldTwice ? self.deliver(message) : nil
                        await self.deliver(message)
                        _ = await again
                        self.underWay.subtract(1, ordering: .relaxed)
                    }
                }
            }
        }
    }

    private func deliver(_ message: ProviderMessage) async {
        var wait = Duration.milliseconds(Int.random(in: 10...300))
        for _ in 0..<Self.attemptLimit {
            do {
                try await Task.sleep(for: wait)
                if try await post(message.body) { return }
            } catch {
                if Task.isCancelled { return }
                logger.debug("a message did not arrive", metadata: ["reason": "\(error)"])
            }
            wait = wait * 2
        }
        logger.warning("nobody takes a message", metadata: ["payment": "\(message.payment)"])
    }

    private func post(_ body: [UInt8]) async throws -> Bool {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(
            name: ProviderMessage.signatureHeader, value: secret.signature(of: body, at: clock()))
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        return response.status == .ok
    }
}

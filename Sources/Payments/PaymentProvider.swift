public import Domain

/// Somebody who moves money for us.
///
/// It is told what to do, perhaps more than once, and the ids make the second time the same as the
/// first. What became of it comes back as messages, which it alone can read.
public protocol PaymentProvider: Sendable {
    var kind: ProviderKind { get }

    /// The path of the page on which a customer pays; nil where there is none, because staff is paid.
    func page(of payment: PaymentID) -> String?

    /// Has money of a payment given back. Throws when the order did not arrive; it is then given again.
    func refund(_ refund: RefundID, of payment: PaymentID, amount: Money) async throws

    /// What a message says that somebody sent in its name: `header` gives the fields of the request by their names.
    /// Throws ``MessageFault``.
    func heard(
        _ body: [UInt8], header: (String) -> String?, at now: Instant
    ) throws(MessageFault) -> HeardMessage
}

/// What a provider has said, and the provider's own id of the message: the same when it is sent again.
public struct HeardMessage: Sendable {
    public var id: EntityID
    public var command: HearFromProvider
}

/// Why a message was not heard.
public enum MessageFault: Error {
    /// It is not the provider's, or too old.
    case notSigned
    case notUnderstood
}

/// Staff with a till or a card terminal: what is taken and handed out is recorded as it is done, by the
/// command that says so, and no message comes later.
public struct DockProvider: PaymentProvider {
    public let kind = ProviderKind.dock

    public init() {}

    public func page(of payment: PaymentID) -> String? { nil }

    public func refund(_ refund: RefundID, of payment: PaymentID, amount: Money) {}

    public func heard(
        _ body: [UInt8], header: (String) -> String?, at now: Instant
    ) throws(MessageFault) -> HeardMessage {
        throw .notSigned
    }
}

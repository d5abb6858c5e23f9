internal import Crypto
public import Domain
internal import EventCodec
internal import Foundation
internal import JSON

/// What a provider says, as it comes over the wire: JSON, and a signature over it and the time.
///
/// The signature header is `t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 of `SECONDS.BODY` under a
/// secret that both sides know.
public struct ProviderMessage: Sendable, Hashable {
    public static let signatureHeader = "Payment-Signature"
    /// Older messages are refused, or one that was overheard could be sent again for ever.
    public static let ageLimit = TimeSpan.minutes(5)

    public enum Kind: String, Sendable, CaseIterable {
        case paymentDeclined = "payment.declined"
        case paymentSucceeded = "payment.succeeded"
        case chargeDisputed = "charge.disputed"
        case refundSucceeded = "refund.succeeded"
        case refundFailed = "refund.failed"
    }

    /// The provider's own id of the message; the same when it is sent again.
    public var id: EntityID
    public var kind: Kind
    public var payment: PaymentID
    public var refund: RefundID?
    public var amount: Money
    public var reason: String?

    /// As a command sees it; nil where a message about a refund names none.
    public var heard: HearFromProvider? {
        switch (kind, refund) {
        case (.paymentDeclined, _):
            .init(payment: payment, message: .declined(reason: reason ?? ""))
        case (.paymentSucceeded, _): .init(payment: payment, message: .succeeded(amount))
        case (.chargeDisputed, _): .init(payment: payment, message: .disputed(amount))
        case (.refundSucceeded, let refund?):
            .init(payment: payment, message: .refundSucceeded(refund))
        case (.refundFailed, let refund?):
            .init(payment: payment, message: .refundFailed(refund, reason: reason ?? ""))
        case (.refundSucceeded, nil), (.refundFailed, nil): nil
        }
    }

    public var body: [UInt8] {
        JSONWriter.write { json in
            json.object { json in
                json.name("id")
                json.value(id)
                json.field("type", kind.rawValue)
                json.field("payment", payment)
                json.field("refund", refund)
                json.field("amount") { $0.write(amount) }
                json.field("reason", reason)
            }
        }
    }

    /// Reads a body; nil when it is not a message.
    public init?(body: [UInt8]) {
        do throws(JSONError) {
            let json = try JSONDocument(body).root.object()
            try json.allow(only: ["id", "type", "payment", "refund", "amount", "reason"])
            let amount = try json["amount"].object()
            let message: ID<ProviderMessage> = try json["id"].id()
            self.init(
                id: message.entity, kind: try json["type"].choice(),
                payment: try json["payment"].id(), refund: try json.optional("refund")?.id(),
                amount: Money(
                    minorUnits: try amount["amount"].integer(),
                    currency: try amount["currency"].choice()),
                reason: try json.optional("reason")?.string())
        } catch {
            return nil
        }
        guard (0...Money.minorUnitsLimit).contains(amount.minorUnits), (reason ?? "").count <= 500
        else { return nil }
    }

    public init(
        id: EntityID, kind: Kind, payment: PaymentID, refund: RefundID?, amount: Money,
        reason: String?
    ) {
        self.id = id
        self.kind = kind
        self.payment = payment
        self.refund = refund
        self.amount = amount
        self.reason = reason
    }
}

/// What both sides of a provider's messages know.
public struct SigningSecret: Sendable {
    private let key: SymmetricKey

    /// Draws a new one.
    public init() {
        key = SymmetricKey(size: .bits256)
    }

    public func signature(of body: [UInt8], at now: Instant) -> String {
        let seconds = now.microseconds / 1_000_000
        let code = HMAC<SHA256>.authenticationCode(for: Self.signed(body, seconds), using: key)
        let digits = Hexadecimal.digits(of: Array(code))
        return "t=\(seconds),v1=\(String(decoding: digits, as: UTF8.self))"
    }

    /// Whether a signature is of this secret, over this body, and not too old; compared in constant time.
    public func signed(_ body: [UInt8], as signature: String, at now: Instant) -> Bool {
        let parts = signature.split(separator: ",")
        guard parts.count == 2, parts[0].hasPrefix("t="), parts[1].hasPrefix("v1="),
            let seconds = Int64(parts[0].dropFirst(2)), (0...253_402_300_799).contains(seconds)
        else { return false }
        let sentAt = Instant(microseconds: seconds * 1_000_000)
        guard sentAt <= now + ProviderMessage.ageLimit, now <= sentAt + ProviderMessage.ageLimit
        else { return false }
        var digits = String(parts[1].dropFirst(3))
        let code = digits.withUTF8 { Hexadecimal.bytes(of: UnsafeRawBufferPointer($0)) }
        guard let code else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            code, authenticating: Self.signed(body, seconds), using: key)
    }

    private static func signed(_ body: [UInt8], _ seconds: Int64) -> [UInt8] {
        Array("\(seconds).".utf8) + body
    }
}

public import Crypto
public import Domain
internal import HTTPTypes
public import Hummingbird

/// Makes and checks the links by which a customer comes to his booking without saying who he is.
///
/// A link is a deadline and an HMAC-SHA-256 over it and the booking's id (RFC 2104), in hexadecimal: nobody
/// without the secret makes one, and one booking's opens no other.
public struct BookingLink: Sendable {
    /// Long enough for a trip that is booked half a year ahead.
    public static let lifetime = TimeSpan.days(200)

    private let key: SymmetricKey
    /// Has the key already: every booking is answered with a link, and the key is half of its work.
    private let keyed: HMAC<SHA256>

    public init(_ secret: SigningKeys) {
        key = secret.key(for: "booking link")
        keyed = HMAC(key: key)
    }

    public func text(for booking: BookingID, at now: Instant) -> String {
        let seconds = (now + Self.lifetime).microseconds / 1_000_000
        var code = keyed
        code.update(data: Self.signed(booking, seconds))
        let digits = Hexadecimal.digits(of: Array(code.finalize()))
        return "\(seconds).\(String(decoding: digits, as: UTF8.self))"
    }

    /// Whether a text is the booking's link, and not too old; compared in constant time.
    public func opens(_ booking: BookingID, _ text: String, at now: Instant) -> Bool {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let seconds = Int64(parts[0]),
            (0...253_402_300_799).contains(seconds), now.microseconds / 1_000_000 < seconds
        else { return false }
        var digits = String(parts[1])
        guard let code = digits.withUTF8({ Hexadecimal.bytes(of: UnsafeRawBufferPointer($0)) })
        else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            code, authenticating: Self.signed(booking, seconds), using: key)
    }

    /// Whether a request carries the booking's link; throws when it carries another.
    public func isCarried(
        by request: Request, for booking: BookingID, at now: Instant
    ) throws(Problem) -> Bool {
        guard let text = request.headers[.bookingLink] else { return false }
        guard opens(booking, text, at: now) else { throw .unauthorized }
        return true
    }

    private static func signed(_ booking: BookingID, _ seconds: Int64) -> [UInt8] {
        booking.entity.bytes + Array("\(seconds)".utf8)
    }
}

extension HTTPField.Name {
    fileprivate static let bookingLink = Self("Booking-Link")!
}

/// The keys that are made from one secret: one for each thing that is signed, so that none passes for
/// another (HKDF, RFC 5869).
public struct SigningKeys: Sendable {
    /// Secrets shorter than this can be guessed.
    public static let shortestLength = 32

    private let secret: SymmetricKey

    public init(_ secret: String) {
        self.secret = SymmetricKey(data: Array(secret.utf8))
    }

    public func key(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: secret, info: Array("quartermaster \(purpose)".utf8),
            outputByteCount: 32)
    }
}

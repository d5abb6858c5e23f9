internal import Crypto
internal import Domain
internal import EventCodec
internal import Foundation
internal import JWTKit
internal import Web

/// Short-lived tokens that say who somebody is: JSON Web Tokens (RFC 7519) with HMAC-SHA-256.
actor AccessTokens {
    /// After this long a new one is to be had with the refresh token.
    static let lifetime = TimeSpan.minutes(10)

    private let secret: HMACKey
    private var known: JWTKeyCollection?

    init(_ secret: SigningKeys) {
        self.secret = HMACKey(key: secret.key(for: "access token"))
    }

    private func keys() async -> JWTKeyCollection {
        if let known { return known }
        let keys = JWTKeyCollection()
        await keys.add(hmac: secret, digestAlgorithm: .sha256)
        known = keys
        return keys
    }

    struct Claims: Sendable {
        var account: AccountID
        var session: SessionID
        var role: Role
    }

    private struct Payload: JWTPayload {
        var sub: SubjectClaim
        var sid: String
        var role: String
        var exp: ExpirationClaim

        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    func token(_ claims: Claims, at now: Instant) async throws -> (String, expiresAt: Instant) {
        let expiresAt = now + Self.lifetime
        let payload = Payload(
            sub: SubjectClaim(value: claims.account.description),
            sid: claims.session.description, role: claims.role.rawValue,
            exp: ExpirationClaim(
                value: Date(timeIntervalSince1970: Double(expiresAt.microseconds) / 1_000_000)))
        return (try await keys().sign(payload), expiresAt)
    }

    /// nil for a token that is not of ours, or too old.
    func claims(of token: String, at now: Instant) async -> Claims? {
        guard let payload = try? await keys().verify(token, as: Payload.self),
            payload.exp.value.timeIntervalSince1970 > Double(now.microseconds) / 1_000_000,
            let account = EntityID(payload.sub.value), let session = EntityID(payload.sid),
            let role = Role(rawValue: payload.role)
        else { return nil }
        return Claims(account: ID(account), session: ID(session), role: role)
    }
}

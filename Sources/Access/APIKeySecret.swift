internal import Crypto
internal import Domain
internal import EventCodec
internal import Web

/// The text by which a program is known: `qm_`, the key's id, and a secret of 256 bits.
///
/// The secret is made from the key's id and the signing secret, so that a repeated request to issue a key
/// answers the same; the vault has its SHA-256 only.
enum APIKeySecret {
    static func text(of key: APIKeyID, _ secrets: SigningKeys) -> String {
        "qm_\(key)_\(secret(of: key, secrets))"
    }

    static func secret(of key: APIKeyID, _ secrets: SigningKeys) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: key.entity.bytes, using: secrets.key(for: "API key"))
        return String(decoding: Hexadecimal.digits(of: Array(code)), as: UTF8.self)
    }

    static func hash(_ secret: String) -> [UInt8] { Array(SHA256.hash(data: Array(secret.utf8))) }

    /// Compared digest by digest, in constant time.
    static func isRight(_ secret: String, for hash: [UInt8]) -> Bool {
        SHA256.hash(data: Array(secret.utf8)) == hash
    }

    static func parts(of token: String) -> (APIKeyID, secret: String)? {
        let parts = token.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "qm", let key = EntityID(String(parts[1])) else {
            return nil
        }
        return (ID(key), String(parts[2]))
    }
}

internal import Crypto
internal import HTTPTypes
public import Hummingbird

/// The token that opens the staff's routes.
public struct StaffToken: Sendable {
    private let digest: SHA256.Digest

    /// Tokens shorter than this can be guessed.
    public static let shortestLength = 16

    public init(_ token: String) {
        digest = SHA256.hash(data: Array(token.utf8))
    }

    /// Whether the request carries the token; throws when it carries another.
    ///
    /// Digests are compared, in constant time: "MessageDigest … == compares in constant time"
    /// (swift-crypto), so neither content nor length of the token leaks.
    public func isCarried(by request: Request) throws(Problem) -> Bool {
        guard let header = request.headers[.authorization] else { return false }
        let prefix = "Bearer "
        guard header.hasPrefix(prefix),
            SHA256.hash(data: Array(header.dropFirst(prefix.count).utf8)) == digest
        else { throw .unauthorized }
        return true
    }

    public func require(_ request: Request) throws(Problem) {
        guard try isCarried(by: request) else { throw .unauthorized }
    }
}

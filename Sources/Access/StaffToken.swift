internal import Crypto

/// The operator's own token: the owner who is there before there are accounts.
public struct StaffToken: Sendable {
    private let digest: SHA256.Digest

    /// Tokens shorter than this can be guessed.
    public static let shortestLength = 16

    public init(_ token: String) {
        digest = SHA256.hash(data: Array(token.utf8))
    }

    /// Digests are compared, in constant time: "MessageDigest … == compares in constant time"
    /// (swift-crypto), so neither content nor length of the token leaks.
    func isRight(_ token: String) -> Bool {
        SHA256.hash(data: Array(token.utf8)) == digest
    }
}

internal import CSodium
internal import NIOPosix

/// Passwords, as Argon2id keeps them (RFC 9106): 64 MiB and two passes each, so that trying many is dear.
public enum Password {
    public static let lengths = 12...256

    /// A hash with its own salt and parameters in it.
    public static func hash(_ password: String) async throws -> String {
        try await NIOThreadPool.singleton.runIfActive {
            start()
            var output = [CChar](repeating: 0, count: Int(crypto_pwhash_strbytes()))
            let result = crypto_pwhash_str(
                &output, password, UInt64(password.utf8.count),
                UInt64(crypto_pwhash_opslimit_interactive()),
                crypto_pwhash_memlimit_interactive())
            // "0 on success … -1 if it didn't complete successfully, usually because the operating
            // system refused to allocate the amount of requested memory"
            // (https://doc.libsodium.org/password_hashing/default_phf).
            guard result == 0 else { throw OutOfMemory() }
            return String(
                decoding: output.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    /// Whether a password is the one that was hashed. It takes as long for nobody's hash.
    public static func isRight(_ password: String, for hash: String?) async throws -> Bool {
        guard let hash else {
            _ = try await Password.hash(password)
            return false
        }
        return try await NIOThreadPool.singleton.runIfActive {
            start()
            return crypto_pwhash_str_verify(hash, password, UInt64(password.utf8.count)) == 0
        }
    }

    struct OutOfMemory: Error {}

    /// "sodium_init() … can be called multiple times and from different threads without issue"
    /// (https://doc.libsodium.org/usage).
    private static func start() {
        precondition(sodium_init() >= 0, "libsodium can't be used on this machine")
    }
}

internal import Foundation

/// What only those know who may come to a server of ours, or in by a door of ours, in files for their owner only.
public enum Secret {
    /// What stands in a file; nil where there is none.
    public static func stored(in file: String) -> String? {
        (try? String(contentsOfFile: file, encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What stands in a file; drawn and written at the first time: 256 bits, in digits that a URL may have. As root the
    /// file is `owner`'s, where one is named. Throws ``ServerError`` when it can't be written.
    public static func kept(
        in file: String, for owner: String? = nil
    ) throws(ServerError) -> String {
        if let secret = stored(in: file), !secret.isEmpty { return secret }
        let parts = (0..<4).map { _ in String(UInt64.random(in: 0 ... .max), radix: 16) }
        let secret = parts.map { String(repeating: "0", count: 16 - $0.count) + $0 }.joined()
        try write(secret + "\n", to: file, for: owner)
        return secret
    }

    static func write(
        _ text: String, to file: String, for owner: String? = nil
    ) throws(ServerError) {
        guard
            FileManager.default.createFile(
                atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw ServerError("can't write \(file)") }
        if let owner { give(file, to: owner) }
    }
}

internal import Foundation
internal import Glibc

/// The folder in which a system of its own lives, and the addresses of the one that runs there.
struct Place: Sendable {
    let folder: String
    private let settings: Settings

    init(_ settings: Settings) throws(OperationError) {
        folder = settings.absoluteDataFolder
        self.settings = settings
    }

    func makeFolder() throws(OperationError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw OperationError("can't make the folder \(folder): \(error.localizedDescription)")
        }
    }

    // MARK: Addresses

    private var addressFile: String { folder + "/addresses" }

    func store(databaseURL: String, natsURL: String) {
        let text = "\(databaseURL)\n\(natsURL)\n"
        try? text.write(toFile: addressFile, atomically: true, encoding: .utf8)
    }

    func forgetAddresses() {
        try? FileManager.default.removeItem(atPath: addressFile)
    }

    private func stored(_ line: Int) -> String? {
        let lines = (try? String(contentsOfFile: addressFile, encoding: .utf8))?
            .split(separator: "\n")
        return lines.flatMap { $0.count > line ? String($0[line]) : nil }
    }

    /// Where PostgreSQL is: as the environment says, else that of the `up` that runs here.
    func databaseURL() throws(OperationError) -> String {
        if let url = settings.databaseURL ?? stored(0) { return url }
        throw OperationError(
            "DATABASE_URL is not set, and no 'quartermaster up' runs in \(folder)")
    }

    func natsURL() throws(OperationError) -> String {
        if let url = settings.natsURL ?? stored(1) { return url }
        throw OperationError("NATS_URL is not set, and no 'quartermaster up' runs in \(folder)")
    }

    // MARK: Staff token

    private var tokenFile: String { folder + "/staff-token" }

    var storedStaffToken: String? {
        (try? String(contentsOfFile: tokenFile, encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The token of the environment, else the stored one, else a new one, stored for its owner only.
    func staffToken() throws(OperationError) -> String {
        if let token = settings.staffToken ?? storedStaffToken { return token }
        var generator = SystemRandomNumberGenerator()
        let token = (0..<4).map { _ in String(generator.next() as UInt64, radix: 36) }.joined()
        let isStored = FileManager.default.createFile(
            atPath: tokenFile, contents: Data(token.utf8), attributes: [.posixPermissions: 0o600])
        guard isStored else { throw OperationError("can't write \(tokenFile)") }
        return token
    }

    // MARK: Lock

    /// Makes this process the only `up` of the folder for as long as it lives.
    ///
    /// The lock goes with the process, however it ends, so nothing is left to clean up.
    func lock() throws(OperationError) {
        let descriptor = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw OperationError("can't write to \(folder)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw OperationError(
                "another 'quartermaster up' runs in \(folder): stop it, or set QUARTERMASTER_DATA")
        }
    }
}

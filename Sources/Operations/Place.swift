internal import Foundation
internal import Glibc
internal import LocalServers

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
        // A URL may have a password in it.
        try? FileManager.default.removeItem(atPath: addressFile)
        _ = FileManager.default.createFile(
            atPath: addressFile, contents: Data("\(databaseURL)\n\(natsURL)\n".utf8),
            attributes: [.posixPermissions: 0o600])
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

    // MARK: Secrets

    private func stored(_ name: String) -> String? { Secret.stored(in: "\(folder)/\(name)") }

    /// What is given, else the stored secret of a name, else a new one, stored for its owner only.
    private func secret(_ name: String, given: String?) throws(OperationError) -> String {
        if let given { return given }
        do throws(ServerError) {
            return try Secret.kept(in: "\(folder)/\(name)")
        } catch {
            throw OperationError(error.description)
        }
    }

    /// The token and the secret of the environment, else the stored ones, else new ones.
    func secrets() throws(OperationError) -> Secrets {
        Secrets(
            staffToken: try secret("staff-token", given: settings.staffToken),
            signing: try secret("signing-secret", given: settings.signingSecret))
    }

    /// The same for a role that runs alone, which draws none.
    func knownSecrets() throws(OperationError) -> Secrets {
        guard let token = settings.staffToken ?? stored("staff-token") else {
            throw OperationError(
                "STAFF_TOKEN is not set: it opens the staff's routes, and has at least 16 characters"
            )
        }
        return Secrets(staffToken: token, signing: try knownSigningSecret())
    }

    func knownSigningSecret() throws(OperationError) -> String {
        if let secret = settings.signingSecret ?? stored("signing-secret") { return secret }
        throw OperationError(
            "SIGNING_SECRET is not set: it signs customers' links, and has at least 32 characters")
    }

    // MARK: Lock

    /// Makes this process the only `up` of the folder for as long as it lives.
    ///
    /// The lock goes with the process, however it ends, so nothing is left to clean up.
    func lock() throws(OperationError) {
        // As root, everything would be there and PostgreSQL's data would not: it runs as another account then.
        var status = stat()
        if getuid() == 0, stat(folder + "/lock", &status) == 0, status.st_uid != 0 {
            throw OperationError(
                "\(folder) is in use by another account: run it as that one, or set QUARTERMASTER_DATA"
            )
        }
        let descriptor = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw OperationError("can't write to \(folder)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw OperationError(
                "another 'quartermaster up' runs in \(folder): stop it, or set QUARTERMASTER_DATA")
        }
    }
}

/// What opens the staff's routes, and what links are signed with.
public struct Secrets: Sendable {
    public var staffToken: String
    public var signing: String

    public init(staffToken: String, signing: String) {
        self.staffToken = staffToken
        self.signing = signing
    }
}

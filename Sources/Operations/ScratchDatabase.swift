internal import Foundation
internal import Glibc
internal import LocalServers
internal import Logging
internal import Postgres

/// A database in which a backup is restored to be verified, and of which nothing stays: one on the server of
/// SCRATCH_DATABASE_URL, or else that of a cluster of its own, made by this machine's PostgreSQL.
enum ScratchDatabase {
    private static let prefix = "quartermaster-restore-"

    /// Gives `body` the URL of an empty database, and throws the database away when it is done.
    ///
    /// Throws ``OperationError`` when another backup is being verified on the same server, or no cluster can be made
    /// here.
    static func with<R: Sendable>(
        _ settings: Settings, _ body: (String) async throws -> R
    ) async throws -> R {
        if let url = settings.scratchDatabaseURL { return try await on(url, body) }
        return try await inClusterOfItsOwn(body)
    }

    private static func on<R: Sendable>(
        _ url: String, _ body: (String) async throws -> R
    ) async throws -> R {
        guard var components = URLComponents(string: url) else {
            throw OperationError("SCRATCH_DATABASE_URL is no URL")
        }
        let session: PostgresSession
        do throws(PostgresError) {
            session = try await PostgresSession.connect(
                to: PostgresConfiguration(url: url, statementTimeout: .zero))
        } catch {
            throw OperationError(sentence(for: error, at: "SCRATCH_DATABASE_URL"))
        }
        // Held until the session ends: whatever is there under such a name was left by one that is no more.
        let lock = try await session.execute(
            "SELECT pg_try_advisory_lock(hashtext('\(prefix)'))")
        guard lock.text(0, 0) == "t" else {
            throw OperationError(
                "another backup is being verified on the scratch server: wait for it")
        }
        let left = try await session.execute(
            "SELECT quote_ident(datname) FROM pg_database WHERE starts_with(datname, '\(prefix)')")
        for row in 0..<left.count {
            try await session.execute("DROP DATABASE \(left.text(row, 0)) WITH (FORCE)")
        }
        let name = "\(prefix)\(UInt32.random(in: 0 ... .max))"
        try await session.execute("CREATE DATABASE \"\(name)\"")
        components.path = "/\(name)"
        let result: Result<R, any Error>
        do {
            result = .success(try await body(components.string ?? url))
        } catch {
            result = .failure(error)
        }
        // Also when our own task is cancelled.
        _ = try await Task.detached {
            try await session.execute("DROP DATABASE \"\(name)\" WITH (FORCE)")
        }.value
        return try result.get()
    }

    private static func inClusterOfItsOwn<R: Sendable>(
        _ body: (String) async throws -> R
    ) async throws -> R {
        try await removeLeftovers()
        let (path, lock) = try place()
        let folder = PrivatePostgres.reachableFolder(path)
        defer {
            try? FileManager.default.removeItem(atPath: folder)
            lock.remove()
        }
        let postgres = try await start(in: folder)
        let result: Result<R, any Error>
        do {
            result = .success(try await body(postgres.url))
        } catch {
            result = .failure(error)
        }
        // Also when our own task is cancelled.
        await Task.detached { await postgres.stop() }.value
        return try result.get()
    }

    private static let lockSuffix = ".lock"

    /// A place of one's own. Not by the number of the process: in a container that is the same every time.
    private static func place() throws(OperationError) -> (path: String, lock: FileLock) {
        // One that is just being made may be taken for one that was left.
        for _ in 0..<3 {
            let path = NSTemporaryDirectory() + "\(prefix)\(UInt32.random(in: 0 ... .max))"
            if let lock = FileLock(path + lockSuffix) { return (path, lock) }
        }
        throw OperationError("can't write to \(NSTemporaryDirectory()): set TMPDIR")
    }

    /// The reason of a failure is told here, for the file that has it goes away.
    private static func start(in folder: String) async throws -> PrivatePostgres {
        do {
            return try await PrivatePostgres.start(in: folder)
        } catch {
            let log = try? String(contentsOfFile: folder + "/postgres.log", encoding: .utf8)
            let last = log?.split(separator: "\n").suffix(3).joined(separator: "; ")
            throw OperationError(
                "no cluster can be made in \(NSTemporaryDirectory()): \(last ?? error.description)")
        }
    }

    /// Servers and folders of those that were killed: whoever is at work holds his lock.
    private static func removeLeftovers() async throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(lockSuffix) {
            let path = NSTemporaryDirectory() + name
            guard let lock = FileLock(path) else { continue }
            let folder = PrivatePostgres.reachableFolder(String(path.dropLast(lockSuffix.count)))
            try? await PrivatePostgres.stopLeftover(in: folder)
            try? FileManager.default.removeItem(atPath: folder)
            lock.remove()
        }
    }
}

/// A lock that goes with the process that holds it, however that ends: nothing is left to clean up but its file.
private struct FileLock {
    private let path: String
    private let descriptor: Int32

    /// Nil when somebody else holds it, or the file can't be made.
    init?(_ path: String) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        var (ours, there) = (stat(), stat())
        // Somebody may have removed it between the two, and whoever made it is to be ourselves.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &ours) == 0,
            lstat(path, &there) == 0, ours.st_ino == there.st_ino, ours.st_uid == geteuid()
        else {
            close(descriptor)
            return nil
        }
    }

    func remove() {
        unlink(path)
        // By name: a process that is just being started has it too, until it runs its program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}

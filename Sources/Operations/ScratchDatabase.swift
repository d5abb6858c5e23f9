internal import Backup
internal import Foundation
internal import LocalServers
internal import Logging
internal import Postgres

/// A database in which a backup is restored to be verified, and of which nothing stays: one on the server of
/// SCRATCH_DATABASE_URL, or else that of a cluster of its own, made by this machine's PostgreSQL.
enum ScratchDatabase {
    private static let prefix = "quartermaster-restore-"

    /// Gives `body` the URL of an empty database, and throws the database away when it is done.
    ///
    /// Throws ``OperationError`` when another backup is being verified on the same server, ``ServerError`` when no
    /// cluster can be made here.
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
        let session = try await PostgresSession.connect(
            to: PostgresConfiguration(url: url, statementTimeout: .zero))
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
        try await session.execute("DROP DATABASE \"\(name)\" WITH (FORCE)")
        return try result.get()
    }

    private static func inClusterOfItsOwn<R: Sendable>(
        _ body: (String) async throws -> R
    ) async throws -> R {
        try? Backup.removeLeftovers(in: NSTemporaryDirectory()) { $0.hasPrefix(prefix) }
        // Not by the number of the process: in a container that is the same every time.
        let name = "\(prefix)\(UInt32.random(in: 0 ... .max))"
        let folder = PrivatePostgres.reachableFolder(NSTemporaryDirectory() + name)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PrivatePostgres.start(in: folder)
        do {
            let result = try await body(postgres.url)
            await postgres.stop()
            return result
        } catch {
            await postgres.stop()
            throw error
        }
    }
}

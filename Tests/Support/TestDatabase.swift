internal import LocalServers
public import Logging
public import Operations
public import Postgres
internal import Schema
internal import TestServers

/// A database of its own for one test, cloned from a migrated template.
public struct TestDatabase: Sendable {
    public let name: String
    public let connections: Connections

    /// Makes a database, lends it, and drops it.
    public static func with<R>(_ body: (TestDatabase) async throws -> R) async throws -> R {
        let database = try await TestDatabases.shared.make()
        do {
            let result = try await body(database)
            try await TestDatabases.shared.drop(database.name)
            return result
        } catch {
            try? await TestDatabases.shared.drop(database.name)
            throw error
        }
    }

    /// Runs a script as the cluster's superuser.
    @discardableResult
    public func administer(_ script: String) async throws -> Rows {
        let session = try await PostgresSession.connect(to: connections.administrative)
        return try await session.execute(script)
    }
}

/// Runs a PostgreSQL of one's own while `body` does: with nothing in it, unless `folder` has a cluster already.
public func withPostgres(
    in folder: String, settings: [String: String] = [:], _ body: (Connections) async throws -> Void
) async throws {
    let postgres = try await PrivatePostgres.start(in: folder, settings: settings)
    do {
        try await body(Connections(url: postgres.url, logger: quiet))
    } catch {
        await postgres.stop()
        throw error
    }
    await postgres.stop()
}

/// Tells nothing.
public let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

private actor TestDatabases {
    static let shared = TestDatabases()

    private var template: Task<String, any Error>?
    private var count = 0

    func make() async throws -> TestDatabase {
        let template = try await migratedTemplate()
        count += 1
        let name = "test_\(count)"
        // Two clones of one template at a time are refused, and an actor lets others in while it waits.
        try await clone(template, as: name)
        return TestDatabase(
            name: name,
            connections: Connections(
                url: try await TestServers.shared.postgresURL(database: name), logger: quiet))
    }

    func drop(_ name: String) async throws {
        try await administer("DROP DATABASE \(name) WITH (FORCE)")
    }

    private var cloning: Task<Void, any Error>?

    private func clone(_ template: String, as name: String) async throws {
        let before = cloning
        let task = Task {
            _ = await before?.result
            try await administer("CREATE DATABASE \(name) TEMPLATE \(template)")
        }
        cloning = task
        try await task.value
    }

    private func migratedTemplate() async throws -> String {
        if template == nil {
            template = Task {
                try await administer("CREATE DATABASE migrated")
                let url = try await TestServers.shared.postgresURL(database: "migrated")
                try await Schema.migrate(
                    PostgresConfiguration(url: url), try Schema.migrations(), logger: quiet)
                return "migrated"
            }
        }
        return try await template!.value
    }

    private func administer(_ script: String) async throws {
        let url = try await TestServers.shared.postgresURL()
        try await PostgresSession.connect(
            to: PostgresConfiguration(url: url, statementTimeout: .zero)
        ).execute(script)
    }
}

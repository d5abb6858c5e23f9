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

/// Lets the log take whatever it is given: what a decision was made on is not looked at.
public let guardOff = """
    CREATE OR REPLACE FUNCTION log.failed_items(
        item_after bigint[], item_tag_ends int[], item_tags uuid[],
        item_type_ends int[], item_types smallint[]) RETURNS int[]
    LANGUAGE sql AS 'SELECT NULL::int[]'
    """

/// Stands before the log and lets nobody append until it is told to.
public struct Warden {
    private let lock: PostgresSession
    private let witness: PostgresSession

    public init(at configuration: PostgresConfiguration) async throws {
        lock = try await PostgresSession.connect(to: configuration)
        witness = try await PostgresSession.connect(to: configuration)
        try await lock.execute("SELECT pg_advisory_lock(7305804402)")
    }

    /// Waits until so many appenders stand before the log, each with what it has decided.
    public func wait(for appenders: Int) async throws {
        try await eventually("\(appenders) have decided") {
            let waiting = try await witness.execute(
                """
                SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
                """)
            return waiting.text(0, 0) == "\(appenders)"
        }
    }

    public func leave() async throws {
        try await lock.execute("SELECT pg_advisory_unlock(7305804402)")
    }
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

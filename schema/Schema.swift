internal import Crypto
internal import Foundation
public import Logging
public import Postgres

/// One step of the schema: `YYYYMMDD_HHMMSS_description.sql`, applied once, never edited after.
public struct Migration: Hashable, Sendable {
    public let name: String
    public let sql: String

    public init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    /// SHA-256 of the text, in hexadecimal.
    public var checksum: String {
        SHA256.hash(data: Data(sql.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

/// A migration can't be applied; the sentence says what to do.
public struct MigrationError: Error, CustomStringConvertible {
    public let description: String
}

/// What must never be lost, and how it came to look as it does.
public enum Schema {
    /// All migrations, in order.
    public static func migrations() throws(MigrationError) -> [Migration] {
        guard let folder = Bundle.module.resourcePath.map({ $0 + "/migrations" }),
            let files = try? FileManager.default.contentsOfDirectory(atPath: folder)
        else { throw MigrationError(description: "the program's schema files are missing") }
        var migrations: [Migration] = []
        for file in files.sorted() where file.hasSuffix(".sql") {
            guard let sql = try? String(contentsOfFile: folder + "/" + file, encoding: .utf8) else {
                throw MigrationError(description: "can't read the schema file \(file)")
            }
            migrations.append(Migration(name: String(file.dropLast(4)), sql: sql))
        }
        return migrations
    }

    /// The names of those that are to be applied, on a database of whatever age. Throws ``MigrationError`` when
    /// an applied one was edited.
    public static func pending(
        _ configuration: PostgresConfiguration, _ migrations: [Migration]
    ) async throws -> [String] {
        let session = try await PostgresSession.connect(to: configuration)
        let table = try await session.execute(
            "SELECT to_regclass('public.quartermaster_migration')")
        guard !table.isNull(0, 0) else { return migrations.map(\.name) }
        return try pending(migrations, after: try await applied(session)).map(\.name)
    }

    private static func applied(
        _ session: PostgresSession
    ) async throws(PostgresError) -> [(name: String, checksum: String)] {
        let rows = try await session.execute(
            "SELECT name, checksum FROM public.quartermaster_migration ORDER BY name")
        return (0..<rows.count).map { (name: rows.text($0, 0), checksum: rows.text($0, 1)) }
    }

    /// Applies what has not been applied yet; returns the names of what it applied.
    ///
    /// Each migration is one transaction, recorded in it. A lock keeps two programs from migrating
    /// at the same time. Nothing is applied when a file was edited, or has gone, since it was; what a newer
    /// program has applied on top is left alone, so that the version before it can be gone back to.
    @discardableResult
    public static func migrate(
        _ configuration: PostgresConfiguration, _ migrations: [Migration], logger: Logger
    ) async throws -> [String] {
        var configuration = configuration
        configuration.statementTimeout = .zero
        let session = try await PostgresSession.connect(to: configuration)
        try await session.execute(
            """
            SELECT pg_advisory_lock(7305804401);
            CREATE TABLE IF NOT EXISTS public.quartermaster_migration (
                name text NOT NULL CONSTRAINT quartermaster_migration_pkey PRIMARY KEY,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
            );
            """)
        let pending = try pending(migrations, after: try await applied(session))
        for migration in pending {
            logger.debug("migrating", metadata: ["migration": "\(migration.name)"])
            do {
                try await session.execute(
                    """
                    BEGIN;
                    \(migration.sql)
                    RESET ROLE;
                    INSERT INTO public.quartermaster_migration (name, checksum)
                        VALUES ('\(migration.name)', '\(migration.checksum)');
                    COMMIT;
                    """)
            } catch {
                throw MigrationError(description: "migration \(migration.name) failed: \(error)")
            }
        }
        try await session.execute("SELECT pg_advisory_unlock(7305804401)")
        return pending.map(\.name)
    }

    static func pending(
        _ migrations: [Migration], after applied: [(name: String, checksum: String)]
    ) throws(MigrationError) -> [Migration] {
        let known = Dictionary(uniqueKeysWithValues: migrations.map { ($0.name, $0) })
        for (name, checksum) in applied {
            guard let migration = known[name] else {
                // A newer program has been here. Its schema carries this one too: see CONTRIBUTING.md.
                if let newest = migrations.last?.name, name > newest { continue }
                throw MigrationError(
                    description: """
                        the database has the migration \(name), which this program does not know: \
                        start the program that the database was migrated with, or a newer one
                        """)
            }
            guard migration.checksum == checksum else {
                throw MigrationError(
                    description: """
                        the migration \(name) was edited after it had been applied: restore the \
                        file, and put the change into a new one
                        """)
            }
        }
        let names = Set(applied.map(\.name))
        let pending = migrations.filter { !names.contains($0.name) }
        if let first = pending.first, let last = applied.last, first.name < last.name {
            throw MigrationError(
                description: """
                    the migration \(first.name) is older than \(last.name), which has been applied: \
                    give it a later time
                    """)
        }
        return pending
    }
}

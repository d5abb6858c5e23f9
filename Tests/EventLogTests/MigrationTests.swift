import EventLog
import Foundation
import Operations
import Postgres
import Testing
import TestSupport

@testable import Schema

@Suite struct MigrationTests {
    @Test("applies each migration once")
    func appliesOnce() async throws {
        try await TestDatabase.with { database in
            let again = try await Schema.migrate(
                database.connections.administrative, try Schema.migrations(), logger: quiet)
            #expect(again.isEmpty)
        }
    }

    @Test("refuses a migration that was edited after it had been applied")
    func refusesEditedMigrations() async throws {
        try await TestDatabase.with { database in
            var migrations = try Schema.migrations()
            migrations[0] = Migration(name: migrations[0].name, sql: migrations[0].sql + "\n-- x")
            let error = await #expect(throws: MigrationError.self) {
                try await Schema.migrate(
                    database.connections.administrative, migrations, logger: quiet)
            }
            #expect(error?.description.contains("was edited") == true)
        }
    }

    @Test("leaves alone what a newer program applied, and refuses what is gone or comes too late")
    func refusesStrangeOrders() throws {
        let one = Migration(name: "20260101_000000_one", sql: "")
        let two = Migration(name: "20260102_000000_two", sql: "")
        let applied = [(one.name, one.checksum), (two.name, two.checksum)]
        #expect(try Schema.pending([one], after: applied).isEmpty)
        #expect(throws: MigrationError.self) { try Schema.pending([two], after: applied) }
        #expect(throws: MigrationError.self) {
            try Schema.pending([one, two], after: [(two.name, two.checksum)])
        }
        #expect(try Schema.pending([one, two], after: [(one.name, one.checksum)]) == [two])
    }

    /// What the version before it still uses. A release that nobody goes back behind any more may take it away, and
    /// says so in the line.
    @Test("takes nothing away that the version before uses")
    func staysBackwardCompatible() throws {
        let taking =
            /(?i)\b(DROP\s+(TABLE|COLUMN|FUNCTION|PROCEDURE|SCHEMA|VIEW|TYPE|INDEX|SEQUENCE|DEFAULT|ROLE|EXTENSION)|RENAME\s+(TO|COLUMN|CONSTRAINT|VALUE)|SET\s+(NOT\s+NULL|SCHEMA)|ALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE)\b|ADD\s+COLUMN\s(?!.*DEFAULT).*NOT\s+NULL|REVOKE.*FROM\s+quartermaster|^\s*TRUNCATE/
        var statements = 0
        for migration in try Schema.migrations() {
            for line in migration.sql.split(separator: "\n") where !line.hasPrefix("--") {
                statements += 1
                guard line.contains(taking) else { continue }
                #expect(
                    line.contains("-- used by nobody:"),
                    "\(migration.name) takes away what the version before may use: \(line)")
            }
        }
        #expect(statements > 100)
        #expect("ALTER TABLE t ALTER COLUMN c TYPE bigint".contains(taking))
        #expect("ALTER TABLE t RENAME COLUMN a TO b".contains(taking))
        #expect("ALTER TABLE t ADD COLUMN c text NOT NULL".contains(taking))
        #expect(!"ALTER TABLE t ADD COLUMN c text NOT NULL DEFAULT 'x'".contains(taking))
        #expect(!"CREATE TABLE t (c text NOT NULL)".contains(taking))
    }

    @Test("leaves nothing of a migration that fails")
    func rollsBack() async throws {
        try await TestDatabase.with { database in
            let bad = Migration(
                name: "29990101_000000_bad", sql: "CREATE TABLE public.half (a int); SELECT 1 / 0;")
            await #expect(throws: MigrationError.self) {
                try await Schema.migrate(
                    database.connections.administrative, try Schema.migrations() + [bad],
                    logger: quiet)
            }
            let rows = try await database.administer("SELECT to_regclass('public.half') IS NULL")
            #expect(rows.text(0, 0) == "t")
        }
    }

    @Test("makes the schema that the golden dump shows")
    func matchesGoldenDump() async throws {
        try await TestDatabase.with { database in
            let dump = try pgDump(database.connections.url)
            let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("golden-schema.txt")
            if ProcessInfo.processInfo.environment["QUARTERMASTER_WRITE_GOLDEN"] != nil {
                try dump.write(to: golden, atomically: true, encoding: .utf8)
            }
            #expect(dump == (try String(contentsOf: golden, encoding: .utf8)))
        }
    }

    /// The schema as `pg_dump` shows it, without what differs from one server to the next.
    private func pgDump(_ url: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/pg_dump")
        process.arguments = ["--schema-only", "--no-owner", "--dbname", url]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
            .filter {
                !$0.hasPrefix("--") && !$0.hasPrefix("SET ") && !$0.hasPrefix("\\")
                    && !$0.hasPrefix("SELECT pg_catalog.set_config")
            }
            .joined(separator: "\n") + "\n"
    }
}

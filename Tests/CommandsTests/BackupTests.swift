import Backup
import Commands
import Domain
import EventLog
import Foundation
import LocalServers
@testable import Operations
import Postgres
import Schema
import TestSupport
import Testing

/// Copies of the whole database, which are worth as much as what can be restored of them.
@Suite(.serialized) struct BackupTests {
    private let noon = Instant("2026-06-01T12:00:00Z")!

    @Test("restores into an empty database what was there")
    func restores() async throws {
        try await withBackup { database, backup in
            let log = database.connections.log(1)
            let head = try await log.head()
            let hash = try await log.hash(at: head)
            #expect(backup.manifest.head == head && backup.manifest.hash == hash)
            #expect(backup.folder.hasSuffix("20260601T120000Z-\(backup.manifest.head)"))
            try await withScratch { scratch in
                try await backup.restore(to: scratch.administrative)
                let restored = scratch.log(1)
                let (there, here) = (try await restored.identity(), try await log.identity())
                #expect(there == here)
                #expect(try await restored.verify().faults.isEmpty)
                #expect(
                    try await Schema.pending(scratch.administrative, Schema.migrations()).isEmpty)
                await #expect(throws: BackupError.self) {
                    try await backup.restore(to: scratch.administrative)
                }
            }
        }
    }

    @Test("is verified where the database's owner has another name, and nobody of that name is")
    func restoresStrangersTables() async throws {
        try await withBackup { database, _ in
            let owner = "captain_\(UInt32.random(in: 0 ... .max))"
            try await database.administer(
                """
                CREATE ROLE \(owner) SUPERUSER LOGIN;
                ALTER TABLE public.quartermaster_migration OWNER TO \(owner);
                """)
            let parent = NSTemporaryDirectory() + "quartermaster-strange-\(owner)"
            defer { try? FileManager.default.removeItem(atPath: parent) }
            let backup = try await Backup.make(
                of: database.connections.administrative, in: parent, at: noon, reason: "test")
            let isSound = try await verifyBackup(backup.folder, Settings([:]), logger: quiet)
            #expect(isSound)
            try await database.administer(
                """
                ALTER TABLE public.quartermaster_migration OWNER TO CURRENT_USER;
                DROP ROLE \(owner);
                """)
        }
    }

    @Test("is not relied on when what is in it is not sound")
    func findsUnsound() async throws {
        try await withBackup { database, _ in
            try await database.administer(
                """
                SET session_replication_role = replica;
                UPDATE log.event SET actor = 'nobody' WHERE position = 2
                """)
            let parent =
                NSTemporaryDirectory() + "quartermaster-unsound-\(UInt32.random(in: 0 ... .max))"
            defer { try? FileManager.default.removeItem(atPath: parent) }
            let backup = try await Backup.make(
                of: database.connections.administrative, in: parent, at: noon, reason: "test")
            #expect(try await !verifyBackup(backup.folder, Settings([:]), logger: quiet))
            #expect(LastVerification(in: parent) == nil)
        }
    }

    @Test("is not restored when a byte of it has changed, or its end is missing")
    func checks() async throws {
        try await withBackup { _, backup in
            try backup.check()
            let dump = backup.folder + "/database.dump"
            let whole = try #require(FileManager.default.contents(atPath: dump))
            var changed = whole
            changed[changed.count / 2] ^= 1
            for altered in [changed, whole.dropLast(1)] {
                try altered.write(to: URL(fileURLWithPath: dump))
                #expect(throws: BackupError.self) { try backup.check() }
            }
            try FileManager.default.removeItem(atPath: backup.folder + "/manifest.json")
            #expect(throws: BackupError.self) { try Backup(in: backup.folder) }
        }
    }

    @Test("keeps the newest, and leaves nothing of one that failed")
    func keepsTheNewest() async throws {
        try await withBackup { database, backup in
            let parent = (backup.folder as NSString).deletingLastPathComponent
            for minute in 1...3 {
                _ = try await Backup.make(
                    of: database.connections.administrative, in: parent,
                    at: noon + .minutes(minute), reason: "test")
            }
            let all = Backup.all(in: parent)
            #expect(all.count == 4)
            let removed = try Backup.removeOldest(in: parent, keeping: 2)
            #expect(removed.first == backup.folder)
            #expect(Backup.all(in: parent).map(\.folder) == all.suffix(2).map(\.folder))
            let nowhere = PostgresConfiguration(url: "postgresql://postgres@127.0.0.1:1/postgres")
            await #expect(throws: (any Error).self) {
                try await Backup.make(of: nowhere, in: parent, at: noon, reason: "test")
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: parent)
            #expect(left.count == 2)
        }
    }

    @Test("keeps the newest of each kind, and removes what an interrupted one has left")
    func keepsOfEachKind() async throws {
        try await withBackup { database, first in
            let parent = (first.folder as NSString).deletingLastPathComponent
            for (minute, reason) in [(1, "scheduled"), (2, "scheduled"), (3, "before migration x")]
            {
                _ = try await Backup.make(
                    of: database.connections.administrative, in: parent,
                    at: noon + .minutes(minute), reason: reason)
            }
            // What was cut off may be whole, and was not given its name.
            let (old, new) = (parent + "/old.part", parent + "/new.part")
            for part in [old, new] {
                try FileManager.default.copyItem(atPath: first.folder, toPath: part)
            }
            #expect(Backup.all(in: parent).count == 4)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -2 * 86_400)], ofItemAtPath: old)
            try Backup.removeOldest(in: parent, keeping: 1)
            let kinds = Backup.all(in: parent).map(\.manifest.reason)
            #expect(kinds == ["test", "scheduled", "before migration x"])
            #expect(!FileManager.default.fileExists(atPath: old))
            #expect(FileManager.default.fileExists(atPath: new))
        }
    }

    @Test("is taken elsewhere by one at a time, once, and not for ever")
    func isTakenElsewhere() async throws {
        try await withBackup { _, backup in
            await #expect(throws: ServerError.self) {
                try await backup.takeElsewhere(by: "sleep 300", limit: .milliseconds(200))
            }
            #expect(!backup.isElsewhere)
            let copies = backup.folder + "/copies"
            async let first = backup.takeElsewhere(
                by: "echo x >>{backup}/copies; until [ -e {backup}/go ]; do sleep 0.05; done")
            try await eventually("the first is at it") {
                FileManager.default.fileExists(atPath: copies)
            }
            #expect(try await !backup.takeElsewhere(by: "echo x >>{backup}/copies"))
            #expect(FileManager.default.createFile(atPath: backup.folder + "/go", contents: nil))
            #expect(try await first && backup.isElsewhere)
            #expect(try await backup.takeElsewhere(by: "echo x >>{backup}/copies"))
            #expect(try String(contentsOfFile: copies, encoding: .utf8) == "x\n")
        }
    }

    @Test(
        "is verified at once, and then each month from its day on",
        arguments: [
            (nil, "2026-06-02T00:00:00Z", true),
            ("2026-06-01T12:00:00Z", "2026-06-27T23:59:59Z", false),
            ("2026-06-01T12:00:00Z", "2026-06-28T00:00:00Z", true),
            ("2026-06-01T12:00:00Z", "2026-07-01T00:00:00Z", true),
            ("2026-06-28T00:00:01Z", "2026-07-27T23:59:59Z", false),
            ("2026-06-28T00:00:01Z", "2026-07-28T00:00:00Z", true),
            ("2026-01-28T00:00:01Z", "2026-03-01T00:00:00Z", true),
        ])
    func isVerified(last: String?, now: String, isDue: Bool) throws {
        let now = try #require(Instant(now))
        let last = last.flatMap { Instant($0) }
        let schedule = try #require(BackupSchedule(at: "03:15", verifyDay: 28))
        #expect(schedule.isVerificationDue(verifiedAt: last, at: now) == isDue)
        let never = try #require(BackupSchedule(at: "03:15", verifyDay: 0))
        #expect(!never.isVerificationDue(verifiedAt: last, at: now))
    }

    @Test(
        "is due every day at its time",
        arguments: [
            ("2026-06-02T03:14:59Z", "2026-06-01T03:15:00Z"),
            ("2026-06-02T03:15:00Z", "2026-06-02T03:15:00Z"),
            ("2026-06-02T23:59:59Z", "2026-06-02T03:15:00Z"),
        ])
    func isDue(now: String, due: String) throws {
        let schedule = try #require(BackupSchedule(at: "03:15", verifyDay: 1))
        #expect(schedule.lastDue(at: try #require(Instant(now))) == Instant(due))
        for time in ["3:15", "03:60", "24:00", "0315", "aa:bb", ""] {
            #expect(BackupSchedule(at: time, verifyDay: 1) == nil)
        }
        #expect(BackupSchedule(at: "03:15", verifyDay: 29) == nil)
    }

    // MARK: Fixtures

    private func withBackup(_ body: (TestDatabase, Backup) async throws -> Void) async throws {
        let folder = try scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await TestDatabase.with { database in
            try await withLoops(1, on: database) { loops in
                let fleet = SeaFleet(capacity: 10)
                _ = try await loops[0].submit(fleet.envelope)
                _ = try await loops[0].submit(fleet.order(seats: 2))
            }
            let backup = try await Backup.make(
                of: database.connections.administrative, in: folder, at: noon, reason: "test")
            try await body(database, backup)
        }
    }

    /// A cluster of its own, with nothing in it.
    private func withScratch(_ body: (Connections) async throws -> Void) async throws {
        let folder = try scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await withPostgres(in: folder, body)
    }

    private func scratchFolder() throws -> String {
        let folder =
            NSTemporaryDirectory() + "quartermaster-backup-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
        return folder
    }
}

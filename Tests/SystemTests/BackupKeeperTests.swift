import Foundation
import LocalServers
import Operations
import Postgres
import TestSupport
import Testing

/// Backups that nobody has to think of.
@Suite(.endsWhenHung) struct BackupKeeperTests {
    @Test("makes up for a missed backup, takes it elsewhere, verifies it, and says so")
    func keeps() async throws {
        try await withKeeper(copying: #"cp -r {backup} "$BACKUP_FOLDER/../elsewhere/""#) {
            keeper in
            try await eventually("a backup is made and verified", within: .seconds(200)) {
                FileManager.default.fileExists(atPath: keeper.folder + "/backups/last-verified")
            }
            let made = try #require(keeper.backups.first)
            let elsewhere = try FileManager.default.contentsOfDirectory(
                atPath: keeper.folder + "/elsewhere")
            #expect(elsewhere == [made])
            let verified = try String(
                contentsOfFile: keeper.folder + "/backups/last-verified", encoding: .utf8)
            #expect(verified.hasSuffix(" \(made)\n"))
            try await eventually("the metrics show both") {
                let metrics = try await keeper.metrics()
                let times = [
                    metrics["quartermaster_backup_timestamp_seconds"],
                    metrics["quartermaster_backup_verified_timestamp_seconds"],
                ]
                return times.allSatisfy {
                    $0.map { abs($0 - Date().timeIntervalSince1970) < 600 } ?? false
                }
            }
            let ready = try await keeper.run(["ready", "backup-keeper"])
            #expect(ready.isSuccess, "\(ready.output)")
            #expect(keeper.backups.count == 1)
            try await usesLatest(keeper)
            try await verifiesOnAServer(keeper)
        }
    }

    private func usesLatest(_ keeper: Keeper) async throws {
        let verified = try await keeper.run(["restore", "--verify", "latest"])
        #expect(verified.isSuccess && verified.output.contains("can be relied on"))
        let sql = keeper.folder + "/database.sql"
        for path in [sql, sql + ".gz"] {
            #expect(try await keeper.run(["backup", "--sql", path]).isSuccess)
            let again = try await keeper.run(["backup", "--sql", path])
            #expect(!again.isSuccess && again.output.contains("is there already"))
        }
        let text = try String(contentsOfFile: sql, encoding: .utf8)
        #expect(text.contains("CREATE TABLE log.event"))
        let packed = try Data(contentsOf: URL(fileURLWithPath: sql + ".gz"))
        #expect(packed.prefix(2) == Data([0x1F, 0x8B]))
    }

    /// As in a container, where PostgreSQL's server is another one's.
    private func verifiesOnAServer(_ keeper: Keeper) async throws {
        let url = try #require(keeper.environment["DATABASE_URL"])
        let session = try await PostgresSession.connect(to: PostgresConfiguration(url: url))
        let databases =
            "SELECT datname FROM pg_database WHERE datname LIKE 'quartermaster-restore-%'"
        try await session.execute("CREATE DATABASE \"quartermaster-restore-1\"")
        var there = keeper
        there.environment["SCRATCH_DATABASE_URL"] = url
        try await session.execute("SELECT pg_advisory_lock(hashtext('quartermaster-restore-'))")
        let refused = try await there.run(["restore", "--verify", "latest"])
        #expect(!refused.isSuccess && refused.output.contains("another backup is being verified"))
        #expect(try await session.execute(databases).count == 1)
        try await session.execute("SELECT pg_advisory_unlock_all()")
        let verified = try await there.run(["restore", "--verify", "latest"])
        #expect(verified.isSuccess && verified.output.contains("can be relied on"))
        #expect(try await session.execute(databases).count == 0)
    }

    @Test("keeps a backup that could not be taken elsewhere, and counts the failure")
    func countsFailures() async throws {
        try await withKeeper(copying: "echo no way there >&2; exit 3") { keeper in
            try await eventually("the failure is counted", within: .seconds(200)) {
                try await keeper.metrics()["quartermaster_backup_failures_total"] == 1
            }
            #expect(keeper.backups.count == 1)
            let log = try String(contentsOfFile: keeper.log, encoding: .utf8)
            #expect(log.contains("no way there"), "\(log)")
        }
        let none = ServerProcess.scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: none) }
        let missing = try await ServerProcess.run(["restore", "--verify", "latest"], in: none)
        #expect(!missing.isSuccess && missing.output.contains("there are no backups in"))
        for (name, value) in [("BACKUP_AT", "25:00"), ("BACKUP_VERIFY_DAY", "29")] {
            let refused = try await ServerProcess.run(
                ["backup-keeper"], in: none, environment: [name: value])
            #expect(!refused.isSuccess && refused.output.contains("\(name) is '\(value)'"))
        }
    }

    // MARK: Means

    private struct Keeper: Sendable {
        var folder: String
        var environment: [String: String]
        var log: String { folder + "/keeper.log" }

        var backups: [String] {
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder + "/backups")
            return (names ?? []).filter { $0 != "last-verified" && !$0.hasSuffix(".part") }
        }

        func run(_ arguments: [String]) async throws -> (isSuccess: Bool, output: String) {
            try await ServerProcess.run(arguments, in: folder, environment: environment)
        }

        func metrics() async throws -> [String: Double] {
            let port = environment["OPERATIONS_PORT"] ?? ""
            // It may not have begun to listen.
            return (try? await HTTPDoor("http://127.0.0.1:\(port)").metrics()) ?? [:]
        }
    }

    private func withKeeper(
        copying command: String, _ body: (Keeper) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let folder = ServerProcess.scratchFolder()
            try FileManager.default.createDirectory(
                atPath: folder + "/elsewhere", withIntermediateDirectories: true)
            let keeper = Keeper(
                folder: folder,
                environment: [
                    "DATABASE_URL": database.connections.url, "QUARTERMASTER_DATA": folder,
                    "BACKUP_FOLDER": folder + "/backups", "BACKUP_VERIFY_DAY": "1",
                    "BACKUP_COPY_COMMAND": command,
                    "OPERATIONS_PORT": String(try freeLoopbackPort(in: 10_000..<20_000)),
                ])
            let process = try ChildProcess(
                [try ServerProcess.programPath(), "backup-keeper"],
                environment: keeper.environment, log: keeper.log)
            do {
                try await body(keeper)
            } catch {
                await process.stop(SIGTERM)
                throw error
            }
            await process.stop(SIGTERM)
            #expect(process.hasSucceeded)
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}

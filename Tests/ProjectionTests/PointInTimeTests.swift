import Commands
import EventLog
import Foundation
import LocalServers
import Operations
import Postgres
import ProjectionEngine
import Publishing
import Schema
import Testing
import TestServers
import TestSupport

/// What `compose/bad-day.md` says under "Back to a moment between two backups", step by step.
@Suite(.serialized) struct PointInTimeTests {
    private let folder: String
    private let archive: String

    init() throws {
        folder = NSTemporaryDirectory() + "quartermaster-moment-\(UInt64.random(in: 0 ... .max))"
        archive = folder + "/archive"
        for path in [folder, archive] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
        }
    }

    @Test("goes back to a moment between two backups, by the archived write-ahead log")
    func goesBackInTime() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (stop, natsURL) = try await TestServers.shared.freshNATS()
        let fleet = SeaFleet(capacity: 100)
        let (moment, kept) = try await disaster(fleet, natsURL)
        _ = FileManager.default.createFile(
            atPath: folder + "/base/data/recovery.signal", contents: nil)
        try await withPostgres(
            in: folder + "/base",
            settings: [
                "restore_command": "cp \(archive)/%f %p", "recovery_target_time": moment,
                "recovery_target_action": "promote",
            ]
        ) { connections in
            try await eventually("it is promoted") {
                let session = try await PostgresSession.connect(to: connections.administrative)
                return try await session.execute("SELECT pg_is_in_recovery()").text(0, 0) == "f"
            }
            let log = connections.log(1)
            #expect(try await log.head() == kept)
            let verbs = try Verbs(
                Settings(["DATABASE_URL": connections.url, "NATS_URL": natsURL]), logger: quiet)
            var request = VerifyRequest()
            request.isOfLogOnly = true
            #expect(try await verbs.findings(request).faults.isEmpty)
            let ahead = try await PublishedHistory(of: log, busURL: natsURL, logger: quiet)
            #expect(ahead == .ahead(sequence: kept + 1, head: kept))
            try await verbs.resetStream(because: "restored to \(moment)")
            let next = try await sell(fleet, on: connections, publishingTo: natsURL)
            #expect(next == kept + 2)
            let same = try await PublishedHistory(of: log, busURL: natsURL, logger: quiet)
            #expect(same == .same(upTo: next))
        }
        await stop()
    }

    /// Sells twice, and says what there is to go back to: the moment between the two, and the log's head then.
    private func disaster(
        _ fleet: SeaFleet, _ natsURL: String
    ) async throws -> (moment: String, kept: Int64) {
        var (moment, kept): (String, Int64) = ("", 0)
        try await withPostgres(
            in: folder + "/first",
            settings: [
                "wal_level": "replica", "archive_mode": "on",
                "archive_command":
                    "test ! -f \(archive)/%f && cp %p \(archive)/%f.part && mv \(archive)/%f.part \(archive)/%f",
            ]
        ) { connections in
            try await Schema.migrate(
                connections.administrative, try Schema.migrations(), logger: quiet)
            _ = try await sell(nil, fleet, on: connections, publishingTo: natsURL)
            let isCopied = try await runToEnd(
                [
                    try PrivatePostgres.programs() + "/pg_basebackup", "-D", folder + "/base/data",
                    "-d", connections.url, "--checkpoint=fast",
                ], log: folder + "/basebackup.log")
            #expect(isCopied)
            try FileManager.default.copyItem(
                atPath: folder + "/first/password", toPath: folder + "/base/password")
            try giveToServer(folder + "/base")
            kept = try await sell(fleet, on: connections, publishingTo: natsURL)
            let session = try await PostgresSession.connect(to: connections.administrative)
            moment = try await session.execute("SELECT clock_timestamp()").text(0, 0)
            try await Task.sleep(for: .milliseconds(20))
            // The disaster: whatever comes after the moment is not wanted.
            _ = try await sell(fleet, on: connections, publishingTo: natsURL)
            // The server dies, and what it had not archived is on its disk still.
            let pid = try String(
                contentsOfFile: folder + "/first/data/postmaster.pid", encoding: .utf8
            )
            .split(separator: "\n").first.flatMap { Int32($0) }
            kill(try #require(pid), SIGQUIT)
        }
        let left = folder + "/first/data/pg_wal"
        for segment in try FileManager.default.contentsOfDirectory(atPath: left)
        where segment.hasPrefix("0000")
            && !FileManager.default.fileExists(atPath: "\(archive)/\(segment)")
        {
            try FileManager.default.copyItem(
                atPath: "\(left)/\(segment)", toPath: "\(archive)/\(segment)")
        }
        try giveToServer(archive)
        return (moment, kept)
    }

    @Test("rebuilds from a standby, which is behind by what it has not heard of yet")
    func rebuildsFromStandby() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (stop, natsURL) = try await TestServers.shared.freshNATS()
        let fleet = SeaFleet(capacity: 100)
        try await withPostgres(
            in: folder + "/first",
            settings: ["wal_level": "replica"]
        ) { primary in
            try await Schema.migrate(
                primary.administrative, try Schema.migrations(), logger: quiet)
            _ = try await sell(nil, fleet, on: primary, publishingTo: natsURL)
            let isCopied = try await runToEnd(
                [
                    try PrivatePostgres.programs() + "/pg_basebackup", "-D", folder + "/base/data",
                    "-d", primary.url, "--checkpoint=fast", "--write-recovery-conf",
                ], log: folder + "/basebackup.log")
            #expect(isCopied)
            try FileManager.default.copyItem(
                atPath: folder + "/first/password", toPath: folder + "/base/password")
            try giveToServer(folder + "/base")
            let head = try await sell(fleet, on: primary, publishingTo: natsURL)
            try await withPostgres(
                in: folder + "/base",
                settings: ["hot_standby": "on"]
            ) { standby in
                try await eventually("the standby has heard of everything") {
                    try await standby.log(1).head() == head
                }
                let verbs = try Verbs(
                    Settings(["DATABASE_URL": primary.url, "NATS_URL": natsURL]), logger: quiet)
                var request = RebuildRequest([])
                request.standbyURL = standby.url
                try await verbs.rebuild(request)
                let session = try await PostgresSession.connect(to: standby.administrative)
                let isStandby = try await session.execute("SELECT pg_is_in_recovery()")
                #expect(isStandby.text(0, 0) == "t")
            }
            let verbs = try Verbs(Settings(["DATABASE_URL": primary.url]), logger: quiet)
            #expect(try await verbs.findings().faults.isEmpty)
        }
        await stop()
    }

    // MARK: Means

    /// A seat sold and published, and shown by every read model; returns the log's head then.
    private func sell(
        _ fleet: SeaFleet, on connections: Connections, publishingTo natsURL: String
    ) async throws -> Int64 {
        try await sell(1, fleet, on: connections, publishingTo: natsURL)
    }

    /// Without `seats`, what there has to be first.
    private func sell(
        _ seats: Int?, _ fleet: SeaFleet, on connections: Connections, publishingTo natsURL: String
    ) async throws -> Int64 {
        let roles = Roles(
            connections, natsURL: natsURL, secrets: testSecrets, settings: try Settings([:]),
            logger: quiet)
        let loop = roles.decisionLoop()
        var head: Int64 = 0
        try await withServices([loop] + roles.projector(loop)) {
            let envelope = seats.map { fleet.order(seats: $0) } ?? fleet.envelope
            head = try await loop.submit(envelope).position
            let client = connections.client(1)
            try await eventually("it is published and shown") {
                let history = try? await PublishedHistory(
                    of: connections.log(1), busURL: natsURL, logger: quiet)
                let shown = try await ProjectionStatus.all(client).map(\.position).min()
                return history == .same(upTo: head) && shown == head
            }
        }
        return head
    }

    /// What root has copied belongs to the server's account.
    private func giveToServer(_ path: String) throws {
        guard getuid() == 0 else { return }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/chown")
        process.arguments = ["-R", "postgres", path]
        try process.run()
        process.waitUntilExit()
    }
}

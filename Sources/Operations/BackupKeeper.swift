internal import Backup
internal import Domain
internal import Foundation
internal import LocalServers
internal import Logging
internal import Metrics
internal import ServiceLifecycle

/// Backs up every day, has each backup taken elsewhere, and sees once a month whether the last one can be relied on.
///
/// A day that was missed is made up for at the start; what failed is tried again. None of the three keeps the
/// others from being done.
actor BackupKeeper: Service {
    let verbs: Verbs
    let logger: Logger
    private let failures = Counter(label: "quartermaster_backup_failures_total")
    /// The backup that was found wanting: one look at it is enough, the next night brings another.
    private var unsound: String?

    private static let interval = Duration.seconds(20)
    private static let patience = Duration.seconds(600)
    static let reason = "scheduled"

    private var settings: Settings { verbs.settings }
    private var folder: String { settings.absoluteBackupFolder }

    init(verbs: Verbs, logger: Logger) {
        self.verbs = verbs
        self.logger = logger
    }

    func run() async {
        // A series that begins with the first failure would not have risen.
        failures.increment(by: 0)
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled { await self.keepUp() }
        }
    }

    private func keepUp() async {
        let isMade = await attempt { try await makeDue() }
        let isTaken = await attempt { try await takeElsewhere() }
        let isVerified = await attempt { try await verifyDue() }
        let isWell = isMade && isTaken && isVerified
        try? await Task.sleep(for: isWell ? Self.interval : Self.patience)
    }

    private func attempt(_ work: () async throws -> Void) async -> Bool {
        defer { tellMetrics() }
        do {
            try await work()
            return true
        } catch {
            // What is given up because we are to end has not failed.
            guard !Task.isCancelled else { return false }
            failures.increment()
            logger.error("a backup failed", metadata: ["reason": "\(sentence(for: error))"])
            return false
        }
    }

    private func makeDue() async throws {
        let last = Backup.all(in: folder).last { $0.manifest.reason == Self.reason }
        let due = settings.backupSchedule.lastDue(at: wallClock())
        guard last.map({ $0.manifest.createdAt < due }) ?? true else { return }
        try await verbs.backup(in: folder, keeping: nil, reason: Self.reason, isCopied: false)
    }

    /// Also those that others made, and those that could not be taken before. The newest first: one that can't be
    /// taken keeps no other from it. Where the command hangs it hangs for the others too, and they would keep the next backup
    /// from being made.
    private func takeElsewhere() async throws {
        var fault: (any Error)?
        for backup in Backup.all(in: folder).reversed() {
            do {
                _ = try await verbs.takeElsewhere(backup)
            } catch let hanging as ServerError {
                throw hanging
            } catch {
                fault = fault ?? error
            }
            try Task.checkCancellation()
        }
        if let fault { throw fault }
    }

    private func verifyDue() async throws {
        let isDue = settings.backupSchedule.isVerificationDue(
            verifiedAt: LastVerification(in: folder)?.at, at: wallClock())
        guard isDue, let newest = Backup.all(in: folder).last?.folder, newest != unsound else {
            return
        }
        guard try await verifyBackup(newest, settings, logger: logger) else {
            unsound = newest
            throw OperationError("the backup \(newest) can't be relied on: see what was said")
        }
    }

    private func tellMetrics() {
        let last = Backup.all(in: folder).last?.manifest.createdAt
        Gauge(label: "quartermaster_backup_timestamp_seconds").record(Self.seconds(last))
        // Where none is to be verified, nobody waits for it.
        guard settings.backupSchedule.verifies else { return }
        Gauge(label: "quartermaster_backup_verified_timestamp_seconds")
            .record(Self.seconds(LastVerification(in: folder)?.at))
    }

    /// Since 1970; 0 for never.
    private static func seconds(_ instant: Instant?) -> Int64 {
        (instant?.microseconds ?? 0) / 1_000_000
    }
}

/// When a backup was last restored and found sound: a line beside the backups, which come and go.
struct LastVerification {
    let at: Instant

    init?(in folder: String) {
        let text = try? String(contentsOfFile: Self.file(folder), encoding: .utf8)
        guard let word = text?.split(separator: " ").first, let at = Instant(String(word)) else {
            return nil
        }
        self.at = at
    }

    /// Notes beside a backup that it is sound.
    static func note(_ backup: Backup, at now: Instant) {
        let url = URL(fileURLWithPath: backup.folder)
        let text = "\(now) \(url.lastPathComponent)\n"
        try? text.write(
            toFile: file(url.deletingLastPathComponent().path), atomically: true, encoding: .utf8)
    }

    private static func file(_ folder: String) -> String { folder + "/last-verified" }
}

/// Keeps backups until a signal comes.
func keepBackups(_ settings: Settings, logger: Logger) async throws {
    try settings.requireSecrets()
    let verbs = try Verbs(settings, logger: logger)
    try requireFree(
        [("OPERATIONS_PORT", settings.operationsPort)], at: settings.bindAddress)
    let roles = Roles(
        verbs.connections, natsURL: "", secrets: Secrets(staffToken: "", signing: ""),
        settings: settings, logger: logger)
    say("backup-keeper: backups go to \(settings.absoluteBackupFolder)")
    try await runServices(
        [
            BackupKeeper(verbs: verbs, logger: logger),
            roles.operationsServer(port: settings.operationsPort),
        ], logger: logger)
}

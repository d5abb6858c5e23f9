internal import Backup
internal import Domain
internal import Foundation
internal import Logging
internal import Metrics
internal import ServiceLifecycle

/// Backs up every day, has each backup taken elsewhere, and sees once a month whether the last one can be relied on.
///
/// A day that was missed is made up for at the start; what failed is tried again.
struct BackupKeeper: Service {
    let verbs: Verbs
    let logger: Logger

    private static let interval = Duration.seconds(20)
    private static let patience = Duration.seconds(600)
    static let reason = "scheduled"

    private var settings: Settings { verbs.settings }
    private var folder: String { settings.absoluteBackupFolder }

    func run() async {
        let failures = Counter(label: "quartermaster_backup_failures_total")
        // A series that begins with the first failure would not have risen.
        failures.increment(by: 0)
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                var wait = Self.interval
                do {
                    try await keepUp()
                } catch {
                    guard !Task.isCancelled else { return }
                    wait = Self.patience
                    failures.increment()
                    logger.error("a backup failed", metadata: ["reason": "\(error)"])
                }
                tellMetrics()
                try? await Task.sleep(for: wait)
            }
        }
    }

    private func keepUp() async throws {
        let last = Backup.all(in: folder).last { $0.manifest.reason == Self.reason }
        if last.map({ $0.manifest.createdAt < settings.backupSchedule.lastDue(at: wallClock()) })
            ?? true
        {
            try await verbs.backup(in: folder, keeping: nil, reason: Self.reason, isCopied: false)
            tellMetrics()
        }
        // Also those that others made, and those that could not be taken before.
        for backup in Backup.all(in: folder) { try await verbs.takeElsewhere(backup) }
        let verification = LastVerification(in: folder)
        guard
            settings.backupSchedule.isVerificationDue(
                verifiedAt: verification?.at, at: wallClock()),
            let newest = Backup.all(in: folder).last
        else { return }
        guard try await verifyBackup(newest.folder, settings, logger: logger) else {
            throw OperationError(
                "the backup \(newest.folder) can't be relied on: see what was said")
        }
    }

    private func tellMetrics() {
        let last = Backup.all(in: folder).last?.manifest.createdAt
        Gauge(label: "quartermaster_backup_timestamp_seconds").record(Self.seconds(last))
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
    let verbs = try Verbs(settings, logger: logger)
    try requireFreePort(settings.operationsPort, "OPERATIONS_PORT")
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

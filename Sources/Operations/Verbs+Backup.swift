internal import Backup
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import JSON
public import Logging
internal import Postgres
internal import Schema

/// Copies of the whole database, and whether they can be relied on.
extension Verbs {
    /// Backs the database up, has the backup taken elsewhere where that is set, and lets go of the oldest beyond
    /// those that are kept.
    public func backup(
        in folder: String?, keeping count: Int?, reason: String = "by hand", isCopied: Bool = true
    ) async throws {
        let began = ContinuousClock.now
        let folder = folder ?? settings.absoluteBackupFolder
        let backup = try await Backup.make(
            of: connections.administrative, in: folder, at: wallClock(), reason: reason)
        let seconds = Int((ContinuousClock.now - began).inSeconds.rounded(.up))
        say("backed up \(Self.text(backup)) in \(seconds) s: \(backup.folder)")
        try removeOldest(in: folder, keeping: count)
        guard isCopied, try await !takeElsewhere(backup) else { return }
        say("being taken elsewhere by another process: \(backup.folder)")
    }

    /// By BACKUP_COPY_COMMAND, where that is set and it has not been taken before. False when another process is at it.
    func takeElsewhere(_ backup: Backup) async throws -> Bool {
        guard let command = settings.backupCopyCommand, !backup.isElsewhere else { return true }
        guard try await backup.takeElsewhere(by: command) else { return false }
        say("taken elsewhere: \(backup.folder)")
        return true
    }

    /// Writes the database as SQL that `psql` reads, compressed when the file's name ends in .gz.
    public func writeSQL(to path: String) async throws {
        try await Backup.writeSQL(of: connections.administrative, to: path)
        say("wrote \(path)")
    }

    /// Lists the backups that there are; no database is needed.
    public static func listBackups(
        _ settings: Settings, in folder: String?, isJSON: Bool = false
    ) throws {
        let folder = folder ?? settings.absoluteBackupFolder
        let (backups, damaged) = try Backup.list(in: folder)
        guard !isJSON else {
            for backup in backups {
                sayJSON { json in
                    json.object { json in
                        json.field("folder", backup.folder)
                        json.field("createdAt", backup.manifest.createdAt)
                        json.field("reason", backup.manifest.reason)
                        json.field("head", backup.manifest.head)
                        json.field("size", backup.manifest.size)
                        json.field("isElsewhere", backup.isElsewhere)
                    }
                }
            }
            return
        }
        if backups.isEmpty { say("there are no backups in \(folder)") }
        for backup in backups {
            say("\(backup.folder)  \(Self.text(backup)), \(backup.manifest.reason)")
        }
        for fault in damaged { say("DAMAGED \(fault)") }
    }

    /// Puts a backup into the database of DATABASE_URL, which must be a new one.
    public func restore(_ path: String) async throws {
        let backup = try Self.backup(path, settings)
        try await backup.restore(to: connections.administrative)
        say("restored \(Self.text(backup))")
        say(
            "if events were published after that, EVENTS is ahead of the log: "
                + "see 'quartermaster events reset-stream'")
    }

    /// Before the schema is changed, what is there is backed up; nothing when there is nothing yet.
    static func backupBeforeMigrating(
        _ connections: Connections, _ pending: [String], _ settings: Settings
    ) async throws {
        guard let last = pending.last else { return }
        let session = try await PostgresSession.connect(to: connections.administrative)
        let rows = try await session.execute(
            "SELECT to_regclass('log.event') IS NOT NULL")
        guard rows.text(0, 0) == "t", try await connections.log(1).head() > 0 else { return }
        do {
            let backup = try await Backup.make(
                of: connections.administrative, in: settings.absoluteBackupFolder,
                at: wallClock(), reason: "before migration \(last)")
            say("backed up before migrating: \(backup.folder)")
            try Backup.removeOldest(
                in: settings.absoluteBackupFolder, keeping: settings.backupCount)
        } catch {
            throw OperationError(
                "nothing was migrated, because the backup before it failed: \(sentence(for: error)); "
                    + "'quartermaster migrate --no-backup' migrates without one")
        }
    }

    /// That of a folder, or the newest one under the name `latest`.
    fileprivate static func backup(_ path: String, _ settings: Settings) throws -> Backup {
        guard path == "latest" else { return try Backup(in: path) }
        let folder = settings.absoluteBackupFolder
        let (backups, damaged) = try Backup.list(in: folder)
        guard let backup = backups.last else {
            throw OperationError("there are no backups in \(folder)")
        }
        // Who asks for the newest is not to get an older one without a word.
        if let fault = damaged.last(where: { $0.folder > backup.folder }) {
            throw OperationError(
                "the newest backup can't be used: \(fault); the one before it is \(backup.folder)")
        }
        return backup
    }

    private func removeOldest(in folder: String, keeping count: Int?) throws {
        let gone = try Backup.removeOldest(in: folder, keeping: count ?? settings.backupCount)
        for folder in gone { say("removed \(folder)") }
    }

    fileprivate static func text(_ backup: Backup) -> String {
        let megabytes = Double(backup.manifest.size) / 1_048_576
        return "\(grouped(backup.manifest.head)) events of \(backup.manifest.createdAt) "
            + "(\(String(format: "%.1f", megabytes)) MB)"
    }
}

/// Restores a backup into a scratch database, verifies it there, and throws the database away. Touches no other;
/// true when the backup can be relied on.
public func verifyBackup(_ path: String, _ settings: Settings, logger: Logger) async throws -> Bool
{
    let began = ContinuousClock.now
    let backup = try Verbs.backup(path, settings)
    let isSound = try await ScratchDatabase.with(settings) { url in
        let connections = Connections(url: url, logger: logger)
        try await backup.restore(to: connections.administrative)
        say("restored \(Verbs.text(backup)) into a scratch database")
        // A program that is newer than the backup brings its schema up to date, as it would have to be.
        try await Schema.migrate(
            connections.administrative, try Schema.migrations(), logger: logger)
        return try await Verbs(settings, at: connections, logger: logger).verify(ofScratch: true)
    }
    guard isSound else { return false }
    LastVerification.note(backup, at: wallClock())
    let seconds = Int((ContinuousClock.now - began).inSeconds.rounded(.up))
    say("the backup can be relied on; it took \(seconds) s")
    return true
}

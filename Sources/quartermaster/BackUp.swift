import ArgumentParser
import Operations

struct MakeBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Back up the whole database.",
        discussion: """
            A dump of one moment (pg_dump, custom format) and a manifest with the log's head, its \
            hash and a checksum, in a folder of its own. It has customers' keys: keep it as secret \
            as the database. The oldest beyond BACKUP_COUNT of each kind (by hand, \
            scheduled, before a migration) go. BACKUP_COPY_COMMAND is then run, with \
            the folder in the place of {backup}.
            """)

    @Option(help: "The folder that backups are in; without it, BACKUP_FOLDER.")
    var folder: String?

    @Option(help: "How many to keep; without it, BACKUP_COUNT.")
    var keep: Int?

    @Flag(help: "Leave it to 'backup-keeper' to take the backup elsewhere.")
    var noCopy = false

    @Flag(help: "List the backups that there are, and make none.")
    var list = false

    @Flag(help: "With --list: print one JSON object a line.")
    var json = false

    @Option(help: "Write SQL that psql reads to this file instead; compressed when it ends in .gz.")
    var sql: String?

    func validate() throws {
        guard sql == nil || (folder == nil && keep == nil && !list) else {
            throw ValidationError("--sql goes with no other option")
        }
        guard list || !json else { throw ValidationError("--json goes with --list") }
        guard keep.map({ $0 >= 1 }) ?? true else { throw ValidationError("--keep is 1 or more") }
    }

    func run() async throws {
        try await perform {
            if list { return try Verbs.listBackups($0, in: folder, isJSON: json) }
            let verbs = try Verbs($0, logger: $1)
            if let sql { return try await verbs.writeSQL(to: sql) }
            try await verbs.backup(in: folder, keeping: keep, isCopied: !noCopy)
        }
    }
}

struct KeepBackups: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup-keeper",
        abstract: "Back up every day, and verify a backup every month.",
        discussion: """
            Runs until it is stopped. Every day at BACKUP_AT (UTC) it makes a backup, and takes it \
            elsewhere with BACKUP_COPY_COMMAND; a day that was missed is made up for at the start. \
            The first one, and from BACKUP_VERIFY_DAY of each month on the newest, it restores into a \
            scratch database and verifies there. What failed is tried again after ten minutes (a backup \
            that was found wanting is not, the next one is), logged, and counted in the metrics at \
            OPERATIONS_PORT.
            """)

    func run() async throws {
        try await perform { try await Operations.run(.backupKeeper, $0, logger: $1) }
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a backup into a new database, or see whether it can be relied on.",
        discussion: """
            DATABASE_URL must name a database that is empty, and a user who may make roles and \
            schemas. With --verify no database is needed: the backup is restored into a scratch \
            database, verified there as 'verify' does, and thrown away; ends with 1 when it is not \
            sound. That database is made on the server of SCRATCH_DATABASE_URL, or else in a cluster \
            of its own, for which PostgreSQL's server must be installed here.
            """)

    @Argument(help: "The backup's folder, as 'backup' has named it; 'latest' is the newest.")
    var backup: String

    @Flag(help: "Restore into a scratch database, and verify it there.")
    var verify = false

    func run() async throws {
        try await perform { settings, logger in
            guard verify else {
                return try await Verbs(settings, logger: logger).restore(backup)
            }
            let backup = backup
            let isSound = try await untilToldToEnd(logger: logger) {
                try await verifyBackup(backup, settings, logger: logger)
            }
            guard isSound else { throw ExitCode.failure }
        }
    }
}

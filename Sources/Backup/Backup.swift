internal import Crypto
public import Domain
internal import Foundation
internal import Glibc
internal import LocalServers
public import Postgres

/// A copy of the whole database in a folder of its own: `pg_dump`'s, and a manifest that says what is in it.
///
/// The folder appears under its name when it is complete, readable for its owner only: it has customers' keys.
public struct Backup: Sendable {
    /// `20261125T140530Z-1900286`: when, and up to which position.
    public let folder: String
    public let manifest: BackupManifest

    /// Opens one that is there. Throws ``BackupError``.
    public init(in folder: String) throws(BackupError) {
        self.folder = folder
        manifest = try BackupManifest(in: folder)
    }

    /// Backups that are complete, oldest first.
    public static func all(in folder: String) -> [Backup] {
        (try? list(in: folder).complete) ?? []
    }

    /// The same, and those that can't be used, with the reason. Throws ``BackupError`` when the folder is there and can't
    /// be read.
    public static func list(
        in folder: String
    ) throws(BackupError) -> (complete: [Backup], damaged: [DamagedBackup]) {
        guard FileManager.default.fileExists(atPath: folder) else { return ([], []) }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw BackupError("can't read \(folder)")
        }
        var (complete, damaged): ([Backup], [DamagedBackup]) = ([], [])
        // Whatever else lies there is nobody's business.
        for name in names.sorted() where name.wholeMatch(of: /\d{8}T\d{6}Z-\d+/) != nil {
            let path = "\(folder)/\(name)"
            do throws(BackupError) {
                complete.append(try Backup(in: path))
            } catch {
                damaged.append(DamagedBackup(folder: path, reason: error.description))
            }
        }
        return (complete, damaged)
    }

    /// Dumps the database as of one moment into a new folder of `parent`.
    ///
    /// `configuration` must name a user who may read everything. Throws ``BackupError`` when `pg_dump` fails; then
    /// nothing is left.
    public static func make(
        of configuration: PostgresConfiguration, in parent: String, at now: Instant, reason: String
    ) async throws -> Backup {
        let session = try await PostgresSession.connect(to: configuration)
        // What pg_dump sees is what is said here: both look at the same moment.
        let rows = try await session.execute(
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
            SELECT pg_export_snapshot(), (SELECT id FROM log.identity),
                coalesce((SELECT max(position) FROM log.event), 0),
                coalesce((SELECT encode(hash, 'hex') FROM log.event
                    ORDER BY position DESC LIMIT 1), ''),
                (SELECT max(name) FROM public.quartermaster_migration)
            """)
        guard let log = EntityID(rows.text(0, 1)), let head = Int64(rows.text(0, 2)),
            let hash = rows.text(0, 3).withBytes(Hexadecimal.bytes(of:))
        else { throw BackupError("the database has no log of Quartermaster") }
        let name = "\(Self.stamp(now))-\(head)"
        let (folder, part) = ("\(parent)/\(name)", "\(parent)/\(name).part")
        guard !FileManager.default.fileExists(atPath: folder) else {
            throw BackupError("\(folder) is there already")
        }
        do {
            try FileManager.default.createDirectory(
                atPath: part, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let dump = "\(part)/\(BackupManifest.dumpName)"
            try await run(
                "pg_dump",
                [
                    "--format=custom", "--compress=1", "--snapshot=\(rows.text(0, 0))",
                    "--file=\(dump)",
                ], on: configuration.url)
            let (size, checksum) = try Self.checksum(ofFile: dump)
            let manifest = BackupManifest(
                createdAt: now, reason: reason, log: log, head: head, hash: hash,
                schema: rows.text(0, 4), size: size, checksum: checksum)
            try Data(manifest.text).write(
                to: URL(fileURLWithPath: "\(part)/\(BackupManifest.fileName)"))
            for file in [dump, "\(part)/\(BackupManifest.fileName)", part] {
                try Self.flush(file)
            }
            try FileManager.default.moveItem(atPath: part, toPath: folder)
        } catch {
            try? FileManager.default.removeItem(atPath: part)
            throw error
        }
        return try Backup(in: folder)
    }

    /// Removes the oldest beyond `count` of each kind, so that those of a busy day do not push out those of the
    /// nights; returns their folders. What an interrupted backup has left goes after a day.
    @discardableResult
    public static func removeOldest(in folder: String, keeping count: Int) throws -> [String] {
        let kinds = Dictionary(grouping: all(in: folder)) {
            $0.manifest.reason.split(separator: " ").first
        }
        let old = kinds.values.flatMap { $0.dropLast(count).map(\.folder) }.sorted()
        try removeLeftovers(in: folder)
        for folder in old { try FileManager.default.removeItem(atPath: folder) }
        return old
    }

    /// Removes what was begun a day ago and longer: it was cut off so hard that it could not put itself away.
    private static func removeLeftovers(in folder: String) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasSuffix(".part") {
            let path = "\(folder)/\(name)"
            let changed = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
            guard let changed = changed as? Date, changed < Date(timeIntervalSinceNow: -86_400)
            else { continue }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    /// Throws ``BackupError`` when the dump is not what the manifest says.
    public func check() throws {
        let (size, checksum) = try Self.checksum(ofFile: dump)
        guard size == manifest.size, checksum == manifest.checksum else {
            throw BackupError("\(dump) is not what its manifest says: it was cut off, or altered")
        }
    }

    /// Puts the dump into an empty database, and checks that its log is the one that was dumped.
    ///
    /// `configuration` must name a user who may make roles and schemas. Throws ``BackupError`` when the database
    /// has a log already, or does not have the same afterwards.
    public func restore(to configuration: PostgresConfiguration) async throws {
        try check()
        let session = try await PostgresSession.connect(to: configuration)
        let before = try await session.execute(
            "SELECT to_regclass('log.event'), to_regclass('public.quartermaster_migration')")
        guard before.isNull(0, 0), before.isNull(0, 1) else {
            throw BackupError("the database is not empty: a backup goes into a new one")
        }
        // Roles belong to the cluster, and are in no dump: ours, and whoever owned something where it was made.
        let own = ["owner", "application", "reporting"].map { "quartermaster_\($0)" }
        for role in Set(own + (try await owners())) {
            let name = role.replacingOccurrences(of: "'", with: "''")
            try await session.execute(
                """
                DO $$ BEGIN
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '\(name)') THEN
                        EXECUTE format('CREATE ROLE %I NOLOGIN', '\(name)');
                    END IF;
                    IF '\(name)' <> CURRENT_USER THEN
                        EXECUTE format('GRANT %I TO CURRENT_USER', '\(name)');
                    END IF;
                END $$
                """)
        }
        try await Self.run(
            "pg_restore", ["--exit-on-error", "--jobs=2", dump], on: configuration.url)
        try await session.execute("ANALYZE")
        let rows = try await session.execute(
            """
            SELECT coalesce(max(position), 0),
                coalesce((SELECT encode(hash, 'hex') FROM log.event
                    ORDER BY position DESC LIMIT 1), '') FROM log.event
            """)
        let hash = String(decoding: Hexadecimal.digits(of: manifest.hash), as: UTF8.self)
        guard rows.text(0, 0) == "\(manifest.head)", rows.text(0, 1) == hash else {
            throw BackupError(
                "what was restored ends at position \(rows.text(0, 0)) with hash \(rows.text(0, 1)), and its "
                    + "manifest says \(manifest.head) and \(hash)")
        }
    }

    /// The roles that own what is in the dump, by its table of contents.
    private func owners() async throws -> [String] {
        let list =
            NSTemporaryDirectory() + "quartermaster-contents-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: list) }
        let program = "\(try PrivatePostgres.programs(with: "pg_restore"))/pg_restore"
        try await Self.run(
            [program, "--list", "--file=\(list)", dump], as: "pg_restore", environment: [:])
        let lines = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n")
        // What nobody owns ends in a space; PostgreSQL's own roles are everywhere.
        return lines.filter { !$0.hasPrefix(";") && !$0.hasSuffix(" ") }
            .compactMap { $0.split(separator: " ").last.map(String.init) }
            .filter { $0 != "-" && !$0.hasPrefix("pg_") }
    }

    /// Whether it has been taken elsewhere.
    public var isElsewhere: Bool { FileManager.default.fileExists(atPath: elsewhereMark) }
    private var elsewhereMark: String { "\(folder)/taken-elsewhere" }

    private var dump: String { "\(folder)/\(BackupManifest.dumpName)" }

    /// Runs a command of the shell, with this backup's folder in the place of `{backup}`, and notes beside the dump
    /// that it is elsewhere. False when another process is at it.
    ///
    /// Throws ``BackupError`` with what the command said when it fails, and ``ServerError`` when it has not ended
    /// after `limit`.
    public func takeElsewhere(
        by command: String, limit: Duration = .seconds(2 * 3600)
    ) async throws -> Bool {
        let lock = open(folder, O_RDONLY | O_CLOEXEC)
        guard lock >= 0 else { throw BackupError("can't read \(folder)") }
        // Let go of by name: a process that is just being started has it too, until it runs its program.
        defer {
            flock(lock, LOCK_UN)
            close(lock)
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return false }
        guard !isElsewhere else { return true }
        let quoted = "'\(folder.replacingOccurrences(of: "'", with: "'\\''"))'"
        let line = command.replacingOccurrences(of: "{backup}", with: quoted)
        try await Self.run(
            ["/bin/sh", "-c", line], as: "the command that takes a backup elsewhere",
            environment: [:], limit: limit)
        guard FileManager.default.createFile(atPath: elsewhereMark, contents: nil) else {
            throw BackupError("\(folder) is elsewhere, and that can't be noted in it")
        }
        return true
    }

    /// Writes the database as SQL into a file that must not be there, compressed when its name ends in `.gz`.
    /// Throws ``BackupError``; then nothing is left.
    ///
    /// Roles belong to the cluster and are not in it: `psql` needs a server on which `migrate` has run.
    public static func writeSQL(of configuration: PostgresConfiguration, to path: String)
        async throws
    {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw BackupError("\(path) is there already")
        }
        let part = path + ".part"
        // It has customers' keys.
        _ = FileManager.default.createFile(
            atPath: part, contents: nil, attributes: [.posixPermissions: 0o600])
        do {
            let compression = path.hasSuffix(".gz") ? 6 : 0
            try await run(
                "pg_dump", ["--format=plain", "--compress=\(compression)", "--file=\(part)"],
                on: configuration.url)
            try FileManager.default.moveItem(atPath: part, toPath: path)
        } catch {
            try? FileManager.default.removeItem(atPath: part)
            throw error
        }
    }

    // MARK: Means

    /// Runs one of PostgreSQL's programs on a database; what it says when it fails is the error.
    private static func run(
        _ program: String, _ arguments: [String], on url: String
    ) async throws {
        // Everybody on the machine sees the arguments of a process.
        var components = URLComponents(string: url)
        let password = components?.password
        components?.password = nil
        let address = components?.string ?? url
        try await run(
            ["\(try PrivatePostgres.programs(with: program))/\(program)", "--dbname=\(address)"]
                + arguments,
            as: program, environment: password.map { ["PGPASSWORD": $0] } ?? [:])
    }

    private static func run(
        _ arguments: [String], as name: String, environment: [String: String],
        limit: Duration? = nil
    ) async throws {
        // Not where the backup goes: a disk that is full has no room for the reason either.
        let log =
            NSTemporaryDirectory() + "quartermaster-backup-\(UInt32.random(in: 0 ... .max)).log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        guard try await runToEnd(arguments, environment: environment, log: log, limit: limit)
        else {
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            let reason = said.trimmingCharacters(in: .whitespacesAndNewlines)
            throw BackupError(
                "\(name) failed\(reason.isEmpty ? ", without a word" : ": \(reason)")")
        }
    }

    private static func checksum(ofFile path: String) throws -> (size: Int64, checksum: [UInt8]) {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw BackupError("can't read \(path)")
        }
        defer { try? file.close() }
        var (size, hash) = (Int64(0), SHA256())
        while let part = try file.read(upToCount: 1 << 20), !part.isEmpty {
            hash.update(data: part)
            size += Int64(part.count)
        }
        return (size, Array(hash.finalize()))
    }

    /// Waits until a file, or what a folder names, is on disk.
    private static func flush(_ path: String) throws(BackupError) {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw BackupError("\(path) can't be flushed to disk: errno \(errno)")
        }
    }

    /// `20261125T140530Z`
    private static func stamp(_ now: Instant) -> String {
        let text = now.description.prefix(19).filter { $0 != "-" && $0 != ":" }
        return "\(text)Z"
    }
}

extension String {
    fileprivate func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        var text = self
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

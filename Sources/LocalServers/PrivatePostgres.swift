internal import Foundation
internal import Glibc

/// A PostgreSQL cluster of our own: made when missing, started, and stopped with us.
public struct PrivatePostgres: Sendable {
    public let folder: String
    public let port: Int
    public let process: ChildProcess
    /// Whether the cluster was made just now.
    public let isNew: Bool
    /// The account that PostgreSQL runs as when we are root, for it refuses root.
    static let account = "postgres"

    /// Of the superuser; a cluster that an earlier version has made asks for none.
    private let password: String

    /// The connection URL of the cluster's superuser.
    public var url: String { url(database: "postgres") }

    public func url(database: String) -> String {
        "postgresql://postgres:\(password)@127.0.0.1:\(port)/\(database)?sslmode=disable"
    }

    /// A folder that the server's account can reach: `wanted`, or else one in `/var/lib`.
    ///
    /// As root, the server runs as another user, who can't enter root's home.
    public static func reachableFolder(_ wanted: String) -> String {
        guard getuid() == 0 else { return wanted }
        let aside = sharedFolder + wanted.split(separator: "/").joined(separator: "-")
        var folder = ""
        for part in wanted.split(separator: "/") {
            folder += "/" + part
            var status = stat()
            guard stat(folder, &status) == 0 else { break }
            if status.st_mode & S_IXOTH == 0 {
                return aside
            }
        }
        // One that was made while the folder could not be entered stays where it is.
        let isThere = FileManager.default.fileExists(atPath: aside + "/data/PG_VERSION")
        return isThere && !FileManager.default.fileExists(atPath: wanted + "/data/PG_VERSION")
            ? aside : wanted
    }

    private static let sharedFolder = "/var/lib/quartermaster/"

    /// Starts the cluster in `folder`, and makes it first when there is none.
    ///
    /// A server left over from a run that was killed is stopped and taken over. It listens on the loopback
    /// interface, where the machine's other users are too: so it has a password, in a file that they can't read.
    public static func start(
        in folder: String, port: Int? = nil, settings: [String: String] = [:],
        limit: Duration = .seconds(60)
    ) async throws(ServerError) -> PrivatePostgres {
        let data = folder + "/data"
        let log = folder + "/postgres.log"
        let programs = try programs(for: data)
        if folder.hasPrefix(sharedFolder), getuid() == 0,
            !FileManager.default.fileExists(atPath: sharedFolder)
        {
            try makeFolder(sharedFolder, owner: nil)
            // Whatever root's files are for others otherwise.
            chmod(sharedFolder, 0o755)
        }
        try makeFolder(folder, owner: account)
        let isNew = !FileManager.default.fileExists(atPath: data + "/PG_VERSION")
        let passwordFile = folder + "/password"
        let password = try Secret.kept(in: passwordFile, for: account)
        if isNew { try await initialise(data, passwordFile, programs: programs, log: log) }
        try await stopLeftover(data: data)
        let left = try? String(contentsOfFile: lockFile(data), encoding: .utf8)
        let (process, taken) = try await withPort(port) { port throws(ServerError) in
            let process = try ChildProcess(
                [programs + "/postgres", "-D", data] + switches(port, settings),
                inheriting: .harmless, as: account, log: log)
            do throws(ServerError) {
                try await waitUntilReady(
                    process, data: data, beyond: left, log: log, limit: limit)
            } catch {
                await process.stop(SIGINT)
                throw error
            }
            return (process, port)
        }
        return PrivatePostgres(
            folder: folder, port: taken, process: process, isNew: isNew, password: password)
    }

    private static func switches(_ port: Int, _ settings: [String: String]) -> [String] {
        var options = [
            "listen_addresses": "127.0.0.1", "port": String(port),
            "unix_socket_directories": "", "max_connections": "100",
            "shared_buffers": "\(bufferMegabytes)MB",
            // What was once made of the write-ahead log is used again: making 16 MB of it anew takes
            // tens of milliseconds, in the middle of somebody's commit.
            "min_wal_size": "2GB", "max_wal_size": "2GB", "wal_compression": "lz4",
            "log_min_messages": "warning",
        ]
        options.merge(settings) { $1 }
        return options.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
    }

    /// An eighth of the machine's memory, within reason: a log that fits is never read back to be added
    /// to, and no page of it is thrown out to make room in the middle of an append.
    private static var bufferMegabytes: UInt64 {
        min(max(ProcessInfo.processInfo.physicalMemory / 8 / 1_048_576, 128), 4096)
    }

    /// Stops it: open transactions are rolled back, everything else is written.
    public func stop() async {
        await process.stop(SIGINT)
    }

    /// Until the server says so in its own file, which is not the one that was left: at the port, somebody else may
    /// answer who was faster to take it.
    private static func waitUntilReady(
        _ process: ChildProcess, data: String, beyond left: String?, log: String, limit: Duration
    ) async throws(ServerError) {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            // Its eighth line, see PostgreSQL's "miscadmin.h", LOCK_FILE_LINE_PM_STATUS.
            let text = (try? String(contentsOfFile: lockFile(data), encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            if text != left, lines.count > 7, lines[7].hasPrefix("ready") { return }
            guard process.isRunning else {
                throw ServerError("PostgreSQL ended at once; its reason stands in \(log)")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        throw ServerError("PostgreSQL did not come up within \(limit); see \(log)")
    }

    private static func initialise(
        _ data: String, _ passwordFile: String, programs: String, log: String
    ) async throws(ServerError) {
        // One that is cut off must not be taken for a cluster at the next start.
        let part = data + ".part"
        try? FileManager.default.removeItem(atPath: part)
        let isMade = try await runToEnd(
            [
                programs + "/initdb", "-D", part, "-U", "postgres", "--auth=scram-sha-256",
                "--pwfile=\(passwordFile)",
                // The order of bytes is that of C.UTF-8, and compares without asking the library.
                "--encoding=UTF8", "--locale=C.UTF-8", "--lc-collate=C", "--no-instructions",
            ], as: account, log: log)
        guard isMade, rename(part, data) == 0 else {
            throw ServerError("initdb failed; its reason stands in \(log)")
        }
    }

    /// Ends the server that a run which was killed has left in `folder`, where there is one.
    public static func stopLeftover(in folder: String) async throws(ServerError) {
        try await stopLeftover(data: folder + "/data")
    }

    /// A postmaster that is still at work in our folder belongs to a run that was killed.
    private static func stopLeftover(data: String) async throws(ServerError) {
        let file = lockFile(data)
        guard let text = try? String(contentsOfFile: file, encoding: .utf8),
            let first = text.split(separator: "\n").first, let pid = Int32(first), pid > 0
        else { return }
        if isProcess(pid, named: "postgres", at: data) {
            kill(pid, SIGINT)
            return try await waitForEnd(of: pid, named: "postgres", at: data)
        }
        // A server that somebody has started in another way is PostgreSQL's to find.
        let program = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
        guard let program, program.withoutNewline != "postgres" else { return }
        // The machine started anew, and the number is somebody else's: PostgreSQL would take him for a server. It takes
        // no ancestor of its own for one; the rest of the file tells it of memory that is still in use, and stays.
        let ours = String(getpid()) + text.dropFirst(first.count)
        try? ours.write(toFile: file, atomically: false, encoding: .utf8)
    }

    private static func lockFile(_ data: String) -> String { data + "/postmaster.pid" }

    /// Those of the version that has made the cluster: a newer one does not read its files. Of the newest where there is
    /// none yet.
    private static func programs(for data: String) throws(ServerError) -> String {
        let file = try? String(contentsOfFile: data + "/PG_VERSION", encoding: .utf8)
        guard let version = file.flatMap({ Int($0.withoutNewline) }) else { return try programs() }
        let folder = "/usr/lib/postgresql/\(version)/bin"
        guard FileManager.default.isExecutableFile(atPath: folder + "/postgres") else {
            throw ServerError(
                "\(data) was made by PostgreSQL \(version), which is not installed: "
                    + "apt-get install postgresql-\(version)")
        }
        return folder
    }

    /// The folder of PostgreSQL's programs that has `wanted`, of the newest version whose server is here as well, else of
    /// the newest: Debian keeps them out of the path, one folder a version. Throws ``ServerError`` when there is none.
    public static func programs(with wanted: String = "postgres") throws(ServerError) -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        func have(_ program: String, _ version: Int) -> Bool {
            FileManager.default.isExecutableFile(atPath: "\(root)/\(version)/bin/\(program)")
        }
        let ours = versions.compactMap(Int.init).sorted().filter { have(wanted, $0) }
        guard let newest = ours.last(where: { have("postgres", $0) }) ?? ours.last else {
            throw ServerError("PostgreSQL's \(wanted) is not installed: apt-get install postgresql")
        }
        return "\(root)/\(newest)/bin"
    }
}

extension String {
    fileprivate var withoutNewline: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}

/// Makes a folder that as root belongs to `owner`.
func makeFolder(_ folder: String, owner: String?) throws(ServerError) {
    do {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    } catch {
        throw ServerError("can't make the folder \(folder): \(error.localizedDescription)")
    }
    if let owner { give(folder, to: owner) }
}

/// As root, lets something belong to another account.
func give(_ path: String, to owner: String) {
    guard getuid() == 0, let account = getpwnam(owner) else { return }
    chown(path, account.pointee.pw_uid, account.pointee.pw_gid)
}

/// Whether a process of this number runs a program of this name that was told to work in this folder: a number is
/// given again, and who has it after the machine started anew may be somebody else's server.
func isProcess(_ pid: Int32, named name: String, at folder: String) -> Bool {
    let words = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
        .split(separator: "\0")
    guard let words, let program = words.first else { return false }
    func place(_ path: some StringProtocol) -> String {
        URL(fileURLWithPath: String(path)).resolvingSymlinksInPath().path
    }
    return program.split(separator: "/").last.map { $0 == name } ?? false
        && words.contains { place($0) == place(folder) }
}

func waitForEnd(
    of pid: Int32, named name: String, at folder: String
) async throws(ServerError) {
    let deadline = ContinuousClock.now + .seconds(30)
    while isProcess(pid, named: name, at: folder) {
        guard ContinuousClock.now < deadline else {
            throw ServerError("process \(pid) (\(name)) of an earlier run does not end: kill it")
        }
        try? await Task.sleep(for: .milliseconds(20))
    }
}

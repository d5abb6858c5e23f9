internal import Commands
internal import Foundation
internal import LocalServers
internal import Logging
internal import Operations
internal import Postgres
internal import Schema

/// Servers of the bench's own, and `quartermaster up` on them as a process of its own.
struct BenchSystem {
    let folder: String
    let postgres: PrivatePostgres
    let nats: PrivateNATS
    let connections: Connections
    let commandPort: Int
    let queryPort: Int
    static let token = "the token of the bench"
    static let secret = "what the bench signs links with, and nobody else"
    /// Of the write-ahead log: what a cluster has that has been at work for a while.
    private static let workingSegmentCount = 120

    /// Starts the servers in a new folder, as `up` starts them, and makes the schema.
    static func start(logger: Logger) async throws -> BenchSystem {
        let folder = "/tmp/quartermaster-bench-\(getpid())"
        let postgres = try await PrivatePostgres.start(in: folder + "/postgres")
        do {
            let system = BenchSystem(
                folder: folder, postgres: postgres,
                nats: try await PrivateNATS.start(in: folder + "/nats"),
                connections: Connections(url: postgres.url, logger: logger),
                commandPort: try freeLoopbackPort(), queryPort: try freeLoopbackPort())
            try await postgres.reserveLog(segments: workingSegmentCount, logger: logger)
            try await Schema.migrate(
                system.connections.administrative, try Schema.migrations(), logger: logger)
            return system
        } catch {
            await postgres.stop()
            throw error
        }
    }

    func stop() async {
        await nats.stop()
        await postgres.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var commands: String { "http://127.0.0.1:\(commandPort)" }
    var queries: String { "http://127.0.0.1:\(queryPort)" }

    /// Has done at once what autovacuum and the checkpointer would do after so much was written, in
    /// the middle of what is measured next.
    func settle() async throws {
        let session = try await PostgresSession.connect(to: connections.administrative)
        try await session.execute("VACUUM (ANALYZE)")
        try await session.execute("CHECKPOINT")
    }

    /// Starts `up`, and returns when it says so.
    func up() async throws -> ChildProcess {
        let log = logOfUp
        try? FileManager.default.removeItem(atPath: log)
        let child = try start(
            ["up"], log: log,
            ["COMMAND_PORT": String(commandPort), "QUERY_PORT": String(queryPort)])
        try await wait("'quartermaster up'", limit: .seconds(600)) {
            let output = try String(contentsOfFile: log, encoding: .utf8)
            guard child.isRunning else { throw BenchError("'quartermaster up' ended: \(output)") }
            return output.contains("Quartermaster is up")
        }
        return child
    }

    private var logOfUp: String { folder + "/up.log" }

    /// What `up` wrote last.
    func lastLines() throws -> String {
        try String(contentsOfFile: logOfUp, encoding: .utf8).split(separator: "\n").suffix(10)
            .joined(separator: "\n")
    }

    /// Starts a role alone, with a door of its own.
    func role(_ name: String) throws -> (ChildProcess, port: Int) {
        let port = try freeLoopbackPort()
        let door = ["command-api": "COMMAND_PORT", "query-api": "QUERY_PORT"][name]
        let child = try start(
            [name], log: folder + "/role.log", [door ?? "OPERATIONS_PORT": String(port)])
        return (child, port)
    }

    /// Starts this program with a verb, on the bench's servers.
    func start(
        _ arguments: [String], log: String, _ more: [String: String] = [:]
    ) throws -> ChildProcess {
        let settings = [
            "DATABASE_URL": postgres.url, "NATS_URL": nats.url, "STAFF_TOKEN": Self.token,
            "SIGNING_SECRET": Self.secret, "OPERATIONS_PORT": String(try freeLoopbackPort()),
            "QUARTERMASTER_DATA": folder + "/up",
        ]
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return try ChildProcess(
            [program] + arguments, environment: settings.merging(more) { $1 }, log: log)
    }

    /// Runs `body` with a decision loop in this process, beside the one of `up`.
    func withLoop<R>(_ body: (DecisionLoop) async throws -> R) async throws -> R {
        let roles = Roles(
            connections, natsURL: nats.url,
            secrets: Secrets(staffToken: Self.token, signing: ""), settings: try Settings([:]),
            logger: connections.logger)
        let loop = roles.decisionLoop()
        let running = Task { await loop.run() }
        defer { running.cancel() }
        return try await body(loop)
    }

    /// The resident memory of a process, in megabytes.
    static func residentMegabytes(of pid: Int32) throws -> Double {
        try megabytes("VmRSS:", of: pid)
    }

    /// The most that a process has had until now.
    static func peakMegabytes(of pid: Int32) throws -> Double {
        try megabytes("VmHWM:", of: pid)
    }

    private static func megabytes(_ field: String, of pid: Int32) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(field) } ?? ""
        let kilobytes = line.split(separator: " ").compactMap { Double($0) }.first ?? 0
        return kilobytes / 1024
    }
}

/// Asks again until something is so.
func wait(
    _ what: String, limit: Duration = .seconds(120), until isSo: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isSo() {
        guard ContinuousClock.now < deadline else {
            throw BenchError("\(what) did not come within \(limit)")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

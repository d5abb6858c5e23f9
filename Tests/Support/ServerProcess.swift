internal import Foundation
internal import Glibc
public import LocalServers
internal import TestServers

/// The built program as a process of its own, with a folder of its own.
public struct ServerProcess: Sendable {
    public let process: ChildProcess
    public let folder: String
    public let commandPort: Int
    public let queryPort: Int
    public let operationsPort: Int
    /// Of the doors; PostgreSQL and NATS of each `up` are elsewhere.
    private static let ports = 10_000..<20_000
    public static let token = "a token for tests only"

    public var commands: HTTPDoor { HTTPDoor("http://127.0.0.1:\(commandPort)") }
    public var queries: HTTPDoor { HTTPDoor("http://127.0.0.1:\(queryPort)") }
    public var operations: HTTPDoor { HTTPDoor("http://127.0.0.1:\(operationsPort)") }
    public var staff: HTTPDoor { HTTPDoor(commands.base, token: Self.token) }
    public var staffQueries: HTTPDoor { HTTPDoor(queries.base, token: Self.token) }
    public var log: String { folder + "/output-\(commandPort).log" }

    /// Starts a verb and waits until its doors are open.
    public static func start(
        _ verb: String = "up", in folder: String, environment: [String: String] = [:]
    ) async throws -> ServerProcess {
        let command = try freeLoopbackPort(in: ports)
        let query = try freeLoopbackPort(in: ports)
        let operations = try freeLoopbackPort(in: ports)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var settings = [
            "QUARTERMASTER_DATA": folder, "COMMAND_PORT": String(command),
            "QUERY_PORT": String(query), "OPERATIONS_PORT": String(operations),
            "STAFF_TOKEN": token, "LOG_LEVEL": "notice",
        ]
        settings.merge(environment) { $1 }
        let process = try ChildProcess(
            [try programPath(), verb], environment: settings,
            log: folder + "/output-\(command).log")
        let server = ServerProcess(
            process: process, folder: folder, commandPort: command, queryPort: query,
            operationsPort: operations)
        do {
            try await eventually("\(verb) is ready", within: .seconds(90)) {
                guard process.isRunning else {
                    throw NotInTime(description: "it ended: \(server.output)")
                }
                let isSelling = try await server.commands.get("/readyz").status == 200
                guard isSelling, verb == "up" else { return isSelling }
                return server.output.contains("Quartermaster is up")
            }
        } catch {
            await server.stop()
            throw error
        }
        return server
    }

    public var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// PostgreSQL's and NATS's addresses, as `up` left them for the other verbs.
    public func addresses() throws -> (database: String, nats: String) {
        let lines = try String(contentsOfFile: folder + "/addresses", encoding: .utf8)
            .split(separator: "\n").map(String.init)
        return (lines[0], lines[1])
    }

    /// Ends it without a word.
    public func kill() {
        Glibc.kill(process.pid, SIGKILL)
    }

    /// Asks it to end, and waits.
    public func stop() async {
        await process.stop(SIGTERM)
    }

    /// Runs another verb of the program to its end, in the folder of this one.
    public func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> (isSuccess: Bool, output: String) {
        try await Self.run(arguments, in: folder, environment: environment)
    }

    /// Runs a verb that goes on for ever until its output is as `isEnough` wants it, asks it to end, and returns
    /// what it had printed.
    public func follow(
        _ arguments: [String], until isEnough: (String) -> Bool
    ) async throws -> (isSuccess: Bool, output: String) {
        let (process, log) = try Self.begin(arguments, in: folder)
        func output() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        do {
            try await eventually("\(arguments) prints what it should") { isEnough(output()) }
        } catch {
            await process.stop(SIGTERM)
            throw error
        }
        await process.stop(SIGTERM)
        return (process.hasSucceeded, output())
    }

    public static func run(
        _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) async throws -> (isSuccess: Bool, output: String) {
        let (process, log) = try begin(arguments, in: folder, environment: environment)
        try await eventually("\(arguments) ends", within: .seconds(120)) { !process.isRunning }
        return (process.hasSucceeded, try String(contentsOfFile: log, encoding: .utf8))
    }

    /// Starts another verb of the program.
    public static func begin(
        _ arguments: [String], in folder: String, environment: [String: String] = [:]
    ) throws -> (process: ChildProcess, log: String) {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let log = folder + "/verb-\(UInt32.random(in: 0 ... .max)).log"
        let settings = ["QUARTERMASTER_DATA": folder].merging(environment) { $1 }
        let process = try ChildProcess(
            [try programPath()] + arguments, environment: settings, log: log)
        return (process, log)
    }

    /// A folder that every account can reach.
    public static func scratchFolder() -> String {
        "\(serversFolder)/quartermaster-system-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    }

    /// The program lies beside the tests.
    public static func programPath() throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(fileURLWithPath: tests).deletingLastPathComponent()
        let beside = folder.appendingPathComponent("quartermaster").path
        guard FileManager.default.isExecutableFile(atPath: beside) else {
            throw NotInTime(description: "\(beside) is not there")
        }
        return beside
    }
}

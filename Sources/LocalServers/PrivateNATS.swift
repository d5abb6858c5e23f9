internal import Foundation
internal import Glibc

/// A nats-server of our own, with JetStream, stopped with us.
public struct PrivateNATS: Sendable {
    public let port: Int
    public let process: ChildProcess

    private let token: String

    public var url: String { "nats://\(token)@127.0.0.1:\(port)" }

    /// Starts the server with its streams in `folder`; one left over from a run that was killed is
    /// stopped and taken over. It has a token, for the machine's other users can reach it too.
    public static func start(
        in folder: String, port: Int? = nil, limit: Duration = .seconds(30)
    ) async throws(ServerError) -> PrivateNATS {
        try makeFolder(folder, owner: nil)
        let pidFile = folder + "/nats-server.pid"
        let streams = folder + "/streams"
        try await stopLeftover(pidFile: pidFile, streams: streams)
        // Of one that was killed: its number may be given again.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasSuffix(".ports") { unlink("\(folder)/\(name)") }
        let log = folder + "/nats-server.log"
        let configuration = folder + "/nats-server.conf"
        let token = try Secret.kept(in: folder + "/token")
        try Secret.write("authorization { token: \"\(token)\" }\n", to: configuration)
        return try await withPort(port) { port throws(ServerError) in
            let process = try ChildProcess(
                [
                    try program(), "--config", configuration, "--addr", "127.0.0.1", "--port",
                    String(port), "--jetstream", "--store_dir", streams, "--pid", pidFile,
                    "--ports_file_dir", folder,
                ], inheriting: .harmless, log: log)
            // The server's own: at the port, somebody else may answer who was faster to take it.
            let ports = "\(folder)/nats-server_\(process.pid).ports"
            let deadline = ContinuousClock.now + limit
            while !FileManager.default.fileExists(atPath: ports) {
                guard process.isRunning, ContinuousClock.now < deadline else {
                    await process.stop(SIGTERM)
                    throw ServerError("nats-server did not come up; its reason stands in \(log)")
                }
                try? await Task.sleep(for: .milliseconds(20))
            }
            return PrivateNATS(port: port, process: process, token: token)
        }
    }

    public func stop() async {
        await process.stop(SIGTERM)
    }

    private static func stopLeftover(pidFile: String, streams: String) async throws(ServerError) {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8),
            let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)),
            isProcess(pid, named: "nats-server", at: streams)
        else { return }
        kill(pid, SIGTERM)
        try await waitForEnd(of: pid, named: "nats-server", at: streams)
    }

    private static func program() throws(ServerError) -> String {
        for folder in ["/usr/sbin", "/usr/bin", "/usr/local/bin"] {
            let program = folder + "/nats-server"
            if FileManager.default.isExecutableFile(atPath: program) { return program }
        }
        throw ServerError("nats-server is not installed: apt-get install nats-server")
    }
}

internal import Foundation
internal import Glibc

/// A nats-server of our own, with JetStream, stopped with us.
public struct PrivateNATS: Sendable {
    public let port: Int
    public let process: ChildProcess

    public var url: String { "nats://127.0.0.1:\(port)" }

    /// Starts the server with its streams in `folder`; one left over from a run that was killed is
    /// stopped and taken over.
    public static func start(
        in folder: String, port: Int? = nil, limit: Duration = .seconds(30)
    ) async throws(ServerError) -> PrivateNATS {
        try makeFolder(folder, owner: nil)
        let pidFile = folder + "/nats-server.pid"
        let streams = folder + "/streams"
        try await stopLeftover(pidFile: pidFile, streams: streams)
        let port = if let port { port } else { try freeLoopbackPort() }
        let log = folder + "/nats-server.log"
        let process = try ChildProcess(
            [
                try program(), "--addr", "127.0.0.1", "--port", String(port), "--jetstream",
                "--store_dir", streams, "--pid", pidFile,
            ], inheriting: .harmless, log: log)
        let server = PrivateNATS(port: port, process: process)
        let deadline = ContinuousClock.now + limit
        while !isListening(onPort: port) {
            guard process.isRunning, ContinuousClock.now < deadline else {
                await server.stop()
                throw ServerError("nats-server did not come up; its reason stands in \(log)")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return server
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

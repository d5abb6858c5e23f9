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

/// Whether somebody listens on this port of the loopback interface.
public func isListening(onPort port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// Whether a server can listen somewhere, and why not.
public enum Listening: Sendable {
    case yes
    case isTaken
    /// Low ports are for root.
    case isNotAllowed
    /// There is no such address on this machine.
    case isNoAddress
}

/// Tries it, and lets go at once; `address` is a name or a number.
public func canListen(onPort port: Int, at address: String) -> Listening {
    var wanted = addrinfo()
    wanted.ai_family = AF_UNSPEC
    wanted.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &wanted, &found) == 0, let first = found else {
        return .isNoAddress
    }
    defer { freeaddrinfo(found) }
    let descriptor = socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    // As servers do: connections of one that has just gone do not count.
    var isOn: Int32 = 1
    setsockopt(
        descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
        return errno == EADDRINUSE ? .isTaken : errno == EACCES ? .isNotAllowed : .isNoAddress
    }
    return listen(descriptor, 1) == 0 ? .yes : .isTaken
}

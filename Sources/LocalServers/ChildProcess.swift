internal import Foundation
internal import Glibc
internal import NIOConcurrencyHelpers

/// A server that this process started, in a process group of its own, so that Ctrl-C in a terminal
/// reaches us and not it: we decide when it goes.
public final class ChildProcess: Sendable {
    private let process: NIOLockedValueBox<Process>
    public let pid: Int32
    public let name: String

    /// Starts `arguments[0]`, with `environment` on top of ours, or of as much of ours as a server needs that is not to
    /// know our secrets. Output goes to the end of `log`.
    ///
    /// As root, a server that refuses root is run as the user `account`.
    public init(
        _ arguments: [String], environment: [String: String] = [:],
        inheriting inherited: Inherited = .all, as account: String? = nil, log: String
    ) throws(ServerError) {
        name = (arguments[0] as NSString).lastPathComponent
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        guard let output = FileHandle(forWritingAtPath: log) else {
            throw ServerError("can't write \(log)")
        }
        output.seekToEndOfFile()
        let process = Process()
        var arguments = arguments
        if let account, getuid() == 0 {
            arguments =
                [
                    "/usr/bin/setpriv", "--reuid=\(account)", "--regid=\(account)",
                    "--init-groups", "--",
                ] + arguments
        }
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.environment = ProcessInfo.processInfo.environment
            .filter { inherited == .all || Self.harmless.contains($0.key) }
            .merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        do {
            try withoutBlockedSignals { try process.run() }
        } catch {
            throw ServerError("can't start \(arguments[0]): \(error.localizedDescription)")
        }
        pid = process.processIdentifier
        self.process = NIOLockedValueBox(process)
    }

    public enum Inherited: Sendable {
        case all
        case harmless
    }

    private static let harmless: Set = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"]

    public var isRunning: Bool { process.withLockedValue { $0.isRunning } }

    /// Whether it ended by itself with status 0.
    public var hasSucceeded: Bool {
        process.withLockedValue { !$0.isRunning && $0.terminationStatus == 0 }
    }

    /// Asks it to end with `signal`, and ends it for good when it has not within `limit`.
    public func stop(_ signal: Int32, limit: Duration = .seconds(20)) async {
        guard isRunning else { return }
        kill(pid, signal)
        let deadline = ContinuousClock.now + limit
        while isRunning, ContinuousClock.now < deadline {
            // A child's end can't be awaited without a thread of its own; 20 ms is soon enough.
            try? await Task.sleep(for: .milliseconds(20))
        }
        if isRunning { kill(pid, SIGKILL) }
    }

    /// Ends it and what it has started: as asked, or for good a second later. Also where our own task is cancelled,
    /// and can't sleep.
    fileprivate func end() async {
        let group = -pid
        await Task.detached { [self] in
            kill(group, SIGTERM)
            for _ in 0..<50 where isRunning { try? await Task.sleep(for: .milliseconds(20)) }
            kill(group, SIGKILL)
        }.value
    }
}

/// Runs a program until it ends; true when it ended well. When it has not after `limit`, or when whoever waits for
/// it is cancelled, it is ended with all that it has started, and ``ServerError`` is thrown.
public func runToEnd(
    _ arguments: [String], environment: [String: String] = [:], as account: String? = nil,
    log: String, limit: Duration? = nil
) async throws(ServerError) -> Bool {
    let child = try ChildProcess(
        arguments, environment: environment, as: account, log: log)
    let deadline = limit.map { ContinuousClock.now + $0 }
    while child.isRunning {
        guard !Task.isCancelled else {
            await child.end()
            throw ServerError("\(child.name) was given up")
        }
        if let deadline, let limit, ContinuousClock.now > deadline {
            await child.end()
            throw ServerError("\(child.name) did not end within \(limit)")
        }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return child.hasSucceeded
}

/// A child inherits the mask of the thread that starts it, and the threads of Swift's pool block
/// every signal: a program that waits for its alarm would wait for ever.
private func withoutBlockedSignals(_ work: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try work()
}

/// A server can't be had; the sentence says what to do.
public struct ServerError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

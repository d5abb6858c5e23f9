internal import Foundation
internal import Glibc
internal import LocalServers
internal import NIOConcurrencyHelpers

/// The servers that a test run starts once and takes down with itself.
public actor TestServers {
    public static let shared = TestServers()

    private var postgresTask: Task<PrivatePostgres, any Error>?
    private var natsTask: Task<PrivateNATS, any Error>?
    private var freshCount = 0
    private let folder = "\(serversFolder)/quartermaster-tests-\(getpid())"

    /// One cluster for all tests of the run; each test makes a database of its own in it.
    public func postgresURL(database: String = "postgres") async throws
        -> String
    {
        // A machine with all its hands full is no fault of what is tested.
        try await postgres().url(database: database) + "&connect_timeout=60"
    }

    public func natsURL() async throws -> String { try await nats().url }

    private func postgres() async throws -> PrivatePostgres {
        if postgresTask == nil {
            let folder = folder + "/postgres"
            postgresTask = Task {
                let server = try await PrivatePostgres.start(
                    in: folder,
                    // Nothing here outlives the run.
                    settings: [
                        "max_connections": "400", "fsync": "off", "min_wal_size": "128MB",
                        "max_wal_size": "512MB",
                    ])
                stopAtExit(server.process.pid, folder)
                return server
            }
        }
        return try await postgresTask!.value
    }

    /// A nats-server for one test alone; the function returned stops it.
    public func freshNATS() async throws -> (stop: @Sendable () async -> Void, url: String) {
        freshCount += 1
        let server = try await PrivateNATS.start(in: folder + "/nats-\(freshCount)")
        stopAtExit(server.process.pid, folder + "/nats-\(freshCount)")
        return ({ await server.stop() }, server.url)
    }

    private func nats() async throws -> PrivateNATS {
        if natsTask == nil {
            let folder = folder + "/nats"
            natsTask = Task {
                let server = try await PrivateNATS.start(in: folder)
                stopAtExit(server.process.pid, folder)
                return server
            }
        }
        return try await natsTask!.value
    }
}

private let children = NIOLockedValueBox<[(pid: pid_t, folder: String)]>([])

private func stopAtExit(_ pid: pid_t, _ folder: String) {
    let isFirst = children.withLockedValue { children in
        children.append((pid, folder))
        return children.count == 1
    }
    guard isFirst else { return }
    atexit {
        for child in children.withLockedValue({ $0 }) {
            kill(child.pid, SIGKILL)
            try? FileManager.default.removeItem(atPath: child.folder)
        }
    }
}

internal import Foundation
internal import LocalServers
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// The private PostgreSQL and nats-server of `up`: started here, started again should one die
/// for as long as it runs, and stopped by who started them.
final class OwnServers: Service {
    private let servers: Mutex<Servers>
    private let folder: String
    private let postgresFolder: String
    private let logger: Logger

    private struct Servers {
        var postgres: PrivatePostgres?
        var nats: PrivateNATS?
    }

    static let checkInterval = Duration.milliseconds(200)

    /// Starts those of the two that are wanted.
    init(
        in folder: String, postgres wantsPostgres: Bool, nats wantsNATS: Bool, logger: Logger
    ) async throws {
        self.folder = folder
        self.logger = logger
        postgresFolder = PrivatePostgres.reachableFolder(folder + "/postgres")
        if wantsPostgres, postgresFolder != folder + "/postgres" {
            say("PostgreSQL's data is in \(postgresFolder): its user can't reach \(folder)")
        }
        let postgres =
            wantsPostgres ? try await PrivatePostgres.start(in: postgresFolder) : nil
        do {
            try await postgres?.reserveLog(logger: logger)
            let nats = wantsNATS ? try await PrivateNATS.start(in: folder + "/nats") : nil
            servers = Mutex(Servers(postgres: postgres, nats: nats))
        } catch {
            await postgres?.stop()
            throw error
        }
    }

    var databaseURL: String? { servers.withLock { $0.postgres?.url } }
    var natsURL: String? { servers.withLock { $0.nats?.url } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.checkInterval)
                if !Task.isCancelled { await self.reviveTheDead() }
            }
        }
    }

    func stop() async {
        let (postgres, nats) = servers.withLock { ($0.postgres, $0.nats) }
        await nats?.stop()
        await postgres?.stop()
    }

    private func reviveTheDead() async {
        let (postgres, nats) = servers.withLock { ($0.postgres, $0.nats) }
        do {
            if let postgres, !postgres.process.isRunning {
                logger.warning("PostgreSQL died and is started again")
                let revived = try await PrivatePostgres.start(
                    in: postgresFolder, port: postgres.port)
                servers.withLock { $0.postgres = revived }
            }
            if let nats, !nats.process.isRunning {
                logger.warning("nats-server died and is started again")
                let revived = try await PrivateNATS.start(in: folder + "/nats", port: nats.port)
                servers.withLock { $0.nats = revived }
            }
        } catch {
            logger.error("can't be started again", metadata: ["reason": "\(error)"])
        }
    }
}

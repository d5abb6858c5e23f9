internal import EventLog
public import Logging
public import Postgres
public import ServiceLifecycle

/// Keeps the tables up to date that rebuilds have replaced and were told to keep, so that a rebuild can be
/// undone at once.
///
/// Only those of this program's versions: what another program made, that one can fold.
public struct KeptTables: Service {
    /// How often it looks for new ones.
    public static let interval = Duration.seconds(2)

    private let models: [any ReadModel.Type]
    private let feed: EventFeed
    private let configuration: PostgresConfiguration
    private let logger: Logger

    public init(
        of models: [any ReadModel.Type], feed: EventFeed, configuration: PostgresConfiguration,
        logger: Logger
    ) {
        self.models = models
        self.feed = feed
        self.configuration = configuration
        self.logger = logger
    }

    public func run() async {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: String?.self) { group in
                var running: Set<String> = []
                group.addTask { await pause() }
                for await ended in group {
                    if let ended {
                        running.remove(ended)
                        continue
                    }
                    if Task.isCancelled { break }
                    for model in await kept() where running.insert(model.name).inserted {
                        group.addTask {
                            await follow(model)
                            return model.name
                        }
                    }
                    group.addTask { await pause() }
                }
            }
        }
    }

    private func pause() async -> String? {
        try? await Task.sleep(for: Self.interval)
        return nil
    }

    private func kept() async -> [any ReadModel.Type] {
        let statuses = (try? await ProjectionStatus.all(feed.log.client)) ?? []
        return models.filter { model in
            statuses.contains {
                $0.name == model.name + TableGeneration.old.suffix && $0.version == model.version
            }
        }
    }

    private func follow<Model: ReadModel>(_ model: Model.Type) async {
        try? await ProjectionRunner(ReadModelTable<Model>(.old), feed, configuration, logger).run()
    }
}

internal import CatalogueImport
internal import Commands
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import Glibc
internal import JSON
public import Logging
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Schema

/// What operators do to a system that runs, or could.
public struct Verbs: Sendable {
    let place: Place
    let connections: Connections
    let settings: Settings
    let logger: Logger

    public init(_ settings: Settings, logger: Logger) throws {
        // What keeps a verb from its work it says in a sentence, and need not log before.
        var logger = logger
        if logger.logLevel > .debug { logger.logLevel = .error }
        place = try Place(settings)
        connections = Connections(url: try place.databaseURL(), logger: logger)
        self.settings = settings
        self.logger = logger
    }

    /// For another database than the one that is configured.
    init(_ settings: Settings, at connections: Connections, logger: Logger) throws {
        place = try Place(settings)
        self.connections = connections
        self.settings = settings
        self.logger = logger
    }

    /// Brings the schema up to date, after a backup of what is there.
    public func migrate(backsUp: Bool = true) async throws {
        let migrations = try Schema.migrations()
        if backsUp {
            let pending = try await Schema.pending(connections.administrative, migrations)
            try await Self.backupBeforeMigrating(connections, pending, settings)
        }
        let applied = try await Schema.migrate(
            connections.administrative, migrations, logger: logger)
        say(applied.isEmpty ? "the schema is up to date" : "applied:")
        for name in applied { say("  \(name)") }
    }

    /// Imports a catalogue file, all of it or nothing.
    public func importFile(_ path: String) async throws {
        guard let yaml = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw OperationError("can't read \(path)")
        }
        let file = try CatalogueFile(yaml, name: (path as NSString).lastPathComponent)
        let (eventCount, position) = try await withLoop {
            try await importCatalogue(file, by: $0)
        }
        say(
            eventCount == 0
                ? "nothing to import: everything in \(path) is there already"
                : "imported \(file.additions.count) things in \(eventCount) events, up to position \(position)"
        )
    }

    /// Runs `body` with a decision loop of its own, beside those that run.
    func withLoop<R>(
        clock: (@Sendable () -> Instant)? = nil, _ body: (DecisionLoop) async throws -> R
    ) async throws -> R {
        let roles = Roles(
            connections, natsURL: "", secrets: Secrets(staffToken: "", signing: ""),
            settings: settings, logger: logger, clock: clock)
        let loop = roles.decisionLoop()
        let running = Task { await loop.run() }
        defer { running.cancel() }
        return try await body(loop)
    }
}

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
    private let settings: Settings
    private let logger: Logger

    public init(_ settings: Settings, logger: Logger) throws {
        place = try Place(settings)
        connections = Connections(url: try place.databaseURL(), logger: logger)
        self.settings = settings
        self.logger = logger
    }

    /// Brings the schema up to date.
    public func migrate() async throws {
        let applied = try await Schema.migrate(
            connections.administrative, try Schema.migrations(), logger: logger)
        say(applied.isEmpty ? "the schema is up to date" : "applied:")
        for name in applied { say("  \(name)") }
    }

    /// Imports a catalogue file, all of it or nothing.
    public func importFile(_ path: String) async throws {
        guard let yaml = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw OperationError("can't read \(path)")
        }
        let file = try CatalogueFile(yaml, name: (path as NSString).lastPathComponent)
        let roles = Roles(
            connections, natsURL: "", secrets: Secrets(staffToken: "", signing: ""),
            settings: settings, logger: logger)
        let loop = roles.decisionLoop()
        let running = Task { await loop.run() }
        defer { running.cancel() }
        let (eventCount, position) = try await importCatalogue(file.additions, by: loop)
        say(
            eventCount == 0
                ? "nothing to import: everything in \(path) is there already"
                : "imported \(file.additions.count) things in \(eventCount) events, up to position \(position)"
        )
    }

    /// Prints events, one a line; follows the log when asked to.
    public func events(
        from position: Int64, limit: Int?, follows: Bool, asJSON: Bool
    ) async throws {
        let log = connections.log(1)
        var next = position
        var left = limit ?? .max
        while left > 0 {
            let events = try await log.read(after: next - 1, limit: min(left, 1000))
            for event in events { say(line(event, asJSON: asJSON)) }
            left -= events.count
            if let last = events.last {
                next = last.position + 1
            } else if follows {
                try await Task.sleep(for: .milliseconds(200))
            } else {
                return
            }
        }
    }

    private func line(_ event: LoggedEvent, asJSON: Bool) -> String {
        let name = EventType(rawValue: event.type)?.name ?? "type \(event.type)"
        let time = Instant(microseconds: event.recordedAt)
        guard asJSON else {
            let data = String(decoding: event.data, as: UTF8.self)
            return "\(event.position)\t\(time)\t\(name)\t\(event.actor)\t\(data)"
        }
        let bytes = JSONWriter.write { json in
            json.object { json in
                json.field("position", event.position)
                json.field("recordedAt", time)
                json.field("type", name)
                json.field("schemaVersion", Int(event.schemaVersion))
                json.field("actor", event.actor)
                json.name("correlation")
                json.value(
                    EntityID(high: event.correlationID.high, low: event.correlationID.low))
                json.name("data")
                json.value(json: event.data)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Prints how the system stands.
    public func status(asJSON: Bool) async throws {
        let client = connections.client(1)
        let head = try await EventLog(client).head()
        let statuses = try await ProjectionStatus.all(client)
        if asJSON {
            let bytes = JSONWriter.write { json in
                json.object { json in
                    json.field("head", head)
                    json.field("projections", statuses) { json, status in
                        json.object { json in
                            json.field("name", status.name)
                            json.field("version", status.version)
                            json.field("position", status.position)
                            json.field("lag", head - status.position)
                            json.field("stoppedAtPosition", status.stoppedAtPosition)
                            json.field("stoppedBecause", status.stoppedBecause)
                        }
                    }
                }
            }
            return say(String(decoding: bytes, as: UTF8.self))
        }
        say("log: \(head) events")
        for status in statuses {
            let name = status.name.padding(toLength: 22, withPad: " ", startingAt: 0)
            let lag = head - status.position
            say("  \(name) \(lag == 0 ? "up to date" : "\(lag) events behind")")
            if let position = status.stoppedAtPosition {
                say("    STOPPED at position \(position): \(status.stoppedBecause ?? "")")
            }
        }
    }
}

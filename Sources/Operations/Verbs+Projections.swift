internal import Commands
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import JSON
internal import Postgres
internal import ProjectionEngine
internal import Projections

/// Projections that stand still, why, and how they go on.
extension Verbs {
    /// How long a projection that is tried again may take to say how it went.
    private static let retryWait = Duration.seconds(5)

    /// Lists all projections, and for ever what they do without.
    public func projections(isJSON: Bool) async throws {
        let client = connections.client(1)
        let statuses = try await ProjectionStatus.all(client)
        let skips = try await Skips.load(from: EventLog(client)).entries
        // Last, or what has happened since would look like something that the log has lost.
        let head = try await EventLog(client).head()
        guard !isJSON else {
            return sayJSON { json in
                json.object { json in
                    json.field("head", head)
                    json.field("projections", statuses) { $0.write($1, head: head) }
                    json.field("skipped", skips) { json, skip in
                        json.object { json in
                            json.field("projection", skip.fact.projection)
                            json.field("position", skip.fact.position)
                            json.field("reason", skip.fact.reason)
                            json.field("decidedAt", skip.decidedAt)
                            json.field("decidedBy", skip.decidedBy)
                        }
                    }
                }
            }
        }
        for status in statuses { say(Self.line(status, head: head)) }
        for skip in skips {
            say(
                "\(skip.fact.projection) does without position \(grouped(skip.fact.position)) since "
                    + "\(skip.decidedAt): \(skip.fact.reason)")
        }
    }

    static func line(_ status: ProjectionStatus, head: Int64) -> String {
        let lag = head - status.position
        let state =
            status.stoppedAtPosition.map { "STOPPED at position \(grouped($0))" }
            ?? distance(lag)
        return "\(padded(status.name, 26))  version \(status.version)  \(state)"
    }

    private static func distance(_ lag: Int64) -> String {
        switch lag {
        case 0: "up to date"
        case 1...: "\(counted(lag, "event")) behind"
        default: "\(counted(-lag, "event")) ahead of the log"
        }
    }

    /// Says why a projection stands still, with the event that it stands before.
    public func why(_ name: String) async throws {
        let status = try await status(of: name)
        guard let position = status.stoppedAtPosition else {
            return say("\(name) is not stopped")
        }
        say("\(name) stopped at position \(grouped(position)): \(status.stoppedBecause ?? "")")
        let log = connections.log(1)
        for event in try await log.read(position...position) {
            let type = try await log.words(at: position).type
            say(
                "  \(type) of schema version \(event.schemaVersion), recorded at "
                    + "\(Instant(microseconds: event.recordedAt)) by \(event.actor)")
            say("  \(String(decoding: event.data, as: UTF8.self))")
        }
        say(
            """
            It tries again every second. A newer program may be able to read the event; or let the read \
            model do without it, for ever:
              quartermaster projections skip-event \(name) \(position) --reason "why"
            """)
    }

    /// Waits for a projection that stood still to try again, and says how it went.
    public func retry(_ name: String) async throws {
        let before = try await status(of: name)
        guard let stopped = before.stoppedAtPosition else {
            return say("\(name) is not stopped")
        }
        let deadline = ContinuousClock.now + Self.retryWait
        while .now < deadline {
            let now = try await status(of: name)
            if now.stoppedAtPosition == nil, now.position >= stopped {
                return say("\(name) goes on: it is past position \(grouped(stopped))")
            }
            if let position = now.stoppedAtPosition, now.updatedAt > before.updatedAt {
                throw OperationError(
                    "\(name) stopped again at position \(position): \(now.stoppedBecause ?? "")")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw OperationError("\(name) has not tried again: is a projector running?")
    }

    /// Lets a read model do without the event that it stands before. The log keeps who decided so, and why.
    public func skipEvent(_ name: String, at position: Int64, because reason: String) async throws {
        let model = try models([name])[0]
        let status = try await status(of: model.name)
        guard status.stoppedAtPosition == position else {
            throw OperationError(
                "\(name) does not stand before position \(position): see 'projections why \(name)'")
        }
        let id = try await connections.log(1).identity()
        let receipt = try await submit(
            SkipProjectionEvent(
                ProjectionEventSkipped(
                    log: LogID(EntityID(high: id.high, low: id.low)), projection: name,
                    position: position, reason: reason)))
        say(
            "\(name) does without position \(grouped(position)) from now on, whenever it is built; that "
                + "stands at position \(grouped(receipt.position))")
    }

    private func status(of name: String) async throws -> ProjectionStatus {
        let statuses = try await ProjectionStatus.all(connections.client(1))
        guard let status = statuses.first(where: { $0.name == name }) else {
            throw OperationError("there is no projection '\(name)': see 'projections list'")
        }
        return status
    }
}

extension JSONWriter {
    mutating func write(_ status: ProjectionStatus, head: Int64) {
        object { json in
            json.field("name", status.name)
            json.field("version", status.version)
            json.field("position", status.position)
            json.field("lag", head - status.position)
            json.field("stoppedAtPosition", status.stoppedAtPosition)
            json.field("stoppedBecause", status.stoppedBecause)
        }
    }
}

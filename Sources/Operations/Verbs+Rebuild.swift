internal import Archive
internal import Domain
internal import EventLog
internal import Foundation
internal import Glibc
internal import JSON
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Synchronization

/// What a rebuild is asked for.
public struct RebuildRequest: Sendable {
    /// Of read models; none: all.
    public var names: [String]
    public var until: Int64?
    public var keepsOld = false
    public var compares = true
    /// An exported file to read events from, instead of the database.
    public var archive: String?
    /// Another PostgreSQL to read events from: a standby.
    public var standbyURL: String?
    public var isJSON = false

    public init(_ names: [String]) {
        self.names = names
    }
}

/// What an operator wants of a rebuild that is under way, or is over.
public enum RebuildOrder: String, Sendable {
    case pause
    case resume
    case cancel
    case undo
    case dropOld = "drop-old"
}

extension Verbs {
    /// How far a rebuild stands back behind other processes.
    private static let niceness: CInt = 10

    /// Rebuilds read models beside the live ones, in one reading of the log, and swaps them.
    public func rebuild(_ request: RebuildRequest) async throws {
        let started = ContinuousClock.now
        standBack()
        let log = connections.log(2)
        var rebuild = Rebuild(
            try models(request.names), from: log, configuration: connections.rebuildable)
        if let archive = request.archive {
            rebuild.events = try ArchivedLog(archive, of: try await log.identity())
        } else if let url = request.standbyURL {
            rebuild.events = try await standby(at: url, of: log)
        }
        rebuild.until = request.until
        rebuild.keepsOld = request.keepsOld
        rebuild.compares = request.compares
        let meter = Meter(Meter.Style(isJSON: request.isJSON))
        // One that was interrupted goes on from where it was.
        let start = Mutex<Int64?>(nil)
        let outcomes = try await run(rebuild) { progress in
            start.withLock { $0 = $0 ?? progress.start }
            meter.tell(progress.step.rawValue, progress.position, of: progress.head)
        } ended: { outcome in
            meter.finish()
            say(request.isJSON ? json(outcome) : text(outcome, request))
        }
        meter.finish()
        let seconds = (ContinuousClock.now - started).inSeconds
        guard !request.isJSON, let position = outcomes.map(\.position).max() else { return }
        let count = position - (start.withLock { $0 } ?? 0)
        let rate = Int64(Double(count) / max(seconds, 0.001))
        let time = seconds < 10 ? String(format: "%.1f", seconds) : "\(Int(seconds.rounded(.up)))"
        say("\(counted(count, "event")) in \(time) s, \(grouped(rate))/s")
    }

    private func run(
        _ rebuild: Rebuild, progress: @Sendable (Rebuild.Progress) -> Void,
        ended: @Sendable (Rebuild.Outcome) -> Void
    ) async throws -> [Rebuild.Outcome] {
        do {
            return try await rebuild.run(progress: progress, ended: ended)
        } catch let fault as ProjectionFault where fault.position != nil {
            throw OperationError(
                "\(fault): a newer program may know it, or 'projections skip-event' lets a read model do "
                    + "without it; then 'rebuild --resume' goes on")
        }
    }

    /// Another PostgreSQL that has the same log.
    private func standby(at url: String, of log: EventLog) async throws -> EventLog {
        let standby = Connections(url: url, logger: connections.logger).log(2)
        let identity: PostgresUUID
        do throws(PostgresError) {
            identity = try await standby.identity()
        } catch {
            throw OperationError(sentence(for: error, at: "--from"))
        }
        guard try await log.identity() == identity else {
            throw OperationError("what --from names has another log than DATABASE_URL")
        }
        return standby
    }

    /// Who buys comes first. On Linux each thread has its own place in the line, which those that it starts inherit.
    private func standBack() {
        let threads =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        for thread in threads.compactMap({ id_t($0) }) {
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), thread, Self.niceness)
        }
    }

    /// Does what is ordered with the rebuilds of these read models; of all that it concerns when none is named.
    ///
    /// What was paused or interrupted goes on with what the request says otherwise.
    public func order(_ order: RebuildOrder, _ request: RebuildRequest) async throws {
        let client = connections.writingClient(1)
        let chosen = try models(request.names)
        switch order {
        case .pause, .cancel:
            let wish: RebuildControl.Wish = order == .pause ? .pause : .cancel
            var count = 0
            let running = Set(
                try await RebuildControl.all(client).filter(\.isRunning).map(\.name))
            for model in chosen where try await RebuildControl.want(wish, of: model.name, client) {
                let paused =
                    running.contains(model.name) ? "will pause" : "does not run: --resume goes on"
                report(model, order == .pause ? paused : "is given up", request.isJSON)
                count += 1
            }
            guard count > 0 else { throw OperationError("no such rebuild is under way") }
        case .resume:
            let interrupted = try await RebuildControl.all(client).filter { status in
                !status.isRunning && chosen.contains { $0.name == status.name }
            }
            guard !interrupted.isEmpty else {
                throw OperationError("no such rebuild was paused or interrupted")
            }
            var request = request
            request.names = interrupted.map(\.name)
            try await rebuild(request)
        case .undo:
            guard !request.names.isEmpty else {
                throw OperationError("--undo needs the read models' names")
            }
            for model in chosen {
                try await model.undoRebuild(connections.rebuildable)
                report(model, "back to the table before; --undo again to return", request.isJSON)
            }
        case .dropOld:
            var count = 0
            for model in chosen where try await model.dropKept(connections.rebuildable) {
                report(model, "the table before is gone", request.isJSON)
                count += 1
            }
            guard count > 0 else { throw OperationError("nothing was kept: see --keep-old") }
        }
    }

    private func report(_ model: any ReadModel.Type, _ outcome: String, _ isJSON: Bool) {
        guard isJSON else { return say("\(model.name): \(outcome)") }
        sayJSON { json in
            json.object { json in
                json.field("name", model.name)
                json.field("outcome", outcome)
            }
        }
    }

    func models(_ names: [String]) throws -> [any ReadModel.Type] {
        guard !names.isEmpty else { return AllReadModels.list }
        return try names.unique.map { name in
            guard let model = AllReadModels.list.first(where: { $0.name == name }) else {
                let known = AllReadModels.list.map { $0.name }.joined(separator: ", ")
                throw OperationError("there is no read model '\(name)'; there are \(known)")
            }
            return model
        }
    }

    private func text(_ outcome: Rebuild.Outcome, _ request: RebuildRequest) -> String {
        let (name, position) = (outcome.name, grouped(outcome.position))
        switch outcome.end {
        case .built:
            return "built \(name) up to position \(position), and did not swap it"
        case .paused:
            return "paused \(name) at position \(position): --resume goes on from there"
        case .compared: return "compared \(name) at position \(position)"
        case .cancelled: return "gave up \(name) at position \(position): nothing is left of it"
        case .swapped:
            let rows = counted(Int64(outcome.rowCount), "row")
            let line = "rebuilt \(name): \(rows) at position \(position), "
            guard let difference = outcome.difference else {
                let reason = "no live table of this version had come as far"
                return line + (request.compares ? "not compared: \(reason)" : "not compared")
            }
            guard !difference.isNone else { return line + "equal to the table before" }
            let more = difference.count - difference.rows.count
            var lines = [
                line + counted(Int64(difference.count), "row")
                    + " \(difference.count == 1 ? "DIFFERS" : "DIFFER") from the table before:"
            ]
            lines += difference.rows.map { "  \($0.key) at position \($0.position)" }
            if more > 0 { lines.append("  and \(grouped(Int64(more))) more") }
            return lines.joined(separator: "\n")
        }
    }

    private func json(_ outcome: Rebuild.Outcome) -> String {
        let bytes = JSONWriter.write { json in
            json.object { json in
                json.field("name", outcome.name)
                json.field("outcome", outcome.end.rawValue)
                json.field("position", outcome.position)
                json.field("rows", outcome.end == .swapped ? outcome.rowCount : nil)
                json.field("isCompared", outcome.difference != nil)
                json.field("differing", outcome.difference?.count)
                json.field("differingRows", outcome.difference?.rows ?? []) { json, row in
                    json.object { json in
                        json.field("key", row.key)
                        json.field("position", row.position)
                    }
                }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

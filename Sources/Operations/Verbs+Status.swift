internal import Backup
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import JSON
internal import Postgres
internal import ProjectionEngine
internal import Publishing

/// How the whole system stands, at one moment.
private struct Overview {
    var at: Instant
    var head: Int64
    var lastRecordedAt: Instant?
    var eventsInLastMinute: Int64
    var databaseSize: Int64
    var connectionCount: Int
    var projections: [ProjectionStatus]
    var rebuilds: [RebuildControl.Status]
    var skipCount: Int
    var isBusKnown: Bool
    /// Nil when the bus can't be reached, or is not known here.
    var history: PublishedHistory?
    var lastBackup: BackupManifest?
}

extension Verbs {
    /// How often a screen that is watched is shown anew.
    private static let watchInterval = Duration.seconds(1)

    /// Shows how everything stands on one screen; again every second when it is watched.
    public func status(isWatched: Bool, isJSON: Bool) async throws {
        let client = connections.client(1)
        while true {
            let overview: Overview = try await whileAway(isWatched) {
                try await self.overview(client)
            }
            if isJSON {
                sayJSON { write(overview, to: &$0) }
            } else {
                // To the top left corner, and everything below away.
                say((isWatched ? "\u{1B}[H\u{1B}[J" : "") + text(overview))
            }
            guard isWatched else { return }
            try await Task.sleep(for: Self.watchInterval)
        }
    }

    private func overview(_ client: PostgresClient) async throws -> Overview {
        let log = EventLog(client)
        let now = wallClock()
        let (projections, history) = (
            try await ProjectionStatus.all(client), await history(log)
        )
        // After them, or what has happened since would look like something that the log has lost.
        let head = try await log.head()
        let before = try await log.position(at: now.microseconds - 60_000_000)
        let rows = try await client.run(
            """
            SELECT pg_database_size(current_database()),
                (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
            """)
        return Overview(
            at: now, head: head,
            lastRecordedAt: head > 0
                ? try await log.read(head...head).first.map {
                    Instant(microseconds: $0.recordedAt)
                } : nil,
            eventsInLastMinute: head - before, databaseSize: Int64(rows.integer(0, 0)),
            connectionCount: rows.integer(0, 1),
            projections: projections,
            rebuilds: try await RebuildControl.all(client),
            skipCount: try await Skips.load(from: log).entries.count,
            isBusKnown: (try? place.natsURL()) != nil, history: history,
            lastBackup: Backup.all(in: settings.absoluteBackupFolder).last?.manifest)
    }

    private func history(_ log: EventLog) async -> PublishedHistory? {
        guard let url = try? place.natsURL() else { return nil }
        return try? await PublishedHistory(of: log, busURL: url, logger: logger)
    }

    private func text(_ overview: Overview) -> String {
        let head = overview.head
        var lines = [
            "log        \(counted(head, "event"))"
                + (overview.lastRecordedAt.map { ", the last at \($0)" } ?? "")
                + ", \(grouped(overview.eventsInLastMinute)) in the last minute",
            "database   \(grouped(overview.databaseSize / 1_048_576)) MB, \(counted(Int64(overview.connectionCount), "connection"))",
            "EVENTS     "
                + (overview.isBusKnown
                    ? text(overview.history, head: head) : "no NATS is known here: see NATS_URL"),
            "backup     "
                + (overview.lastBackup.map {
                    "\($0.createdAt), \(counted(head - $0.head, "event")) ago"
                } ?? "there is none"),
            "read models",
        ]
        lines += overview.projections.map { "  \(Self.line($0, head: head))" }
        lines += overview.projections.compactMap { status in
            status.stoppedBecause.map { "  \(status.name) because: \($0)" }
        }
        if overview.skipCount > 0 {
            let skipped = counted(Int64(overview.skipCount), "event")
            lines.append("  \(skipped) skipped: see 'projections list'")
        }
        lines += overview.rebuilds.map { rebuild in
            let state =
                if rebuild.isRunning {
                    "running"
                } else if rebuild.isPaused {
                    "paused: 'rebuild --resume' goes on"
                } else if rebuild.isThrowAway {
                    "left by an interrupted 'verify' or 'table': the next one removes it"
                } else {
                    "interrupted: 'rebuild --resume' goes on"
                }
            return "rebuild    \(rebuild.name) at position \(grouped(rebuild.position)), \(state)"
        }
        return lines.joined(separator: "\n")
    }

    private func text(_ history: PublishedHistory?, head: Int64) -> String {
        switch history {
        case nil: "can't be reached"
        case .same(let position) where position == head: "up to date"
        case .same(let position): "\(counted(head - position, "event")) behind"
        case .ahead(let sequence, _):
            "AHEAD of the log, at \(grouped(sequence)): see 'events reset-stream'"
        case .diverged(let position):
            "ANOTHER history at \(grouped(position)): see 'events reset-stream'"
        case .ofOtherLog(let log):
            "of ANOTHER log, \(log): DATABASE_URL or NATS_URL is that of another system"
        }
    }

    private func write(_ overview: Overview, to json: inout JSONWriter) {
        let head = overview.head
        json.object { json in
            json.field("at", overview.at)
            json.field("head", head)
            json.field("lastRecordedAt", overview.lastRecordedAt)
            json.field("eventsInLastMinute", overview.eventsInLastMinute)
            json.field("databaseBytes", overview.databaseSize)
            json.field("connections", overview.connectionCount)
            json.field("events", Self.state(of: overview.history))
            json.field("projections", overview.projections) { $0.write($1, head: head) }
            json.field("rebuilds", overview.rebuilds) { json, rebuild in
                json.object { json in
                    json.field("name", rebuild.name)
                    json.field("position", rebuild.position)
                    json.field("isRunning", rebuild.isRunning)
                    json.field("isPaused", rebuild.isPaused)
                }
            }
            json.field("skippedEvents", overview.skipCount)
            json.field("lastBackupAt", overview.lastBackup?.createdAt)
        }
    }

    private static func state(of history: PublishedHistory?) -> String? {
        switch history {
        case nil: nil
        case .same: "same"
        case .ahead: "ahead"
        case .diverged: "diverged"
        case .ofOtherLog: "of another log"
        }
    }
}

internal import EventLog
internal import Operations
internal import Postgres

/// A log with a history, and the EventLog measured by writing it.
struct Past {
    static let levels = [10, 1_000, 20_000]
    static let berthsPerLevel = 20
    static let batchSize = 50
    /// Of the bookings of the past, those that a boat has room for are confirmed.
    static let confirmedLimit = 5_000

    /// Sailings that have had a number of bookings each.
    struct Level {
        var bookings: Int
        /// One round for each run, or one for all where a run adds little.
        var rounds: [[BenchFleet.Berth]]

        func berths(forRun run: Int) -> [BenchFleet.Berth] { rounds[run % rounds.count] }
    }

    let fleet: BenchFleet
    let eventCount: Int
    let levels: [Level]
    private let filler = BenchFleet.Berth(capacity: 10_000)

    init(_ fleet: BenchFleet, eventCount: Int, runs: Int) {
        self.fleet = fleet
        self.eventCount = eventCount
        levels = Self.levels.map { level in
            // A short log has shorter histories in the same proportion.
            let bookings = min(level, level * eventCount / 1_000_000 + 10)
            let rounds = (0..<(level < 20_000 ? runs : 1)).map { _ in
                (0..<Self.berthsPerLevel).map { _ in BenchFleet.Berth(capacity: 10_000) }
            }
            return Level(bookings: bookings, rounds: rounds)
        }
    }

    var berths: [BenchFleet.Berth] { levels.flatMap { $0.rounds.joined() } + [filler] }

    /// Bytes of the JSON of one placed booking.
    var orderSize: Int {
        fleet.history(at: filler, bookings: 1, confirmed: 1)[0].events[0].data.count
    }

    /// Writes the history in batches of 50 events, one after the other, and says how fast that was.
    func append(
        to log: EventLog, progress: (String) -> Void
    ) async throws -> [Figure] {
        var rates: [Double] = []
        var (spent, written) = (Duration.zero, 0)
        for (berth, bookings) in plan {
            var left = bookings
            while left > 0 {
                let count = min(left, Self.batchSize / 2)
                let confirmed = min(count, max(0, Self.confirmedLimit - (bookings - left)))
                let batch = fleet.history(at: berth, bookings: count, confirmed: confirmed)
                let began = ContinuousClock.now
                _ = try await log.append(batch)
                spent += .now - began
                written += batch.count
                left -= count
                if written >= 50_000 {
                    rates.append(Double(written) / spent.inSeconds)
                    (spent, written) = (.zero, 0)
                }
            }
        }
        if written > 0 { rates.append(Double(written) / spent.inSeconds) }
        return [
            Figure(
                name: "EventLog alone, batches of \(Self.batchSize)", value: rates.median,
                unit: "events/s", aim: .atLeast(35_000),
                note: "\(rates.count) parts, \(rates.spread)")
        ]
    }

    private var plan: [(BenchFleet.Berth, Int)] {
        let histories = levels.flatMap { level in
            level.rounds.joined().map { ($0, level.bookings) }
        }
        let used = 2 * histories.reduce(0) { $0 + $1.1 }
        return histories + [(filler, max(0, eventCount - used) / 2)]
    }
}

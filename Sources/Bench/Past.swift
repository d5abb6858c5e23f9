internal import EventLog
internal import Operations
internal import Postgres

/// A log with a history, and the EventLog measured by writing it.
struct Past {
    static let levels = [10, 1_000, 20_000]
    static let berthsPerLevel = 20
    static let batchSize = 50
    /// Batches made before they are written, and measured together.
    static let partSize = 1_000
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
    /// Sailings that fill the log as seasons do, and what is not asked of the others.
    private let fillers: [BenchFleet.Berth]
    /// A search may be about so many sailings, and those that are measured, and no more.
    private static let fillerCount = 200

    init(_ fleet: BenchFleet, eventCount: Int, runs: Int) {
        self.fleet = fleet
        self.eventCount = eventCount
        fillers = (0..<Self.fillerCount).map { _ in BenchFleet.Berth(capacity: 10_000) }
        levels = Self.levels.map { level in
            // A short log has shorter histories in the same proportion.
            let bookings = min(level, level * eventCount / 1_000_000 + 10)
            let rounds = (0..<(level < 20_000 ? runs : 1)).map { _ in
                (0..<Self.berthsPerLevel).map { _ in BenchFleet.Berth(capacity: 10_000) }
            }
            return Level(bookings: bookings, rounds: rounds)
        }
    }

    var berths: [BenchFleet.Berth] { levels.flatMap { $0.rounds.joined() } + fillers }

    /// Bytes of the JSON of one placed booking.
    var orderSize: Int {
        fleet.history(at: fillers[0], bookings: 1, confirmed: 1)[0].events[0].data.count
    }

    /// Writes the history in batches of 50 events, and says how fast that was.
    ///
    /// Two appenders, as a log has that is used by several processes: while one's batch is being
    /// flushed, the other's has arrived and waits for the lock. What they append is made before.
    func append(to logs: [EventLog]) async throws -> [Figure] {
        var rates: [Double] = []
        var part: [[AppendCommand]] = []
        func write() async throws {
            let (batches, began) = (part, ContinuousClock.now)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, log) in logs.enumerated() {
                    group.addTask {
                        for number in stride(from: index, to: batches.count, by: logs.count) {
                            _ = try await log.append(batches[number])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let written = batches.reduce(0) { $0 + $1.count }
            rates.append(Double(written) / (ContinuousClock.now - began).inSeconds)
            part = []
        }
        for (berth, bookings) in histories {
            var left = bookings
            while left > 0 {
                let count = min(left, Self.batchSize / 2)
                let confirmed = min(count, max(0, Self.confirmedLimit - (bookings - left)))
                part.append(fleet.history(at: berth, bookings: count, confirmed: confirmed))
                left -= count
                if part.count >= Self.partSize { try await write() }
            }
        }
        var left = eventCount - 2 * histories.reduce(0) { $0 + $1.1 }
        var number = 0
        while left > 0 {
            let berth = fillers[number % fillers.count]
            number += 1
            // No booking is in two batches, which two appenders would have under way at the same time.
            var batch: [AppendCommand] = []
            for life in fleet.season(at: berth, bookings: Self.batchSize) {
                if batch.count + life.count > Self.batchSize {
                    part.append(batch)
                    batch = []
                }
                batch += life
                left -= life.count
            }
            part.append(batch)
            if part.count >= Self.partSize { try await write() }
        }
        if !part.isEmpty { try await write() }
        return [
            Figure(
                name: "EventLog alone, batches of \(Self.batchSize), two appenders",
                value: rates.median, unit: "events/s", aim: .atLeast(35_000),
                note: "\(rates.count) parts, \(rates.spread)")
        ]
    }

    private var histories: [(BenchFleet.Berth, Int)] {
        levels.flatMap { level in level.rounds.joined().map { ($0, level.bookings) } }
    }
}

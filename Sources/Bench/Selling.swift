internal import Bus
internal import Commands
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import Glibc
internal import LocalServers
internal import Operations
internal import Postgres
internal import Publishing

/// Bookings through HTTP, while the whole system runs.
struct Selling {
    let system: BenchSystem
    let fleet: BenchFleet
    let runs: Int
    let seconds: Int
    let progress: (String) -> Void
    static let connectionCount = 64
    /// Larger than any boat that the API takes, so that no sailing sells out while it is measured.
    static let amplySeated = 1_000_000

    init(
        _ system: BenchSystem, _ fleet: BenchFleet, runs: Int, seconds: Int,
        progress: @escaping (String) -> Void
    ) {
        self.system = system
        self.fleet = fleet
        self.runs = runs
        self.seconds = seconds
        self.progress = progress
    }

    // MARK: One hot sailing

    /// The yardstick and the hot sailing, taking turns. What one leaves to be written is written before
    /// the other's turn, or it would be in the middle of it.
    func hotSailing(orderSize: Int) async throws -> [Figure] {
        let yardstick = try await Yardstick(system, rowSize: orderSize)
        var (rows, bookings, p50, p99): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        var withExtras: [Double] = []
        try await warmUp()
        for run in 1...runs {
            progress("hot sailing, run \(run) of \(runs)")
            sync()
            rows.append(try await yardstick.measure(seconds: seconds))
            let hot = try await load(
                try await launch(1, capacity: Self.amplySeated), Self.connectionCount)
            bookings.append(hot.perSecond)
            p50.append(hot.p50 / 1000)
            p99.append(hot.p99 / 1000)
            let berths = try await launch(1, capacity: Self.amplySeated)
            withExtras.append(
                try await load(berths, Self.connectionCount, withExtras: true).perSecond)
        }
        return [
            Figure(
                name: "pgbench, one row of \(orderSize) bytes each, 32 clients",
                value: rows.median, unit: "rows/s", note: "the yardstick; \(rows.spread)"),
            Figure(
                name: "bookings on one hot sailing, 64 connections", value: bookings.median,
                unit: "bookings/s", note: bookings.spread),
            Figure(
                name: "  of the yardstick", value: bookings.median / rows.median, unit: "ratio",
                aim: .atLeast(0.5)),
            Figure(
                name: "  p99", value: p99.median, unit: "ms", aim: .atMost(20),
                note: "p50 \(number(p50.median)) ms"),
            Figure(
                name: "  with a discount code and merchandise, of those without",
                value: withExtras.median / bookings.median, unit: "ratio",
                note: "\(number(withExtras.median)) bookings/s"),
        ]
    }

    func oneClient() async throws -> [Figure] {
        var (p50, p99): ([Double], [Double]) = ([], [])
        for run in 1...runs {
            progress("one client, run \(run) of \(runs)")
            let one = try await load(try await launch(1, capacity: Self.amplySeated), 1)
            p50.append(one.p50 / 1000)
            p99.append(one.p99 / 1000)
        }
        return [
            Figure(
                name: "one client, p50", value: p50.median, unit: "ms", aim: .atMost(2),
                note: "p99 \(number(p99.median)) ms")
        ]
    }

    // MARK: Flatness

    /// What a booking costs on sailings with few and with many bookings, taking turns.
    func flatness(_ past: Past) async throws -> [Figure] {
        var costs: [[Double]] = past.levels.map { _ in [] }
        for level in past.levels {
            for berths in level.rounds { try await bringToMind(berths) }
        }
        for run in 0..<runs {
            progress("sailings with a past, run \(run + 1) of \(runs)")
            for (index, level) in past.levels.enumerated() {
                let berths = level.berths(forRun: run)
                let outcome = try await load(berths, Self.connectionCount, seconds: 1)
                costs[index].append(1e6 / outcome.perSecond)
            }
        }
        return past.levels.indices.map { index in
            Figure(
                name: "cost of a booking after \(past.levels[index].bookings) on its sailing",
                value: costs[index].median / costs[0].median, unit: "ratio", aim: .atMost(1.1),
                note: "\(number(costs[index].median)) us")
        }
    }

    // MARK: Rushes

    /// 967 reservations in 17 seconds, 134 in the worst, times ten; there are seats for half.
    func rush() async throws -> [Figure] {
        progress("the rush")
        let perSecond = [134, 128, 118, 104, 90, 70, 58, 50, 43, 37, 32, 27, 23, 19, 15, 11, 8]
        let arrivals = perSecond.enumerated().flatMap { second, count in
            (0..<count * 10).map { _ in second * 1000 + Int.random(in: 0..<1000) }
        }
        let berths = try await launch(8, capacity: 600)
        let outcome = try await paced(
            berths, arrivals.sorted(), connections: 512, seconds: perSecond.count + 2)
        let sold = try await soldSeats(berths)
        let name = "rush of \(arrivals.count) buyers in \(perSecond.count) s for 4,800 seats"
        return [
            Figure(
                name: "\(name), p99", value: outcome.p99 / 1000, unit: "ms", aim: .atMost(250),
                note: "p50 \(number(outcome.p50 / 1000)) ms, \(outcome.requests) answered"),
            Figure(
                name: "  seats sold twice, or buyers not answered",
                value: Double(
                    max(0, sold - 4_800) + outcome.others + arrivals.count - outcome.requests),
                unit: "", aim: .atMost(0), note: "\(sold) seats sold, \(outcome.soldOut) told 409"),
        ]
    }

    /// All buyers press at the same instant.
    func burst(buyers: Int) async throws -> [Figure] {
        var (slowest, wrong): ([Double], Int) = ([], 0)
        for run in 1...runs {
            progress("\(buyers) buyers at once, run \(run) of \(runs)")
            let berths = try await launch(1, capacity: 50)
            let outcome = try await paced(
                berths, Array(repeating: 1000, count: buyers), connections: buyers, seconds: 3)
            let sold = try await soldSeats(berths)
            slowest.append(outcome.max / 1000)
            wrong += abs(sold - 50) + outcome.others + abs(buyers - outcome.requests)
        }
        return [
            Figure(
                name: "\(buyers) buyers at once for 50 seats, the last answer",
                value: slowest.median, unit: "ms", aim: .atMost(500), note: slowest.spread),
            Figure(
                name: "  seats left or sold twice, buyers not answered well",
                value: Double(wrong), unit: "", aim: .atMost(0)),
        ]
    }

    // MARK: Means

    /// New boats on the bench's trip.
    func launch(_ count: Int, capacity: Int) async throws -> [BenchFleet.Berth] {
        let berths = (0..<count).map { _ in BenchFleet.Berth(capacity: capacity) }
        try await system.withLoop { loop in
            for envelope in fleet.assigning(berths) { _ = try await loop.submit(envelope) }
        }
        return berths
    }

    /// Sells one seat on each sailing, so that their decision models are in memory.
    private func bringToMind(_ berths: [BenchFleet.Berth]) async throws {
        var placed = 0
        for _ in 0..<20 where placed < berths.count {
            placed = try await paced(
                berths, Array(repeating: 0, count: berths.count), connections: berths.count,
                seconds: 2
            ).placed
        }
    }

    private func warmUp() async throws {
        _ = try await load(try await launch(2, capacity: Self.amplySeated), Self.connectionCount)
    }

    func load(
        _ berths: [BenchFleet.Berth], _ connections: Int, seconds: Int? = nil,
        withExtras: Bool = false
    ) async throws -> Wrk.Outcome {
        sync()
        let outcome = try await Wrk(
            bodies: berths.map { fleet.order(at: $0, withExtras: withExtras) },
            url: system.commands,
            connections: connections, seconds: seconds ?? self.seconds
        ).run(in: system.folder)
        guard outcome.others == 0 else {
            throw BenchError(
                "\(outcome.others) of \(outcome.requests) orders failed, \(outcome.unanswered) of "
                    + "them without an answer; 'quartermaster up' said last: \(try system.lastLines())"
            )
        }
        return outcome
    }

    private func paced(
        _ berths: [BenchFleet.Berth], _ arrivals: [Int], connections: Int, seconds: Int
    ) async throws -> Wrk.Outcome {
        try await Wrk(
            bodies: berths.map { fleet.order(at: $0) }, url: system.commands,
            connections: connections, seconds: seconds, arrivals: arrivals
        ).run(in: system.folder)
    }

    /// Seats of the bookings that the log has for these sailings: one each.
    private func soldSeats(_ berths: [BenchFleet.Berth]) async throws -> Int {
        let client = system.connections.client(1)
        let rows = try await client.run(
            """
            SELECT count(*) FROM log.event_tag
            WHERE tag = ANY ($1::text[]::uuid[]) AND type = $2::smallint
            """,
            [
                .array(of: .text, berths.map { .text("\($0.sailing)") }),
                .integer(EventType.bookingPlaced.rawValue),
            ])
        return rows.integer(0, 0)
    }

    func untilPublished() async throws {
        let head = Int(try await system.connections.log(1).head())
        let bus = try await BusConnection.connect(
            to: system.nats.url, logger: system.connections.logger)
        try await wait("EVENTS", limit: .seconds(600)) {
            try await bus.state(ofStream: EventPublisher.stream).lastSequence >= head
        }
    }
}

/// `pgbench` inserting rows of an event's size, one a transaction, on the same server.
struct Yardstick {
    private let system: BenchSystem
    private let script: String

    init(_ system: BenchSystem, rowSize: Int) async throws {
        self.system = system
        script = system.folder + "/yardstick.sql"
        let session = try await PostgresSession.connect(to: system.connections.administrative)
        try await session.execute(
            "CREATE TABLE yardstick (id bigserial PRIMARY KEY, data text NOT NULL)")
        let row = String(repeating: "0123456789", count: rowSize / 10 + 1).prefix(rowSize)
        try "INSERT INTO yardstick (data) VALUES ('\(row)');"
            .write(toFile: script, atomically: true, encoding: .utf8)
    }

    /// Rows a second.
    func measure(seconds: Int) async throws -> Double {
        let output = try await runToEnd(
            "pgbench",
            [
                "-n", "-c", "32", "-j", "2", "-M", "prepared", "-T", String(seconds), "-f", script,
                system.postgres.url,
            ], in: system.folder)
        let line = output.split(separator: "\n").first { $0.hasPrefix("tps = ") }
        let rate = line?.split(separator: " ").dropFirst(2).first.flatMap { Double($0) }
        guard let rate else { throw BenchError("pgbench failed: \(output)") }
        return rate
    }
}

internal import AsyncHTTPClient
internal import Domain
internal import EventLog
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Operations
internal import Postgres

/// What an office asks all day, of all the bookings that there are: one question after another.
struct LookingUp {
    private static let questionCount = 100
    /// Of each kind, asked before they count: a process of PostgreSQL that is new finds each page of its
    /// shared memory for the first time, and those of a desk are as old as its day.
    private static let firstQuestionCount = 150

    private let system: BenchSystem
    private let fleet: BenchFleet
    private let past: Past

    init(_ system: BenchSystem, _ fleet: BenchFleet, _ past: Past) {
        self.system = system
        self.fleet = fleet
        self.past = past
    }

    func measure() async throws -> [Figure] {
        let client = system.connections.client(1)
        let rows = try await client.run(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = 'reading.booking_search'::regclass")
        let count = rows.integer(0, 0)
        let sample = try await client.run(
            """
            SELECT code, email, last_name, position FROM reading.booking_search
            TABLESAMPLE SYSTEM (0.5) WHERE last_name <> 'Lovelace' LIMIT 2000
            """)
        guard sample.count > 0 else { throw BenchError("there are no bookings to look for") }
        let sailings = past.levels.filter { $0.bookings <= 1_000 }
            .flatMap { $0.rounds.joined() }.map(\.sailing)
        var (searches, kinds): ([Double], [String]) = ([], [])
        for kind in Kind.allCases {
            _ = try await times(
                of: (0..<Self.firstQuestionCount).map { _ in path(kind, sample) })
        }
        for kind in Kind.allCases {
            let times = try await times(
                of: (0..<Self.questionCount).map { _ in path(kind, sample) })
            searches += times
            kinds.append("\(kind.rawValue) \(number(times.percentile(0.99)))")
        }
        let everyManifest = sailings.map { "/v1/sailings/\($0)/manifest?limit=100" }
        _ = try await times(of: everyManifest + everyManifest)
        let manifests = try await times(
            of: (0..<Self.questionCount).compactMap { _ in everyManifest.randomElement() })
        let log = system.connections.log(1)
        let head = try await log.head()
        var (bookings, pastManifests): ([String], [String]) = ([], [])
        for _ in 0..<Self.questionCount {
            let row = Int.random(in: 0..<sample.count)
            let known = try await moment(in: Int64(sample.integer(row, 3))...head, log)
            bookings.append("/v1/bookings/\(sample.text(row, 0))?as-of=\(known)")
            guard let sailing = sailings.randomElement() else { continue }
            let then = try await moment(in: head / 2...head, log)
            pastManifests.append("/v1/sailings/\(sailing)/manifest?as-of=\(then)")
        }
        return [
            figure("a booking as of any moment, p99", try await times(of: bookings), aim: 50),
            figure(
                "a manifest as of any moment, p99", try await times(of: pastManifests), aim: 1000),
            figure("search over \(count) bookings, p99", searches, kinds.joined(separator: ", ")),
            figure("manifest of a sailing, p99", manifests),
        ]
    }

    /// Any of these positions, or the time at which it was recorded, as a query names it.
    private func moment(in positions: ClosedRange<Int64>, _ log: EventLog) async throws -> String {
        let position = Int64.random(in: positions)
        guard Bool.random(), let event = try await log.read(position...position).first else {
            return "\(position)"
        }
        return "\(Instant(microseconds: event.recordedAt))"
    }

    private func figure(
        _ name: String, _ times: [Double], _ more: String = "", aim: Double = 20
    ) -> Figure {
        Figure(
            name: name, value: times.percentile(0.99), unit: "ms", aim: .atMost(aim),
            note: "p50 \(number(times.percentile(0.5))) ms\(more.isEmpty ? "" : "; by \(more)")")
    }

    /// What is looked for; each as often as the others.
    private enum Kind: String, CaseIterable {
        case code
        case mail
        case names
        case beginning = "beginning and status"
        case common = "what all have"
        case sorted = "status, sorted by name"
        case trip = "name and trip"
        case oldest = "a frequent name, oldest first"
    }

    private func path(_ kind: Kind, _ sample: Rows) -> String {
        let row = Int.random(in: 0..<sample.count)
        let (code, mail, name) = (sample.text(row, 0), sample.text(row, 1), sample.text(row, 2))
        return switch kind {
        case .code: "/v1/bookings?q=\(code)"
        case .mail: "/v1/bookings?q=\(mail)"
        case .names: "/v1/bookings?q=\(name)%20ada"
        case .beginning: "/v1/bookings?q=\(name.prefix(5))&status=confirmed,held"
        case .common: "/v1/bookings?q=example"
        case .sorted: "/v1/bookings?status=confirmed&sort=name"
        case .trip: "/v1/bookings?q=\(name)&trip=\(fleet.trip)"
        case .oldest: "/v1/bookings?q=grace&sort=oldest"
        }
    }

    private func times(of paths: [String]) async throws -> [Double] {
        var times: [Double] = []
        for path in paths {
            var request = HTTPClientRequest(url: system.queries + path)
            request.headers = ["Authorization": "Bearer \(BenchSystem.token)"]
            let began = ContinuousClock.now
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            _ = try await response.body.collect(upTo: 1_000_000)
            times.append((ContinuousClock.now - began).inMilliseconds)
            guard response.status == .ok else {
                throw BenchError("\(path) was answered with \(response.status)")
            }
        }
        return times
    }
}

internal import AsyncHTTPClient
internal import Bus
internal import Foundation
internal import LocalServers
internal import NIOCore
internal import NIOHTTP1
internal import Operations
internal import Publishing

extension Selling {
    /// From the answer to a command until a query shows it, and until NATS has delivered it.
    func visibility() async throws -> [Figure] {
        progress("from answered to visible, and to NATS")
        let berth = try await launch(1, capacity: 10_000)[0]
        let bus = try await BusConnection.connect(
            to: system.nats.url, logger: system.connections.logger)
        let deliveries = Deliveries()
        let listening = Task {
            for await message in try bus.messages(of: EventPublisher.subjectPrefix + ".>") {
                let position = message.header("Quartermaster-Position").flatMap { Int64($0) }
                if let position { await deliveries.note(position) }
            }
        }
        defer { listening.cancel() }
        var (visible, delivered): ([Double], [Double]) = ([], [])
        for _ in 0..<500 {
            let answered = try await place(fleet.order(at: berth))
            let shownAt = try await untilShown(answered)
            visible.append((shownAt - answered.at).inMilliseconds)
            let deliveredAt = try await deliveries.time(of: answered.position)
            delivered.append(max(0, (deliveredAt - answered.at).inMilliseconds))
            // So that the next one does not come in step with the projections.
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...20)))
        }
        return figures("answered, then visible", visible)
            + figures("answered, then on NATS", delivered)
    }

    private func figures(_ name: String, _ times: [Double]) -> [Figure] {
        [
            Figure(
                name: "\(name), p50", value: times.percentile(0.5), unit: "ms", aim: .atMost(10)),
            Figure(
                name: "\(name), p99", value: times.percentile(0.99), unit: "ms",
                aim: .atMost(50), note: "of \(times.count)"),
        ]
    }

    private struct Answered {
        var code: String
        var position: Int64
        var at: ContinuousClock.Instant
    }

    private func place(_ order: String) async throws -> Answered {
        var request = HTTPClientRequest(url: system.commands + "/v1/bookings")
        request.method = .POST
        request.headers = [
            "Content-Type": "application/json", "Idempotency-Key": UUID().uuidString.lowercased(),
        ]
        request.body = .bytes(ByteBuffer(string: order))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let body = try await response.body.collect(upTo: 100_000)
        let at = ContinuousClock.now
        struct Placed: Decodable {
            var code: String
        }
        let placed = try JSONDecoder().decode(Placed.self, from: Data(body.readableBytesView))
        let position = response.headers.first(name: "Quartermaster-Position").flatMap { Int64($0) }
        return Answered(code: placed.code, position: position ?? 0, at: at)
    }

    private func untilShown(_ answered: Answered) async throws -> ContinuousClock.Instant {
        let url =
            "\(system.queries)/v1/bookings/\(answered.code)?lastName=Lovelace"
            + "&min-position=\(answered.position)"
        let request = HTTPClientRequest(url: url)
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        _ = try await response.body.collect(upTo: 100_000)
        guard response.status == .ok else {
            throw BenchError("a booking was not shown: \(response.status)")
        }
        return .now
    }
}

/// When NATS delivered which event.
private actor Deliveries {
    private var times: [Int64: ContinuousClock.Instant] = [:]

    func note(_ position: Int64) {
        times[position] = .now
    }

    func time(of position: Int64) async throws -> ContinuousClock.Instant {
        for _ in 0..<5_000 {
            if let time = times.removeValue(forKey: position) { return time }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw BenchError("event \(position) did not come over NATS")
    }
}

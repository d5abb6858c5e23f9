import Foundation
import TestSupport
import Testing

/// A booking's way through the system, as an OpenTelemetry collector is told of it.
@Suite(.endsWhenHung) struct TracingTests {
    private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test("tells of a booking's request, its projections and its publishing in one trace")
    func tellsSpans() async throws {
        try await Receiver.with { receiver in
            let settings = [
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(receiver.port)",
                "RELEASE": "1.2.3", "ENVIRONMENT": "staging",
            ]
            try await withServer(environment: settings) { server in
                let place = try await openSailing(server, capacity: 3)
                let booked = try await server.commands.post(
                    "/v1/bookings", place.order(),
                    headers: [("traceparent", "00-\(trace)-00f067aa0ba902b7-01")])
                #expect(booked.status == 201)
                let unsampled = String(trace.reversed())
                _ = try await server.commands.post(
                    "/v1/bookings", place.order(),
                    headers: [("traceparent", "00-\(unsampled)-00f067aa0ba902b7-00")])
                try await eventually("its spans have come") {
                    let names = Set(spans(receiver).filter { $0.trace == trace }.map(\.name))
                    return names.isSuperset(of: [
                        "placeBooking", "project manifest", "publish EVENTS",
                    ])
                }
                let all = spans(receiver)
                let position = try #require(
                    booked.headers["quartermaster-position"].flatMap { UInt64($0) })
                let digits = String(position, radix: 16)
                let id = String(repeating: "0", count: 16 - digits.count) + digits
                let request = try #require(all.first { $0.name == "placeBooking" })
                #expect(request.trace == trace && request.id == id)
                #expect(request.parent == "00f067aa0ba902b7" && request.kind == 2)
                #expect(request.end > request.start)
                for name in ["project manifest", "publish EVENTS"] {
                    let span = try #require(all.first { $0.name == name && $0.trace == trace })
                    #expect(span.parent == id, "\(name)")
                }
                #expect(!all.contains { $0.trace == unsampled && $0.name == "placeBooking" })
                let body = try #require(receiver.received.first)
                #expect(body.path == "/v1/traces")
                for word in ["\"quartermaster\"", "\"1.2.3\"", "\"staging\""] {
                    #expect(body.body.contains(word))
                }
                #expect(!receiver.received.contains { $0.body.contains("Lovelace") })
            }
        }
    }

    private struct Told {
        var name: String
        var trace: String
        var id: String
        var parent: String?
        var kind: Int
        var start: UInt64
        var end: UInt64
    }

    private func spans(_ receiver: Receiver) -> [Told] {
        receiver.received.flatMap { request -> [Told] in
            let resources = jsonObject(Data(request.body.utf8))["resourceSpans"] as? [[String: Any]]
            let scopes = resources?.flatMap { $0["scopeSpans"] as? [[String: Any]] ?? [] } ?? []
            let spans = scopes.flatMap { $0["spans"] as? [[String: Any]] ?? [] }
            return spans.map { span in
                func nanoseconds(_ name: String) -> UInt64 {
                    (span[name] as? String).flatMap { UInt64($0) } ?? 0
                }
                return Told(
                    name: span["name"] as? String ?? "", trace: span["traceId"] as? String ?? "",
                    id: span["spanId"] as? String ?? "",
                    parent: span["parentSpanId"] as? String, kind: span["kind"] as? Int ?? 0,
                    start: nanoseconds("startTimeUnixNano"), end: nanoseconds("endTimeUnixNano"))
            }
        }
    }
}

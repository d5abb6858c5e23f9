import Foundation
import Testing
import TestSupport

/// What an operator sees of a system that runs.
@Suite(.endsWhenHung) struct SightTests {
    private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test(
        "shows metrics that fit what was done, logs each request, and keeps its trace in the event")
    func shows() async throws {
        try await withServer(environment: ["LOG_LEVEL": "info"]) { server in
            let place = try await openSailing(server, capacity: 3)
            let headers = [("traceparent", "00-\(trace)-00f067aa0ba902b7-01")]
            let booked = try await server.commands.post(
                "/v1/bookings", place.order(quantity: 2), headers: headers)
            #expect(booked.status == 201)
            let soldOut = try await server.commands.post("/v1/bookings", place.order(quantity: 2))
            #expect(soldOut.status == 409)
            try await eventually("everything is projected and published") {
                let shown = try await server.operations.metrics()
                let head = shown["quartermaster_log_position"]
                return head == shown["quartermaster_published_position"]
                    && shown[#"quartermaster_projection_lag_events{projection="manifest"}"#] == 0
            }
            let shown = try await server.operations.metrics()
            let placed = #"{operation="placeBooking",status="201"}"#
            #expect(shown["quartermaster_http_request_seconds_count\(placed)"] == 1)
            #expect(shown[#"quartermaster_refusals_total{kind="sold-out"}"#] == 1)
            #expect(try await server.commands.get("/v1/nothing").status == 404)
            let unknown =
                #"quartermaster_http_request_seconds_count{operation="none",status="404"}"#
            #expect(try await server.operations.metrics()[unknown] == 1)
            #expect(
                shown["quartermaster_events_appended_total"]
                    == shown["quartermaster_log_position"])
            #expect(shown[#"quartermaster_projection_stopped{projection="manifest"}"#] == 0)
            try await logsRequests(server)
            let events = try await server.run(["events", "--json"])
            let traced = events.output.split(separator: "\n")
                .filter { $0.replacing("-", with: "").contains("\"correlation\":\"\(trace)\"") }
            #expect(traced.count == 1 && traced[0].contains("\"BookingPlaced\""))
        }
    }

    private func logsRequests(_ server: ServerProcess) async throws {
        try await eventually("the requests are in the log") {
            let operations = lines(server).compactMap { $0["operation"] }
            return operations.count { $0 == "placeBooking" } == 2 && operations.contains("none")
        }
        let placed = lines(server).filter { $0["operation"] == "placeBooking" }
        #expect(placed[0]["status"] == "201" && placed[0]["actor"] == "public")
        #expect(placed[0]["trace"] == trace)
        #expect(placed[0]["position"] != nil)
        #expect(placed[1]["status"] == "409" && placed[1]["problem"] == "sold-out")
        #expect(placed[1]["trace"]?.count == 32)
        let unknown = lines(server).filter { $0["operation"] == "none" }
        #expect(unknown.count == 1 && unknown[0]["problem"] == "not-found")
        for text in lines(server).flatMap(\.values) {
            #expect(!text.contains("Lovelace") && !text.contains("ada@example.org"))
        }
    }

    private func lines(_ server: ServerProcess) -> [[String: String]] {
        server.output.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String]
        }
    }
}

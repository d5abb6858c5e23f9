import Foundation
import Testing
import TestSupport

/// Paying through a provider that says things later, twice and out of order.
@Suite(.serialized, .endsWhenHung) struct PaymentTests {
    private static let sandbox = ["PAYMENT_PROVIDER": "sandbox"]

    @Test("sells by card: a decline keeps the hold, the next try confirms, and goodwill goes back")
    func sellsByCard() async throws {
        try await withServer(environment: Self.sandbox) { server in
            let place = try await openSailing(server, capacity: 10)
            let booked = try await server.commands.post("/v1/bookings", place.order())
            let booking = booked.json["booking"] as? String ?? ""
            let payment = try await start(booking, server)
            try await act("decline", on: payment, server)
            try await eventually("the decline is in the ledger") {
                try await ledger(booking, server).map(\.state) == ["declined"]
            }
            try await act("pay", on: payment, server)
            try await act("pay", on: payment, server)
            try await untilShown(booked, server) { $0.json["status"] as? String == "confirmed" }
            // Another read model, which may come later.
            try await eventually("the charge is in the ledger") {
                try await ledger(booking, server).map(\.state) == ["charged"]
            }
            let code = booked.json["code"] as? String ?? ""
            let shown = try await server.staffQueries.get("/v1/bookings/\(code)")
            let goodwill = #"{"amount":\#(dollars(10)),"reason":"late boat"}"#
            let refunded = try await server.staff.post("/v1/bookings/\(booking)/refunds", goodwill)
            #expect(refunded.json["happened"] as? [String] == ["RefundRequested"])
            // Who has not seen that one is not let give it back once more.
            let again = try await server.staff.post(
                "/v1/bookings/\(booking)/refunds", goodwill,
                headers: [("If-Match", shown.headers["etag"] ?? "")])
            #expect(again.status == 412 && again.problem == "version-mismatch")
            try await untilShown(booked, server) { $0.amount("refunded") == 1000 }
            let more = try await server.staff.post(
                "/v1/bookings/\(booking)/refunds", #"{"amount":\#(dollars(500)),"reason":"more"}"#)
            #expect(more.problem == "refund-too-large")
        }
    }

    @Test(
        "offers another boat when the seats are gone, and returns the money of who does not want it, through a refund that fails at first"
    )
    func returnsLateMoney() async throws {
        try await withServer(environment: Self.sandbox) { server in
            let place = try await openSailing(server, capacity: 2)
            // 2 x 6408 and 7 % come to a total that ends in 13 cents.
            let price = #"{"price":{"amount":6408,"currency":"USD"}}"#
            let type = "/v1/sailings/\(place.sailing)/ticket-types/\(place.ticketType)"
            #expect(try await server.staff.post(type, price, method: "PATCH").status == 200)
            let booked = try await server.commands.post("/v1/bookings", place.order(quantity: 2))
            let booking = booked.json["booking"] as? String ?? ""
            let payment = try await start(booking, server)
            _ = try await server.commands.post("/v1/bookings/\(booking)/abandon", "")
            let other = try await server.commands.post("/v1/bookings", place.order(quantity: 2))
            #expect(other.status == 201)
            try await act("pay", on: payment, server)
            try await untilShown(booked, server) {
                let lines = ($0.json["quote"] as? [String: Any])?["lines"] as? [[String: Any]]
                return $0.json["status"] as? String == "held"
                    && lines?.first?["sailing"] as? String != place.sailing
            }
            let taken = try await server.commands.post(
                "/v1/bookings/\(booking)/payments", "")
            #expect(taken.problem == "nothing-due")
            _ = try await server.commands.post("/v1/bookings/\(booking)/abandon", "")
            try await eventually("the money is back") {
                let states = try await ledger(booking, server).map(\.state)
                return states.sorted() == ["charged_late", "refund_failed", "refunded"]
            }
            try await untilShown(booked, server) {
                $0.json["status"] as? String == "abandoned" && $0.amount("refunded") == 13713
            }
        }
    }

    @Test("takes no message that nobody signed, and no card where nobody takes cards")
    func refuses() async throws {
        try await withServer { server in
            let place = try await openSailing(server, capacity: 2)
            let booked = try await server.commands.post("/v1/bookings", place.order())
            let booking = booked.json["booking"] as? String ?? ""
            let answer = try await server.commands.post("/v1/bookings/\(booking)/payments", "")
            #expect(answer.problem == "pay-at-the-dock")
            let id = UUID().uuidString.lowercased()
            let message =
                #"{"id":"\#(id)","type":"payment.succeeded","payment":"\#(id)","amount":\#(dollars(1))}"#
            for signature in ["", "t=1,v1=00", "nonsense"] {
                let heard = try await server.commands.post(
                    "/v1/payments/messages", message, headers: [("Payment-Signature", signature)])
                #expect(heard.status == 401)
            }
            let deed = try await server.commands.post(
                "/v1/sandbox/payments/\(id)", #"{"deed":"pay"}"#)
            #expect(deed.status == 404)
        }
    }

    // MARK: Means

    private func start(_ booking: String, _ server: ServerProcess) async throws -> String {
        let key = UUID().uuidString.lowercased()
        let path = "/v1/bookings/\(booking)/payments"
        let started = try await server.commands.post(path, "", key: key)
        #expect(started.status == 201)
        let again = try await server.commands.post(path, "", key: key)
        #expect(again.json["payment"] as? String == started.json["payment"] as? String)
        return started.json["payment"] as? String ?? ""
    }

    private func act(_ deed: String, on payment: String, _ server: ServerProcess) async throws {
        let answer = try await server.commands.post(
            "/v1/sandbox/payments/\(payment)", #"{"deed":"\#(deed)"}"#)
        #expect(answer.status == 202)
    }

    private func ledger(
        _ booking: String, _ server: ServerProcess
    ) async throws -> [(state: String, amount: Int)] {
        let answer = try await server.staffQueries.get("/v1/ledger?booking=\(booking)")
        let entries = answer.json["entries"] as? [[String: Any]] ?? []
        return entries.map { entry in
            let amount = (entry["amount"] as? [String: Any])?["amount"] as? Int
            return (entry["state"] as? String ?? "", amount ?? 0)
        }
    }

    private func untilShown(
        _ booked: HTTPAnswer, _ server: ServerProcess,
        _ isSo: @escaping (HTTPAnswer) -> Bool
    ) async throws {
        let code = booked.json["code"] as? String ?? ""
        try await eventually("the booking is shown so") {
            isSo(try await server.staffQueries.get("/v1/bookings/\(code)"))
        }
    }
}

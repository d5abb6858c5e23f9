import Foundation
import Testing
import TestSupport

/// Runs `up` in a folder of its own, lends it, and takes it down.
func withServer(
    environment: [String: String] = [:], _ body: (ServerProcess) async throws -> Void
) async throws {
    let folder = ServerProcess.scratchFolder()
    let server = try await ServerProcess.start(in: folder, environment: environment)
    do {
        try await body(server)
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
    try? FileManager.default.removeItem(atPath: folder)
}

/// A sailing of the test's own, and an order for a seat on it.
struct OpenSailing: Sendable {
    var trip: String
    var sailing: String
    var ticketType: String

    func order(quantity: Int = 1, discountCode: String? = nil) -> String {
        """
        {\(lines(quantity)),\(code(discountCode))"contact":{"firstName":"Ada",\
        "lastName":"Lovelace","email":"ada@example.org"}}
        """
    }

    func quote(quantity: Int = 1, discountCode: String? = nil) -> String {
        "{\(code(discountCode))\(lines(quantity))}"
    }

    private func lines(_ quantity: Int) -> String {
        """
        "lines":[{"trip":"\(trip)","sailing":"\(sailing)","ticketType":"\(ticketType)",\
        "quantity":\(quantity)}]
        """
    }

    private func code(_ text: String?) -> String {
        text.map { "\"discountCode\":\"\($0)\"," } ?? ""
    }
}

/// Puts a boat of the test's own on the first trip that is for sale.
func openSailing(_ server: ServerProcess, capacity: Int) async throws -> OpenSailing {
    let trips = try await server.queries.get("/v1/trips").json["trips"] as? [[String: Any]]
    let trip = trips?.first?["trip"] as? String ?? ""
    let ticketType = UUID().uuidString.lowercased()
    func add(_ path: String, _ body: String) async throws -> String {
        let answer = try await server.staff.post(path, body)
        #expect(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
        return answer.json["id"] as? String ?? ""
    }
    let location = try await add(
        "/v1/locations", #"{"name":"Test Bay","region":"FL","timeZone":"America/New_York"}"#)
    let jurisdiction = try await add(
        "/v1/jurisdictions",
        """
        {"location":"\(location)","name":"Test County","rateBasisPoints":700,\
        "effectiveFrom":"2020-01-01T00:00:00Z"}
        """)
    let provider = try await add(
        "/v1/providers",
        """
        {"jurisdiction":"\(jurisdiction)","name":"Test Boats","dock":"Pier","address":"1 Road"}
        """)
    let boat = try await add(
        "/v1/boats",
        """
        {"provider":"\(provider)","name":"Ark","slug":"ark","capacity":\(capacity),\
        "ticketTypes":[{"id":"\(ticketType)","label":"Adult",\
        "price":{"amount":12900,"currency":"USD"}}]}
        """)
    let sailing = try await add("/v1/sailings", #"{"trip":"\#(trip)","boat":"\#(boat)"}"#)
    return OpenSailing(trip: trip, sailing: sailing, ticketType: ticketType)
}

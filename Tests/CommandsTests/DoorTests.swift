import Commands
import Domain
import Foundation
import Operations
import Synchronization
import Testing
import TestSupport

/// The command side's door, with a clock and a loop of the test's own.
@Suite struct DoorTests {
    @Test("tells who confirms too late that his hold is over, and sells its seat to the next")
    func tellsOfLateConfirmation() async throws {
        let started = Instant(microseconds: 4_000_000_000_000_000)
        let now = Mutex(started)
        let clock: @Sendable () -> Instant = { now.withLock { $0 } }
        try await TestDatabase.with { database in
            try await withDoor(on: database, clock: clock) { door, loop in
                let running = Task { await loop.run() }
                defer { running.cancel() }
                let fleet = SeaFleet(capacity: 1, departure: started + .hours(48))
                _ = try await loop.submit(fleet.envelope)
                let placed = try await door.post("/v1/bookings", order(of: fleet))
                #expect(placed.status == 201)
                let soldOut = try await door.post("/v1/bookings", order(of: fleet))
                #expect(soldOut.status == 409)
                let position = placed.headers["quartermaster-position"]
                #expect(soldOut.headers["quartermaster-position"] == position)
                now.withLock { $0 = started + .minutes(10) }
                let booking = placed.json["booking"] as? String ?? ""
                let late = try await door.post(
                    "/v1/bookings/\(booking)/confirm", #"{"basis":"paid_at_the_dock"}"#)
                #expect(late.status == 410)
                #expect((late.json["type"] as? String)?.hasSuffix("/hold-over") ?? false)
                #expect(late.json["deadline"] as? String == placed.json["deadline"] as? String)
                // Nobody has recorded that it is over.
                #expect(try await door.post("/v1/bookings", order(of: fleet)).status == 201)
                let extended = try await door.post("/v1/bookings/\(booking)/extend", "")
                #expect(extended.status == 410)
                now.withLock { $0 = started + .hours(48) }
                let departed = try await door.post("/v1/bookings", order(of: fleet))
                #expect(departed.status == 409)
                #expect(departed.json["because"] as? String == "departed")
                #expect(departed.json["field"] as? String == "lines[0].trip")
            }
        }
    }

    @Test("asks to come again when too many wait, and loses none of those who do")
    func refusesWhenFull() async throws {
        try await TestDatabase.with { database in
            try await withDoor(on: database) { door, loop in
                let fleet = SeaFleet(capacity: 10)
                let limit = DecisionLimits().queueLimit
                let waiting = Task {
                    try await withThrowingTaskGroup(of: Int64.self) { group in
                        group.addTask { try await loop.submit(fleet.envelope).position }
                        try await eventually("the first is there") { loop.queueDepth == 1 }
                        for _ in 1..<limit {
                            group.addTask { try await loop.submit(fleet.envelope).position }
                        }
                        return try await group.reduce(into: [Int64]()) { $0.append($1) }
                    }
                }
                let key = UUID().uuidString.lowercased()
                let refused = try? await {
                    try await eventually("as many wait as may") { loop.queueDepth == limit }
                    return try await door.post("/v1/bookings", order(of: fleet), key: key)
                }()
                #expect(refused?.status == 503 && refused?.headers["retry-after"] == "1")
                #expect((refused?.json["type"] as? String)?.hasSuffix("/overloaded") ?? false)
                let running = Task { await loop.run() }
                defer { running.cancel() }
                #expect(try await waiting.value.count == limit)
                let again = try await door.post("/v1/bookings", order(of: fleet), key: key)
                #expect(again.status == 201)
            }
        }
    }

    @Test(
        "draws another code where somebody has the one that was drawn, and makes nobody else wait for it"
    )
    func drawsCodesAgain() async throws {
        try await TestDatabase.with { database in
            let codes = ["AAAAAAAA", "AAAAAAAA", "AAAAAAAA", "BBBBBBBB"]
            let drawn = Mutex(0)
            let draw: @Sendable () -> ConfirmationCode = {
                let index = drawn.withLock { count in
                    defer { count += 1 }
                    return count
                }
                return ConfirmationCode(codes[index % codes.count])!
            }
            try await withDoor(on: database, drawing: draw) { door, loop in
                let running = Task { await loop.run() }
                defer { running.cancel() }
                let fleet = SeaFleet(capacity: 10)
                _ = try await loop.submit(fleet.envelope)
                let first = try await door.post("/v1/bookings", order(of: fleet))
                #expect(first.json["code"] as? String == "AAAAAAAA")
                let second = try await door.post("/v1/bookings", order(of: fleet))
                #expect(second.status == 201)
                #expect(second.json["code"] as? String == "BBBBBBBB")
                // There is no other by now.
                let third = try await door.post("/v1/bookings", order(of: fleet))
                #expect(third.status == 503 && third.headers["retry-after"] == "1")
                #expect(drawn.withLock { $0 } == codes.count + 5)
            }
        }
    }

    private func order(of fleet: SeaFleet) -> String {
        """
        {"lines":[{"trip":"\(fleet.trip)","sailing":"\(fleet.sailing)",\
        "ticketType":"\(fleet.adult)","quantity":1}],"contact":{"firstName":"Ada",\
        "lastName":"Lovelace","email":"ada@example.org"}}
        """
    }

    /// Opens the door of a loop that nobody runs yet.
    private func withDoor(
        on database: TestDatabase, clock: (@Sendable () -> Instant)? = nil,
        drawing draw: (@Sendable () -> ConfirmationCode)? = nil,
        _ body: (HTTPDoor, DecisionLoop) async throws -> Void
    ) async throws {
        var roles = Roles(
            database.connections, natsURL: "", secrets: testSecrets, settings: try Settings([:]),
            logger: quiet, clock: clock)
        if let draw { roles.drawCode = draw }
        let loop = roles.decisionLoop()
        let port = Mutex<Int?>(nil)
        let services = roles.commandAPI(loop, port: 0) { opened in port.withLock { $0 = opened } }
        try await withServices(services) {
            try await eventually("the door is open") { port.withLock { $0 } != nil }
            let door = HTTPDoor(
                "http://127.0.0.1:\(port.withLock { $0 } ?? 0)", token: testSecrets.staffToken)
            try await body(door, loop)
        }
    }
}

import Commands
import Domain
import EventCodec
import EventLog
import Synchronization
import Testing
import TestSupport

@Suite struct TimekeeperTests {
    private static let lifeTypes: Set<EventType> = [
        .bookingConfirmed, .holdExpired, .bookingCompleted,
    ]

    @Test("records each hold that ran out and each booking whose trip has departed, once")
    func keepsTime() async throws {
        let started = Instant(microseconds: 4_000_000_000_000_000)
        let now = Mutex(started)
        let clock: @Sendable () -> Instant = { now.withLock { $0 } }
        try await TestDatabase.with { database in
            try await withProjector(on: database, clock: clock) { loop, _ in
                let fleet = SeaFleet(capacity: 10, departure: started + .hours(2))
                _ = try await loop.submit(fleet.envelope)
                let kept = try await place(fleet, loop)
                let lost = try await place(fleet, loop)
                _ = try await loop.submit(
                    envelope([ConfirmBooking(booking: kept, basis: .paidAtTheDock)]))
                now.withLock { $0 = started + .minutes(9) }
                try await Task.sleep(for: .seconds(2))
                #expect(try await history(of: loop) == [.bookingConfirmed])

                now.withLock { $0 = started + .minutes(11) }
                try await eventually("the hold is recorded as over") {
                    try await history(of: loop) == [.bookingConfirmed, .holdExpired]
                }
                now.withLock { $0 = started + .hours(3) }
                try await eventually("the booking is complete") {
                    try await history(of: loop)
                        == [.bookingConfirmed, .holdExpired, .bookingCompleted]
                }
                let refused = await #expect(throws: CommandError.self) {
                    try await loop.submit(
                        envelope([ConfirmBooking(booking: lost, basis: .paidAtTheDock)]))
                }
                guard case .refused = refused else {
                    Issue.record("not refused")
                    return
                }
                // Whatever is found again, it is recorded once.
                try await Task.sleep(for: .seconds(2))
                #expect(try await history(of: loop).count == 3)
            }
        }
    }

    private func place(_ fleet: SeaFleet, _ loop: DecisionLoop) async throws -> BookingID {
        let receipt = try await loop.submit(fleet.order(seats: 1))
        let fact = try receipt.placed
        return fact.booking
    }

    /// The types of what happened to bookings after they were placed.
    private func history(of loop: DecisionLoop) async throws -> [EventType] {
        try await loop.log.read(after: 0, limit: 1000)
            .compactMap { EventType(rawValue: $0.type) }
            .filter { Self.lifeTypes.contains($0) }
    }
}

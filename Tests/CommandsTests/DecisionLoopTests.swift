import Commands
import Domain
import EventCodec
import EventLog
import Foundation
import Operations
import Postgres
import Synchronization
import Testing
import TestSupport

@Suite struct DecisionLoopTests {
    /// What there are 50 of, and 400 want.
    enum Scarce: CaseIterable {
        case seats
        case codeUses
        case stock
        case allotment

        static let offer: OfferID = ID(EntityID(customHigh: 0x0FFE, low: 1))

        var fleet: SeaFleet { SeaFleet(capacity: self == .seats ? 50 : 1000) }

        var code: SalesCode? { self == .codeUses ? SalesCode(.discount, "SPRING") : nil }

        var merchandise: [OrderedMerchandise] {
            self == .stock || self == .allotment
                ? [OrderedMerchandise(offer: Self.offer, quantity: 1)] : []
        }

        /// What makes it scarce, besides the fleet.
        func envelopes(_ fleet: SeaFleet) -> [Envelope] {
            switch self {
            case .seats: []
            case .codeUses:
                [
                    envelope([
                        IssueDiscountCode(
                            DiscountCodeIssued(
                                code: SalesCode(.discount, "SPRING")!,
                                reduction: .amount(Money(minorUnits: 100)), useLimit: 50))
                    ])
                ]
            case .stock: [fleet.shelf(of: 50, as: Self.offer)]
            case .allotment: [fleet.shelf(of: 1000, as: Self.offer, allotment: 50)]
            }
        }

        func isMissing(_ refusal: Refusal) -> Bool {
            switch (self, refusal) {
            case (.seats, .notEnoughSeats): true
            case (.codeUses, .codeNotAccepted(_, because: .usedUp(limit: 50))): true
            case (.stock, .notEnoughStock), (.allotment, .notEnoughStock): true
            default: false
            }
        }
    }

    @Test(
        "sells each seat, use of a code and thing once: two loops, one log, 400 buyers",
        arguments: Scarce.allCases)
    func neverOversells(_ scarce: Scarce) async throws {
        let sold = try await rush(for: scarce, guarded: true)
        #expect(sold.placed == 50)
        #expect(sold.refused == 350)
        #expect(sold.isSound)
    }

    @Test(
        "sells them twice when the log does not check conditions: the test above can fail",
        arguments: Scarce.allCases)
    func oversellsWithoutGuard(_ scarce: Scarce) async throws {
        let sold = try await rush(for: scarce, guarded: false)
        #expect(sold.placed > 50)
        #expect(!sold.isSound, "'verify' does not see it")
    }

    /// Two loops on one database, and a crowd at both doors before they open.
    ///
    /// The log is kept locked until both have decided, so each has sold what the other sells too.
    private func rush(
        for scarce: Scarce, guarded: Bool
    ) async throws -> (placed: Int, refused: Int, isSound: Bool) {
        try await TestDatabase.with { database in
            if !guarded { try await database.administer(guardOff) }
            let fleet = scarce.fleet
            try await withLoops(1, on: database) { loops in
                for envelope in [fleet.envelope] + scarce.envelopes(fleet) {
                    _ = try await loops[0].submit(envelope)
                }
            }
            let loops = try makeLoops(2, on: database)
            let crowd = loops.map { loop in
                Task { await sell(200, of: fleet, at: loop, scarce) }
            }
            let running = try await decideAtOnce(loops, 200, database)
            var counts = (placed: 0, refused: 0, isSound: false)
            for sold in crowd {
                counts.placed += await sold.value.placed
                counts.refused += await sold.value.refused
            }
            for task in running { task.cancel() }
            let settings = try Settings(["DATABASE_URL": database.connections.url])
            counts.isSound = try await Verbs(settings, logger: quiet).verify()
            return counts
        }
    }

    /// Starts loops at whose doors so many wait, and keeps the log locked until all have decided: so each
    /// has decided what the others decide too.
    private func decideAtOnce(
        _ loops: [DecisionLoop], _ count: Int, _ database: TestDatabase
    ) async throws -> [Task<Void, Never>] {
        try await eventually("everybody is there") {
            for loop in loops { guard loop.queueDepth == count else { return false } }
            return true
        }
        let warden = try await Warden(at: database.connections.administrative)
        let running = loops.map { loop in Task { await loop.run() } }
        try await warden.wait(for: loops.count)
        try await warden.leave()
        return running
    }

    @Test("gives back no more than was paid, however many ask at once at two doors")
    func neverRefundsTooMuch() async throws {
        let (refunded, isSound) = try await rushForRefunds(guarded: true)
        #expect(refunded == 10)
        #expect(isSound)
    }

    @Test("gives back more when the log does not check conditions: the test above can fail")
    func refundsTooMuchWithoutGuard() async throws {
        let (refunded, isSound) = try await rushForRefunds(guarded: false)
        #expect(refunded > 10)
        #expect(!isSound, "'verify' does not see it")
    }

    /// Forty at two doors want a tenth of what one booking was paid with.
    private func rushForRefunds(guarded: Bool) async throws -> (refunded: Int, isSound: Bool) {
        try await TestDatabase.with { database in
            if !guarded { try await database.administer(guardOff) }
            let fleet = SeaFleet(capacity: 50)
            var placed: BookingPlaced?
            try await withLoops(1, on: database) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                let receipt = try await loops[0].submit(fleet.order(seats: 1))
                let fact = try receipt.placed
                placed = fact
                let paid = ConfirmBooking(booking: fact.booking, basis: .paidAtTheDock)
                _ = try await loops[0].submit(envelope([paid]))
            }
            let booking = try #require(placed)
            let tenth = Money(minorUnits: booking.quote.total.minorUnits / 10)
            let loops = try makeLoops(2, on: database)
            let crowd = loops.flatMap { loop in
                (0..<20).map { _ in
                    Task {
                        let refund = RefundGoodwill(
                            booking: booking.booking, amount: tenth, reason: "fog")
                        return (try? await loop.submit(envelope([refund]))) != nil
                    }
                }
            }
            let running = try await decideAtOnce(loops, 20, database)
            var refunded = 0
            for asked in crowd where await asked.value { refunded += 1 }
            for task in running { task.cancel() }
            let settings = try Settings(["DATABASE_URL": database.connections.url])
            return (refunded, try await Verbs(settings, logger: quiet).verify())
        }
    }

    private func sell(
        _ count: Int, of fleet: SeaFleet, at loop: DecisionLoop, _ scarce: Scarce = .seats
    ) async -> (placed: Int, refused: Int) {
        await withTaskGroup(of: Bool?.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do throws(CommandError) {
                        let order = fleet.order(
                            seats: 1, discount: scarce.code, merchandise: scarce.merchandise)
                        _ = try await loop.submit(order)
                        return true
                    } catch {
                        guard case .refused(let refusal, _) = error else { return nil }
                        return scarce.isMissing(refusal) ? false : nil
                    }
                }
            }
            var counts = (placed: 0, refused: 0)
            for await isPlaced in group {
                if isPlaced == true { counts.placed += 1 }
                if isPlaced == false { counts.refused += 1 }
            }
            return counts
        }
    }

    @Test("sells each seat once of a sailing read from the log while others appended to it")
    func keepsModelsTogether() async throws {
        try await TestDatabase.with { database in
            try await withLoops(2, on: database) { loops in
                let fleet = SeaFleet(capacity: 50)
                _ = try await loops[1].submit(fleet.envelope)
                _ = try await loops[0].submit(SeaFleet(capacity: 1).envelope)
                // The first loop does not know of these when it reads the sailing aside.
                _ = try await loops[1].submit(SeaFleet(capacity: 1).envelope)
                let sold = await sell(80, of: fleet, at: loops[0])
                #expect(sold.placed == 50)
                #expect(sold.refused == 30)
            }
        }
    }

    @Test("takes a request once, and answers its repeats the same, also much later")
    func repeats() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 1)
            let order = fleet.order(seats: 1)
            let first = try await withLoops(1, on: database) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                let first = try await loops[0].submit(order)
                async let one = loops[0].submit(order)
                async let other = loops[0].submit(order)
                for receipt in [try await one, try await other] {
                    #expect(receipt.isRepeat)
                    #expect(receipt.events == first.events)
                }
                return first
            }
            try await withLoops(1, on: database) { loops in
                // Sold out by now, but this order was accepted.
                let again = try await loops[0].submit(order)
                #expect(again.isRepeat)
                #expect(again.position == first.position)
                #expect(again.events == first.events)
                var other = order
                other.requestHash = [9]
                let error = await #expect(throws: CommandError.self) {
                    try await loops[0].submit(other)
                }
                guard case .keyReused = error else {
                    Issue.record("a key was accepted for another request")
                    return
                }
            }
        }
    }

    @Test("gives away the seats of a hold past its deadline, with a simulated clock")
    func lapses() async throws {
        try await TestDatabase.with { database in
            let clock = SimulatedClock()
            try await withLoops(1, on: database, clock: clock.now) { loops in
                let fleet = SeaFleet(capacity: 2)
                _ = try await loops[0].submit(fleet.envelope)
                let held = fleet.order(seats: 2)
                _ = try await loops[0].submit(held)
                await #expect(throws: CommandError.self) {
                    try await loops[0].submit(fleet.order(seats: 1))
                }
                clock.advance(by: .minutes(11))
                _ = try await loops[0].submit(fleet.order(seats: 2))
                guard
                    case .bookingPlaced(let fact) = try await loops[0].submit(held).events[0].event
                else {
                    Issue.record("another event came of it")
                    return
                }
                let error = await #expect(throws: CommandError.self) {
                    try await loops[0].submit(
                        envelope([ConfirmBooking(booking: fact.booking, basis: .paidAtTheDock)]))
                }
                guard case .refused(.holdOver, _) = error else {
                    Issue.record(
                        "a hold was confirmed after its deadline: \(String(describing: error))")
                    return
                }
            }
        }
    }

    @Test("lets no hold lapse because the database's clock is ahead")
    func keepsHolds() async throws {
        try await TestDatabase.with { database in
            let clock = SimulatedClock()
            clock.advance(by: .hours(-1))
            let fleet = SeaFleet(capacity: 5)
            let orders = [fleet.order(seats: 2), fleet.order(seats: 2)]
            try await withLoops(1, on: database, clock: clock.now) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                for order in orders { _ = try await loops[0].submit(order) }
            }
            // One that has to read what happened, as after a start.
            try await withLoops(1, on: database, clock: clock.now) { loops in
                for order in orders {
                    guard
                        case .bookingPlaced(let fact) =
                            try await loops[0].submit(order).events[0].event
                    else {
                        Issue.record("another event came of it")
                        return
                    }
                    _ = try await loops[0].submit(
                        envelope([ConfirmBooking(booking: fact.booking, basis: .paidAtTheDock)]))
                }
            }
        }
    }

    @Test("tells of the hundredth batch as directly as of the first")
    func tellsDirectly() async throws {
        try await TestDatabase.with { database in
            try await withLoops(1, on: database) { loops in
                let depths = Mutex<[Int]>([])
                loops[0].onAppend { _, _ in
                    depths.withLock { $0.append(Thread.callStackReturnAddresses.count) }
                }
                let fleet = SeaFleet(capacity: 100)
                _ = try await loops[0].submit(fleet.envelope)
                for _ in 0..<100 { _ = try await loops[0].submit(fleet.order(seats: 1)) }
                let told = depths.withLock { $0 }
                #expect(told.count == 101)
                #expect(try #require(told.max()) < #require(told.first) + 10)
            }
        }
    }

    @Test("carries out several commands together or not at all")
    func isAllOrNothing() async throws {
        try await TestDatabase.with { database in
            try await withLoops(1, on: database) { loops in
                let fleet = SeaFleet(capacity: 5)
                _ = try await loops[0].submit(fleet.envelope)
                let before = try await loops[0].log.head()
                await #expect(throws: CommandError.self) {
                    try await loops[0].submit(
                        envelope([
                            PauseSales(sailing: fleet.sailing, isPaused: true),
                            SetSailingLimit(sailing: fleet.sailing, limit: 99),
                        ]))
                }
                #expect(try await loops[0].log.head() == before)
                _ = try await loops[0].submit(fleet.order(seats: 1))
            }
        }
    }

    @Test("answers that nothing was written while PostgreSQL is away, and recovers by itself")
    func survivesLostDatabase() async throws {
        try await TestDatabase.with { database in
            try await withLoops(1, on: database) { loops in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loops[0].submit(fleet.envelope)
                for _ in 0..<5 {
                    try await database.administer(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()
                        """)
                    let order = fleet.order(seats: 1)
                    var receipt: Receipt?
                    for _ in 0..<100 where receipt == nil {
                        receipt = try? await loops[0].submit(order)
                    }
                    #expect(receipt != nil)
                }
                #expect(try await loops[0].log.verify().faults.isEmpty)
            }
        }
    }
}

/// Time that goes on when it is told to, from the real now on.
final class SimulatedClock: Sendable {
    private let offset = Mutex(TimeSpan(microseconds: 0))
    private let start = Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))

    var now: @Sendable () -> Instant {
        { [self] in offset.withLock { start + $0 } }
    }

    func advance(by span: TimeSpan) {
        offset.withLock { $0 = TimeSpan(microseconds: $0.microseconds + span.microseconds) }
    }
}

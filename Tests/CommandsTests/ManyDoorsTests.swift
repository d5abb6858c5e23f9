import Commands
import Domain
import Operations
import Postgres
import Testing
import TestSupport

/// What decision loops know while others append to the log as well.
@Suite(.endsWhenHung) struct ManyDoorsTests {
    private func withLoops(
        _ count: Int, on database: TestDatabase, _ limits: DecisionLimits = DecisionLimits(),
        _ body: ([DecisionLoop]) async throws -> Void
    ) async throws {
        let loops = (0..<count).map { _ in
            DecisionLoop(
                database.connections.log(2), limits: limits, clock: wallClock, logger: quiet)
        }
        let running = loops.map { loop in Task { await loop.run() } }
        defer { for task in running { task.cancel() } }
        try await body(loops)
    }

    /// From now on no loop can read a model from the log.
    private func forbidLoading(_ database: TestDatabase) async throws {
        try await database.administer(
            "REVOKE SELECT ON log.event_tag FROM quartermaster_application")
    }

    @Test("keeps its models while another sells the same sailing, and reads none anew")
    func keepsModels() async throws {
        #expect(try await sellsByTurns(keepingFor: .seconds(60)) == 20)
    }

    @Test("reads them anew where they are not kept: the test above can fail")
    func losesModels() async throws {
        #expect(try await sellsByTurns(keepingFor: .zero) < 20)
    }

    /// How many of twenty more are sold by two loops in turn, once neither can read a model any more.
    private func sellsByTurns(keepingFor span: Duration) async throws -> Int {
        try await TestDatabase.with { database in
            var limits = DecisionLimits()
            limits.backupSpan = span
            // Each turn is a conflict with the one before.
            limits.catchUpInterval = .seconds(600)
            let fleet = SeaFleet(capacity: 50)
            var sold = 0
            try await withLoops(2, on: database, limits) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                for turn in 0..<6 { _ = try await loops[turn % 2].submit(fleet.order(seats: 1)) }
                try await forbidLoading(database)
                for turn in 0..<20 {
                    let receipt = try? await loops[turn % 2].submit(fleet.order(seats: 1))
                    if receipt != nil { sold += 1 }
                }
            }
            return sold
        }
    }

    @Test("keeps its models however often a request is repeated")
    func keepsModelsOfRepeats() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 50)
            let order = fleet.order(seats: 1)
            try await withLoops(1, on: database) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                let first = try await loops[0].submit(order)
                for _ in 0..<2 { _ = try await loops[0].submit(order) }
                _ = try await loops[0].submit(fleet.order(seats: 1))
                try await forbidLoading(database)
                for _ in 0..<10 {
                    #expect(try await loops[0].submit(order).position == first.position)
                    #expect(try await !loops[0].submit(fleet.order(seats: 1)).isRepeat)
                }
            }
        }
    }

    @Test("answers what appends nothing also while somebody repeats himself in every batch")
    func answersBesideRepeats() async throws {
        try await TestDatabase.with { database in
            let (fleet, full) = (SeaFleet(capacity: 50), SeaFleet(capacity: 1))
            let order = fleet.order(seats: 1)
            try await withLoops(1, on: database) { loops in
                for envelope in [fleet.envelope, full.envelope, order, full.order(seats: 1)] {
                    _ = try await loops[0].submit(envelope)
                }
                let repeating = (0..<6).map { _ in
                    Task {
                        while !Task.isCancelled { _ = try? await loops[0].submit(order) }
                    }
                }
                for _ in 0..<20 {
                    await #expect(throws: CommandError.self) {
                        try await loops[0].submit(full.order(seats: 1))
                    }
                    let question = QuoteOrder(
                        lines: [
                            OrderLine(
                                trip: fleet.trip, sailing: fleet.sailing, ticketType: fleet.adult,
                                quantity: 1)
                        ], seller: .public)
                    #expect(try await loops[0].ask(question).answer.quote.lines.count == 1)
                }
                for task in repeating { task.cancel() }
            }
        }
    }

    @Test("tells who has drawn a code that is taken so, and sells to everybody who came with him")
    func isolatesTakenCodes() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 100)
            var code: ConfirmationCode?
            try await withLoops(1, on: database) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                let receipt = try await loops[0].submit(fleet.order(seats: 1))
                let fact = try receipt.placed
                code = fact.code
            }
            var taken = fleet.order(seats: 1)
            var order = try #require(taken.commands[0] as? PlaceBooking)
            order.code = try #require(code)
            taken.commands = [order]
            // All of them are there before the first is decided, he before the others.
            let loop = DecisionLoop(
                database.connections.log(2), clock: wallClock, logger: quiet)
            let unlucky = Task { [taken] in try await loop.submit(taken) }
            try await eventually("he is there") { loop.queueDepth == 1 }
            let others = (0..<30).map { _ in
                Task { try await loop.submit(fleet.order(seats: 1)) }
            }
            try await eventually("all are there") { loop.queueDepth == 31 }
            let running = Task { await loop.run() }
            defer { running.cancel() }
            let error = await #expect(throws: CommandError.self) { try await unlucky.value }
            guard case .claimTaken = error else {
                Issue.record("he was told \(String(describing: error))")
                return
            }
            for other in others { #expect(try await other.value.events.count == 1) }
        }
    }

    @Test(
        "sells no seat of a log that was restored while it had nothing to do, or had only been asked",
        arguments: [false, true])
    func noticesRestore(wasOnlyAsked: Bool) async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 1)
            var limits = DecisionLimits()
            limits.catchUpInterval = wasOnlyAsked ? .seconds(1) : .zero
            func prepare(_ loop: DecisionLoop) async throws {
                _ = try await loop.submit(fleet.envelope)
                for isPaused in [true, false] {
                    _ = try await loop.submit(
                        envelope([PauseSales(sailing: fleet.sailing, isPaused: isPaused)]))
                }
            }
            if wasOnlyAsked { try await withLoops(1, on: database) { try await prepare($0[0]) } }
            try await withLoops(1, on: database, limits) { idle in
                if !wasOnlyAsked { try await prepare(idle[0]) }
                _ = try await idle[0].ask(
                    QuoteOrder(
                        lines: [
                            OrderLine(
                                trip: fleet.trip, sailing: fleet.sailing, ticketType: fleet.adult,
                                quantity: 1)
                        ], seller: .public))
                // What is restored has neither, and goes on with something else at the same positions.
                try await database.administer(
                    """
                    ALTER TABLE log.event DISABLE TRIGGER USER;
                    ALTER TABLE log.event_tag DISABLE TRIGGER USER;
                    DELETE FROM log.event_tag
                        WHERE position > (SELECT max(position) - 2 FROM log.event);
                    DELETE FROM log.event WHERE position > (SELECT max(position) - 2 FROM log.event);
                    """)
                let other = SeaFleet(capacity: 1)
                try await withLoops(1, on: database) { loops in
                    _ = try await loops[0].submit(fleet.order(seats: 1))
                    _ = try await loops[0].submit(other.envelope)
                }
                try await Task.sleep(for: limits.catchUpInterval)
                let error = await #expect(throws: CommandError.self) {
                    try await idle[0].submit(fleet.order(seats: 1))
                }
                guard case .refused(.notEnoughSeats, _) = error else {
                    Issue.record("a seat was sold twice: \(String(describing: error))")
                    return
                }
            }
        }
    }

    @Test("finds nothing to do, or to refuse, only where that is so still")
    func knowsOthersDeeds() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 1)
            func pause(_ isPaused: Bool) -> Envelope {
                envelope([PauseSales(sailing: fleet.sailing, isPaused: isPaused)])
            }
            try await withLoops(2, on: database) { loops in
                _ = try await loops[0].submit(fleet.envelope)
                for _ in 0..<20 {
                    #expect(try await loops[0].submit(pause(true)).events.count == 1)
                    #expect(try await loops[1].submit(pause(false)).events.count == 1)
                }
                for _ in 0..<10 {
                    _ = try await loops[0].submit(pause(true))
                    await #expect(throws: CommandError.self) {
                        try await loops[0].submit(fleet.order(seats: 1))
                    }
                    _ = try await loops[1].submit(pause(false))
                    let receipt = try await loops[0].submit(fleet.order(seats: 1))
                    let fact = try receipt.placed
                    let leave = AbandonBooking(booking: fact.booking)
                    _ = try await loops[1].submit(envelope([leave]))
                }
            }
        }
    }

    @Test("answers a question that has to be current with what others have done just now")
    func answersCurrentQuestions() async throws {
        try await TestDatabase.with { database in
            var limits = DecisionLimits()
            limits.catchUpInterval = .seconds(600)
            try await withLoops(2, on: database, limits) { loops in
                var generator = SystemRandomNumberGenerator()
                let account = AccountID(.random(using: &generator))
                func manage(_ deed: ManageStaff.Deed) -> Envelope {
                    envelope([ManageStaff(account: account, deeds: [deed])])
                }
                _ = try await loops[0].submit(manage(.open(.dock)))
                _ = try await loops[1].submit(manage(.close))
                let before = try await loops[0].ask(StaffStanding(account: account))
                #expect(!before.answer.isClosed, "the control")
                let now = try await loops[0].ask(StaffStanding(account: account), isCurrent: true)
                #expect(now.answer.isClosed)
            }
        }
    }

    @Test("keeps as many models as it may, and sells right with those that it reads again")
    func forgetsModels() async throws {
        try await TestDatabase.with { database in
            var limits = DecisionLimits()
            limits.modelLimit = 12
            let fleets = (0..<8).map { _ in SeaFleet(capacity: 2) }
            try await withLoops(1, on: database, limits) { loops in
                for fleet in fleets { _ = try await loops[0].submit(fleet.envelope) }
                for _ in 0..<2 {
                    for fleet in fleets { _ = try await loops[0].submit(fleet.order(seats: 1)) }
                }
                for fleet in fleets {
                    await #expect(throws: CommandError.self) {
                        try await loops[0].submit(fleet.order(seats: 1))
                    }
                }
                // What was used last is still there, what was used first is not.
                try await forbidLoading(database)
                let last = try #require(fleets.last)
                let refusals = [last, fleets[0]].map { fleet in
                    Task { () -> Bool in
                        do throws(CommandError) {
                            _ = try await loops[0].submit(fleet.order(seats: 1))
                            return false
                        } catch {
                            if case .refused(.notEnoughSeats, _) = error { return true }
                            return false
                        }
                    }
                }
                #expect(await refusals[0].value)
                #expect(await !refusals[1].value)
            }
        }
    }
}

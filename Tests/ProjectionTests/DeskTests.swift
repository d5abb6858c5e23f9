import Bus
import Commands
import Domain
import EventCodec
import EventLog
import Operations
import Postgres
import ProjectionEngine
import Projections
import Publishing
import TestServers
import Testing
import TestSupport

/// What operators decide about the log, and what then becomes of it.
@Suite(.serialized) struct DeskTests {
    @Test("lets a read model do without an event, whenever it is built, and keeps who decided so")
    func skipsEvents() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loop.submit(fleet.envelope)
                let bad = try await appendNonsense(to: loop.log)
                let verbs = try Verbs(
                    Settings(["DATABASE_URL": database.connections.url]), logger: quiet)
                let client = database.connections.client(1)
                try await eventually("the catalogue stops") {
                    try await status(client)?.stoppedAtPosition == bad
                }
                await #expect(throws: OperationError.self) {
                    try await verbs.retry(CatalogueEntries.name)
                }
                await #expect(throws: OperationError.self) {
                    try await verbs.skipEvent(CatalogueEntries.name, at: bad + 1, because: "typo")
                }
                try await verbs.skipEvent(CatalogueEntries.name, at: bad, because: "by hand")
                let head = try await loop.log.head()
                try await eventually("it goes on") {
                    try await status(client)?.position ?? 0 >= head
                }
                let now = try #require(try await status(client))
                #expect(now.stoppedAtPosition == nil)
                let skip = try #require(try await Skips.load(from: loop.log).entries.first)
                #expect(skip.fact.position == bad && skip.fact.reason == "by hand")
                #expect(skip.decidedBy == "operator")
                // The event can't be read any better, and that is known.
                let (faults, findings) = try await verbs.findings()
                #expect(faults.isEmpty, "\(faults)")
                #expect(findings.contains { $0.hasPrefix("position \(bad): LaunchArchived") })
                // Built anew it does without it as well, and others don't know of it.
                let outcome = try await Rebuild(
                    [CatalogueEntries.self], from: loop.log,
                    configuration: database.connections.rebuildable
                ).run()[0]
                #expect(outcome.difference?.isNone == true)
                await client.close()
            }
        }
    }

    @Test(
        "sells and publishes on past an event of a newer program, and builds no read model without it"
    )
    func passesNewerEvents() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, natsURL in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loop.submit(fleet.envelope)
                _ = try await loop.submit(fleet.order(seats: 1))
                let bad = try await appendOfNewerProgram(to: loop.log, in: database)
                for _ in 0..<3 { _ = try await loop.submit(fleet.order(seats: 33)) }
                await #expect(throws: CommandError.self) {
                    _ = try await loop.submit(fleet.order(seats: 1))
                }
                let head = try await loop.log.head()
                let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
                try await eventually("all is published") {
                    let state = try? await bus.state(ofStream: EventPublisher.stream)
                    return state?.lastSequence == Int(head)
                }
                let message = try await bus.message(at: Int(bad), ofStream: EventPublisher.stream)
                #expect(message.header("ce-type") == "quartermaster.BoatPainted.v1")
                #expect(
                    message.header("ce-entities") == "00000000-0000-0007-0000-000000000007")
                try await stopsReadModels(database, loop.log, at: bad)
            }
        }
    }

    private func stopsReadModels(
        _ database: TestDatabase, _ log: EventLog, at position: Int64
    ) async throws {
        let client = database.connections.client(1)
        try await eventually("the catalogue stops") {
            try await status(client)?.stoppedAtPosition == position
        }
        await client.close()
        do {
            _ = try await Rebuild(
                [CatalogueEntries.self], from: log, configuration: database.connections.rebuildable
            ).run()
            Issue.record("it was built without it")
        } catch let fault as ProjectionFault {
            #expect(fault.description.hasPrefix("position \(position): BoatPainted "))
        }
        // What one read model does without is not hidden from those who ask others of the past.
        let verbs = try Verbs(
            Settings(["DATABASE_URL": database.connections.url]), logger: quiet)
        try await verbs.skipEvent(CatalogueEntries.name, at: position, because: "a test")
        let moment = try await AsOf(.position(.max), of: log)
        let tags = [EntityID(high: 7, low: 7)]
        let without = try await moment.events(of: tags, for: [CatalogueEntries.self])
        #expect(without.isEmpty)
        await #expect(throws: EventCodecError.self) {
            try await moment.events(of: tags, for: [CatalogueEntries.self, Manifest.self])
        }
    }

    @Test(
        "says what stops a read model that can't be built anew for this version, and goes on without it"
    )
    func stopsBuildingAnew() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 100)
            var bad: Int64 = 0
            try await withProjector(on: database) { loop, _ in
                let head = try await loop.submit(fleet.envelope).position
                try await waitForProjections(database, toReach: head)
                bad = try await appendNonsense(to: loop.log)
            }
            try await database.administer(
                """
                UPDATE reading.projection SET version = 0, stopped_at_position = NULL
                WHERE name = 'catalogue_entry'
                """)
            try await withProjector(on: database) { loop, _ in
                let client = database.connections.client(1)
                try await eventually("the catalogue stops") {
                    try await status(client)?.stoppedAtPosition == bad
                }
                let verbs = try Verbs(
                    Settings(["DATABASE_URL": database.connections.url]), logger: quiet)
                try await verbs.skipEvent(CatalogueEntries.name, at: bad, because: "by hand")
                try await waitForProjections(database, toReach: try await loop.log.head())
                #expect(try await status(client)?.stoppedAtPosition == nil)
                await client.close()
            }
        }
    }

    @Test("publishes what has changed while the catalogue stood still, when it goes on")
    func catchesViewsUp() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, natsURL in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loop.submit(fleet.envelope)
                let bad = try await appendNonsense(to: loop.log)
                let client = database.connections.client(1)
                try await eventually("the catalogue stops") {
                    try await status(client)?.stoppedAtPosition == bad
                }
                _ = try await loop.submit(
                    envelope([ChangeBoatCapacity(boat: fleet.boat, capacity: 90)]))
                let sold = try await loop.submit(fleet.order(seats: 1)).position
                let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
                func available(_ seats: Int, at position: Int64?) async throws -> Bool {
                    let consumer = try await StreamConsumer(
                        of: ViewPublisher.stream, subject: "views.>", durable: nil, on: bus)
                    let view = try await consumer.fetch(limit: 1, waitMilliseconds: 200).last
                    guard let message = view?.message else { return false }
                    let isThere = position.map {
                        message.header("Quartermaster-Position") == "\($0)"
                    }
                    return isThere ?? true
                        && String(decoding: message.payload, as: UTF8.self)
                            .contains(#""available":\#(seats)"#)
                }
                try await eventually("the sale is published") {
                    try await available(99, at: sold)
                }
                let verbs = try Verbs(
                    Settings(["DATABASE_URL": database.connections.url]), logger: quiet)
                try await verbs.skipEvent(CatalogueEntries.name, at: bad, because: "by hand")
                try await eventually("the smaller boat is published") {
                    try await available(89, at: nil)
                }
                await client.close()
            }
        }
    }

    @Test("publishes what is watched anew when its stream is gone")
    func remakesViews() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, natsURL in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loop.submit(fleet.envelope)
                let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
                for _ in 0..<2 {
                    try await eventually("availability is published") {
                        let state = try? await bus.state(ofStream: ViewPublisher.stream)
                        return state?.messageCount == 1
                    }
                    try await bus.deleteStream(ViewPublisher.stream)
                }
            }
        }
    }

    @Test("publishes anew under a new epoch after the log was restored to an earlier moment")
    func resetsStream() async throws {
        let (stop, natsURL) = try await TestServers.shared.freshNATS()
        try await TestDatabase.with { database in
            let log = database.connections.log(1)
            let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
            func untilPublished(_ position: Int64) async throws {
                try await eventually("everything up to \(position) is published") {
                    let state = try? await bus.state(ofStream: EventPublisher.stream)
                    return state?.lastSequence == Int(position)
                }
            }
            let verbs = try Verbs(
                Settings(["DATABASE_URL": database.connections.url, "NATS_URL": natsURL]),
                logger: quiet)
            let fleet = SeaFleet(capacity: 100)
            var kept: Int64 = 0
            try await withProjector(on: database, publishingTo: natsURL) { loop in
                _ = try await loop.submit(fleet.envelope)
                kept = try await loop.submit(fleet.order(seats: 1)).position
                try await untilPublished(kept)
                try await verbs.resetStream(because: "nothing is wrong yet")
                await #expect(throws: OperationError.self) {
                    try await verbs.resetStream(because: " ")
                }
                #expect(try await log.head() == kept)
                for _ in 0..<3 { _ = try await loop.submit(fleet.order(seats: 1)) }
                try await untilPublished(kept + 3)
            }
            let lost = try await bus.message(at: Int(kept + 1), ofStream: EventPublisher.stream)
            try await lose(database, after: kept)
            // Sales go on before anybody has looked.
            try await withLoops(1, on: database) { loops in
                _ = try await loops[0].submit(fleet.order(seats: 1))
            }
            let sold = try await log.head() - kept
            let ahead = try await PublishedHistory(of: log, busURL: natsURL, logger: quiet)
            #expect(ahead == .ahead(sequence: kept + 3, head: kept + sold))
            try await leavesOtherStreamsAlone(database, natsURL, upTo: kept + 3)
            await #expect(throws: OperationError.self) { try await verbs.resetStream(because: nil) }
            #expect(try await log.head() == kept + sold)
            try await refuses(
                database, natsURL, "ahead of the log's head \(kept + sold)", sequence: Int(kept + 3)
            )

            try await verbs.resetStream(because: "restored")
            let events = try await log.read(after: kept + sold, limit: 10)
            #expect(events.map(\.type) == [EventType.logEpochBegun.rawValue])
            try await withProjector(on: database, publishingTo: natsURL) { _ in
                try await untilPublished(kept + sold + 1)
            }
            try await expectNewEpoch(log, bus, natsURL, kept, upTo: kept + sold + 1, lost)
        }
        await stop()
    }

    /// The stream of another log is nobody's to reset here.
    private func leavesOtherStreamsAlone(
        _ database: TestDatabase, _ natsURL: String, upTo sequence: Int64
    ) async throws {
        let log = database.connections.log(1)
        let uuid = try await log.identity()
        let id = EntityID(high: uuid.high, low: uuid.low)
        try await database.administer("UPDATE log.identity SET id = gen_random_uuid()")
        let history = try await PublishedHistory(of: log, busURL: natsURL, logger: quiet)
        #expect(history == .ofOtherLog(id))
        let verbs = try Verbs(
            Settings(["DATABASE_URL": database.connections.url, "NATS_URL": natsURL]), logger: quiet
        )
        await #expect(throws: OperationError.self) {
            try await verbs.resetStream(because: "a test")
        }
        let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
        #expect(try await bus.state(ofStream: EventPublisher.stream).lastSequence == Int(sequence))
        try await database.administer("UPDATE log.identity SET id = '\(id)'")
    }

    /// What was kept is published as before, and what followed it under other ids.
    private func expectNewEpoch(
        _ log: EventLog, _ bus: BusConnection, _ natsURL: String, _ kept: Int64, upTo head: Int64,
        _ lost: BusMessage
    ) async throws {
        let history = try await PublishedHistory(of: log, busURL: natsURL, logger: quiet)
        #expect(history == .same(upTo: head))
        let begun = try await bus.message(at: Int(kept + 1), ofStream: EventPublisher.stream)
        #expect(begun.header("ce-id") != lost.header("ce-id"))
        #expect(begun.header("Quartermaster-Epoch") == "2")
        let before = try await bus.message(at: Int(kept), ofStream: EventPublisher.stream)
        #expect(before.header("Quartermaster-Epoch") == "1")
    }

    @Test("publishes nothing after what the log has lost, also where it has come further by now")
    func refusesOtherHistory() async throws {
        let (stop, natsURL) = try await TestServers.shared.freshNATS()
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 100)
            var kept: Int64 = 0
            try await withProjector(on: database, publishingTo: natsURL) { loop in
                _ = try await loop.submit(fleet.envelope)
                kept = try await loop.submit(fleet.order(seats: 1)).position
                _ = try await loop.submit(fleet.order(seats: 1))
                let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
                try await eventually("both are published") {
                    try await bus.state(ofStream: EventPublisher.stream).lastSequence
                        == Int(kept + 1)
                }
            }
            try await lose(database, after: kept)
            try await withLoops(1, on: database) { loops in
                for _ in 0..<3 { _ = try await loops[0].submit(fleet.order(seats: 1)) }
            }
            let history = try await PublishedHistory(
                of: database.connections.log(1), busURL: natsURL, logger: quiet)
            #expect(history == .diverged(at: kept + 1))
            try await refuses(
                database, natsURL, "holds another event at \(kept + 1)", sequence: Int(kept + 1))
        }
        await stop()
    }

    /// What came later is lost, and the read models go back as well, as with a restored backup.
    private func lose(_ database: TestDatabase, after kept: Int64) async throws {
        try await database.administer(
            """
            SET session_replication_role = replica;
            DELETE FROM log.event WHERE position > \(kept);
            DELETE FROM log.event_tag WHERE position > \(kept);
            DELETE FROM reading.projection
            """)
    }

    /// A projector that publishes to EVENTS says why it does not, and adds nothing.
    private func refuses(
        _ database: TestDatabase, _ natsURL: String, _ reason: String, sequence: Int
    ) async throws {
        let lines = LogLines()
        try await withProjector(on: database, publishingTo: natsURL, tellingOn: lines) { _ in
            try await eventually("it is said that \(reason)") {
                lines.all.contains { $0.contains("not publishing") && $0.contains(reason) }
            }
        }
        let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
        let state = try await bus.state(ofStream: EventPublisher.stream)
        #expect(state.lastSequence == sequence)
    }

    /// Nil until the projector has made the table.
    private func status(_ client: PostgresClient) async throws -> ProjectionStatus? {
        try await ProjectionStatus.all(client).first { $0.name == CatalogueEntries.name }
    }
}

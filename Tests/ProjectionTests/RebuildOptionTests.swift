import Bus
import Commands
import Domain
import EventLog
import Operations
import Postgres
import ProjectionEngine
import Projections
import Publishing
import Testing
import TestSupport

/// What operators may ask of a rebuild beside the rebuild itself.
@Suite(.serialized) struct RebuildOptionTests {
    @Test("publishes nothing while it rebuilds, and nothing because of it")
    func isSilent() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, natsURL in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loop.submit(fleet.envelope)
                var head = try await loop.submit(fleet.order(seats: 1)).position
                let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
                func shown() async throws -> [Int] {
                    var sequences: [Int] = []
                    for stream in [EventPublisher.stream, ViewPublisher.stream] {
                        sequences.append(try await bus.state(ofStream: stream).lastSequence)
                    }
                    return sequences
                }
                func untilShown() async throws {
                    let subject = ViewPublisher.subject(of: fleet.sailing)
                    try await eventually("the view of position \(head) is published") {
                        let consumer = try await StreamConsumer(
                            of: ViewPublisher.stream, subject: subject, durable: nil, on: bus)
                        let view = try await consumer.fetch(limit: 1, waitMilliseconds: 200).last
                        let isSeen = try await shown()[0] == Int(head)
                        return isSeen
                            && view?.message.header("Quartermaster-Position") == "\(head)"
                    }
                }
                try await untilShown()
                let before = try await shown()
                _ = try await rebuild(AllReadModels.list, database).run()
                try await Task.sleep(for: .seconds(1))
                #expect(try await shown() == before)
                // What comes afterwards is published as ever.
                head = try await loop.submit(fleet.order(seats: 1)).position
                try await untilShown()
            }
        }
    }

    @Test("builds all read models in one reading of the log, and finds them equal to the live ones")
    func buildsAllAtOnce() async throws {
        try await withHistory { database, loop, _ in
            let counter = CountingLog(loop.log)
            var rebuild = rebuild(AllReadModels.list, database)
            rebuild.events = counter
            let outcomes = try await rebuild.run()
            #expect(outcomes.map(\.name) == AllReadModels.list.map { $0.name })
            for outcome in outcomes {
                #expect(outcome.end == .swapped && outcome.difference?.isNone == true)
                #expect(outcome.rowCount > 0, "\(outcome.name) has no rows to compare")
            }
            #expect(await counter.readCount == 1)
        }
    }

    @Test("names the rows in which the live table differs from what the log says")
    func namesDifferences() async throws {
        try await withHistory { database, _, bookings in
            let booking = "\(bookings[3])"
            try await database.administer(
                "UPDATE reading.booking_search SET last_name = 'Nemo' WHERE booking = '\(booking)'")
            try await database.administer(
                "DELETE FROM reading.booking_search WHERE booking = '\(bookings[5])'")
            let outcome = try await rebuild([BookingSearch.self], database).run()[0]
            let wrong = [booking, "\(bookings[5])"].sorted()
            #expect(outcome.difference?.rows.map(\.key) == wrong)
            #expect(outcome.difference?.liveRowCount == bookings.count - 1)
            #expect(outcome.difference?.rowCount == bookings.count)
            let again = try await rebuild([BookingSearch.self], database).run()[0]
            #expect(again.difference?.isNone == true)
        }
    }

    @Test("goes on where it was stopped, and does nothing twice")
    func goesOn() async throws {
        try await withHistory { database, loop, bookings in
            var part = rebuild([BookingByCode.self, Manifest.self], database)
            part.until = 40
            #expect(try await part.run().map(\.end) == [.built, .built])
            let client = database.connections.client(1)
            let waiting = try await RebuildControl.all(client)
            #expect(waiting.map(\.name) == ["booking_by_code", "manifest"])
            #expect(waiting.allSatisfy { $0.position == 40 && !$0.isRunning })
            let counter = CountingLog(loop.log)
            var rest = rebuild([BookingByCode.self, Manifest.self], database)
            rest.events = counter
            let outcomes = try await rest.run()
            #expect(outcomes.allSatisfy { $0.difference?.isNone == true })
            #expect(await counter.firstPosition == 40)
            #expect(try await RebuildControl.all(client).isEmpty)
            await client.close()
        }
    }

    @Test("starts anew when what is left is of another version")
    func startsAnew() async throws {
        try await withHistory { database, loop, _ in
            var part = rebuild([Manifest.self], database)
            part.until = 40
            _ = try await part.run()
            try await database.administer("UPDATE reading.rebuild SET version = 0")
            let counter = CountingLog(loop.log)
            var rest = rebuild([Manifest.self], database)
            rest.events = counter
            #expect(try await rest.run()[0].difference?.isNone == true)
            #expect(await counter.firstPosition == 0)
        }
    }

    @Test("pauses and gives up when an operator says so, and lets nobody build the same beside it")
    func heeds() async throws {
        try await withHistory { database, loop, _ in
            let client = database.connections.client(1)
            let writing = PostgresClient(
                database.connections.rebuildable, connectionCount: 1, logger: quiet)
            for wish in [RebuildControl.Wish.cancel, .pause] {
                let slow = CountingLog(loop.log, delay: .milliseconds(800))
                var rebuild = rebuild([Manifest.self], database)
                rebuild.events = slow
                let running = Task { [rebuild] in try await rebuild.run() }
                try await eventually("it runs") {
                    let status = try await RebuildControl.all(client).first
                    return status?.isRunning == true && status?.wish == .run
                }
                await #expect(throws: RebuildError.self) {
                    _ = try await self.rebuild([Manifest.self], database).run()
                }
                #expect(try await RebuildControl.want(wish, of: "manifest", writing))
                #expect(
                    try await running.value.map(\.end) == [wish == .pause ? .paused : .cancelled])
                let left = try await RebuildControl.all(client).count
                #expect(left == (wish == .pause ? 1 : 0))
            }
            #expect(try await RebuildControl.want(.cancel, of: "manifest", writing))
            #expect(try await !RebuildControl.want(.pause, of: "manifest", writing))
            await client.close()
            await writing.close()
        }
    }

    @Test(
        "makes nobody wait behind one who reads the live table for long, and swaps when he is done")
    func waitsForReaders() async throws {
        try await withHistory { database, _, _ in
            let reader = try await PostgresSession.connect(to: database.connections.administrative)
            try await reader.execute("BEGIN; SELECT count(*) FROM reading.manifest")
            let rebuild = rebuild([Manifest.self], database)
            let running = Task { try await rebuild.run()[0] }
            // Not granted: it waits for the reader, and would have everybody else wait for it.
            func untilItWaits() async throws {
                try await eventually("it is to be swapped") {
                    try await database.administer(
                        """
                        SELECT FROM pg_locks
                        WHERE relation = 'reading.manifest'::regclass AND mode = 'AccessExclusiveLock'
                            AND NOT granted
                        """
                    ).count == 1
                }
            }
            try await untilItWaits()
            // Were it to wait for the first reader, these would wait behind it, and he for them.
            for _ in 0..<10 {
                try await database.administer("SELECT count(*) FROM reading.manifest")
            }
            try await reader.execute("COMMIT")
            #expect(try await running.value.end == .swapped)
            // Who waits may be told that he need not.
            try await reader.execute("BEGIN; SELECT count(*) FROM reading.manifest")
            let waiting = Task { try await self.rebuild([Manifest.self], database).run()[0] }
            let client = database.connections.writingClient(1)
            try await untilItWaits()
            #expect(try await RebuildControl.want(.cancel, of: Manifest.name, client))
            #expect(try await waiting.value.end == .cancelled)
            try await reader.execute("COMMIT")
            await client.close()
        }
    }

    @Test("takes the live table's place while seats are sold all the time", .endsWhenHung)
    func swapsDuringSales() async throws {
        try await withHistory { database, loop, _ in
            let fleet = SeaFleet(capacity: 100_000)
            _ = try await loop.submit(fleet.envelope)
            let selling = Task {
                var count = 0
                while !Task.isCancelled {
                    let receipt = try await loop.submit(fleet.order(seats: 1))
                    let fact = try receipt.placed
                    _ = try await loop.submit(
                        envelope([ConfirmBooking(booking: fact.booking, basis: .paidAtTheDock)]))
                    count += 1
                }
                return count
            }
            for round in 0..<6 {
                var rebuild = rebuild(
                    [SailingAvailability.self, BookingByCode.self, Manifest.self], database)
                // What was kept is kept up to date meanwhile, and goes when it is to be kept again.
                rebuild.keepsOld = round > 1
                let outcomes = try await rebuild.run()
                #expect(outcomes.map(\.end) == [.swapped, .swapped, .swapped])
                #expect(outcomes.allSatisfy { $0.difference?.isNone ?? true })
            }
            selling.cancel()
            #expect(try await selling.value > 0)
            try await waitForProjections(database, toReach: try await loop.log.head())
            let again = try await rebuild([SailingAvailability.self, Manifest.self], database).run()
            #expect(again.allSatisfy { $0.difference?.isNone == true })
        }
    }

    @Test("keeps what it replaces, up to date, and puts it back at once")
    func undoes() async throws {
        try await withHistory { database, loop, _ in
            var rebuild = rebuild([BookingSearch.self], database)
            rebuild.keepsOld = true
            rebuild.until = 40
            _ = try await rebuild.run()
            // Who goes on with it need not say so again.
            _ = try await self.rebuild([BookingSearch.self], database).run()
            // So that one can tell the two apart.
            try await database.administer("COMMENT ON TABLE reading.booking_search_old IS 'before'")
            let fleet = SeaFleet(capacity: 100)
            _ = try await loop.submit(fleet.envelope)
            var head = try await loop.submit(fleet.order(seats: 1)).position
            try await waitForTable("booking_search_old", database, toReach: head)
            let client = database.connections.client(1)
            let names = try await ProjectionStatus.lags(client).projections.map(\.name)
            #expect(names == AllReadModels.list.map { $0.name }.sorted())
            let kept = try await ProjectionStatus.all(client).filter(\.isKept).map(\.name)
            #expect(kept == ["booking_search_old"])
            await client.close()
            try await waitForTable("booking_search", database, toReach: head)
            let rebuilt = try await dump("booking_search", database)
            #expect(try await dump("booking_search_old", database) == rebuilt)

            try await BookingSearch.undoRebuild(database.connections.rebuildable)
            let comment = try await database.administer(
                "SELECT obj_description('reading.booking_search'::regclass)")
            #expect(comment.text(0, 0) == "before")
            head = try await loop.submit(fleet.order(seats: 1)).position
            for name in ["booking_search", "booking_search_old"] {
                try await waitForTable(name, database, toReach: head)
            }
            #expect(
                try await dump("booking_search", database)
                    == dump("booking_search_old", database))

            #expect(try await BookingSearch.dropKept(database.connections.rebuildable))
            #expect(try await !BookingSearch.dropKept(database.connections.rebuildable))
            await #expect(throws: RebuildError.self) {
                try await BookingSearch.undoRebuild(database.connections.rebuildable)
            }
        }
    }

    @Test("takes no events of a time or a history that the log does not have")
    func refusesOtherHistories() async throws {
        try await withHistory { database, loop, _ in
            for (events, word) in [
                (OtherHistory(log: loop.log, more: 5), "restored to before"),
                (OtherHistory(log: loop.log, end: [1, 2, 3]), "another history"),
            ] {
                var build = rebuild([Manifest.self], database)
                build.events = events
                do {
                    _ = try await build.run()
                    Issue.record("it was taken")
                } catch let error as RebuildError {
                    #expect(error.description.contains(word))
                }
            }
            var build = rebuild([Manifest.self], database)
            build.events = OtherHistory(log: loop.log)
            #expect(try await build.run()[0].end == .swapped)
        }
    }

    // MARK: Fixtures

    private func rebuild(_ models: [any ReadModel.Type], _ database: TestDatabase) -> Rebuild {
        Rebuild(
            models, from: database.connections.log(1),
            configuration: database.connections.rebuildable)
    }

    private func withHistory(
        _ body: (TestDatabase, DecisionLoop, [String]) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                try await writeRandomHistory(loop)
                try await waitForProjections(database, toReach: try await loop.log.head())
                let rows = try await database.administer(
                    "SELECT booking FROM reading.booking_search ORDER BY booking")
                try await body(database, loop, (0..<rows.count).map { rows.text($0, 0) })
            }
        }
    }

    private func waitForTable(
        _ name: String, _ database: TestDatabase, toReach position: Int64
    ) async throws {
        try await eventually("\(name) reaches \(position)") {
            let rows = try await database.administer(
                "SELECT position FROM reading.projection WHERE name = '\(name)'")
            return rows.count > 0 && Int64(rows.text(0, 0)) ?? 0 >= position
        }
    }
}

/// The log itself, which counts how it is read, and may be slow.
private actor CountingLog: LoggedEvents {
    private let log: EventLog
    private let delay: Duration
    private(set) var readCount = 0
    private(set) var firstPosition: Int64?

    init(_ log: EventLog, delay: Duration = .zero) {
        self.log = log
        self.delay = delay
    }

    func head() async throws -> Int64 { try await log.head() }

    func read(
        after position: Int64, upTo end: Int64, _ wanted: WantedTypes
    ) async throws -> [EventContent] {
        readCount += 1
        firstPosition = firstPosition ?? position
        try await Task.sleep(for: delay)
        return try await log.read(after: position, upTo: end, wanted)
    }

    func hash(from end: Int64) async throws -> (position: Int64, hash: [UInt8]) {
        try await log.hash(from: end)
    }
}

/// The events of a log, said to go on further, or to have another hash.
private struct OtherHistory: LoggedEvents {
    let log: EventLog
    var more: Int64 = 0
    var end: [UInt8]?

    func head() async throws -> Int64 { try await log.head() + more }

    func read(
        after position: Int64, upTo end: Int64, _ wanted: WantedTypes
    ) async throws -> [EventContent] {
        try await log.read(after: position, upTo: end, wanted)
    }

    func hash(from end: Int64) async throws -> (position: Int64, hash: [UInt8]) {
        let (position, hash) = try await log.hash(from: end)
        return (position, self.end ?? hash)
    }
}

import Bus
import Commands
import Domain
import EventLog
import Operations
import Postgres
import ProjectionEngine
import Projections
import Publishing
import ServiceLifecycle
import Testing
import TestServers
import TestSupport

@Suite(.serialized) struct RebuildTests {
    @Test("rebuilds every read model byte for byte equal to the live one, after a random history")
    func rebuiltEqualsLive() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                try await writeRandomHistory(loop)
                let head = try await loop.log.head()
                try await expectRebuiltEqualsLive(database, at: head)
            }
        }
    }

    @Test("follows its own process and others, in whatever order they append")
    func followsOthersToo() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                let fleet = SeaFleet(capacity: 200)
                _ = try await loop.submit(fleet.envelope)
                try await issueCode(loop, to: fleet)
                try await withLoops(1, on: database) { others in
                    for round in 0..<40 {
                        // Its own are handed in, the others' are read; some come at the same time.
                        async let theirs: Receipt? =
                            round % 3 == 0 ? others[0].submit(fleet.order(seats: 1)) : nil
                        _ = try await loop.submit(fleet.order(seats: 1))
                        _ = try await theirs
                    }
                }
                let receipt = try await loop.submit(fleet.order(seats: 1))
                let fact = try receipt.placed
                let head = try await loop.submit(
                    envelope([ConfirmBooking(booking: fact.booking, basis: .paidAtTheDock)])
                ).position
                try await expectRebuiltEqualsLive(database, at: head)
            }
        }
    }

    @Test("goes on with a read model that was rebuilt while it was live")
    func goesOnAfterRebuild() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loop.submit(fleet.envelope)
                for _ in 0..<5 { _ = try await loop.submit(fleet.order(seats: 1)) }
                try await rebuild(BookingSearch.self, database)
                for _ in 0..<5 { _ = try await loop.submit(fleet.order(seats: 1)) }
                try await waitForProjections(database, toReach: try await loop.log.head())
                let rows = try await database.administer(
                    "SELECT count(*) FROM reading.booking_search")
                #expect(rows.text(0, 0) == "10")
            }
        }
    }

    @Test("builds anew a read model that an older version of the program has left")
    func replacesOlderVersions() async throws {
        try await TestDatabase.with { database in
            let fleet = try await projectBooking(database)
            try await database.administer(
                "UPDATE reading.projection SET version = 0 WHERE name = 'manifest'")
            try await database.administer("ALTER TABLE reading.manifest DROP COLUMN seats")
            try await withProjector(on: database) { loop, _ in
                let head = try await loop.submit(fleet.order(seats: 1)).position
                try await waitForProjections(database, toReach: head)
                let rows = try await database.administer(
                    "SELECT count(seats) FROM reading.manifest")
                #expect(rows.text(0, 0) == "2")
            }
        }
    }

    @Test(
        "stops before a table that a newer version has made, says so, and goes on when it is rebuilt"
    )
    func stopsBeforeNewerVersions() async throws {
        try await TestDatabase.with { database in
            let fleet = try await projectBooking(database)
            try await database.administer(
                "UPDATE reading.projection SET version = version + 1 WHERE name = 'manifest'")
            try await withProjector(on: database) { loop, _ in
                let head = try await loop.submit(fleet.order(seats: 1)).position
                let client = database.connections.client(1)
                try await eventually("it is told why it stands still") {
                    let status = try await ProjectionStatus.all(client).first {
                        $0.name == "manifest"
                    }
                    return status?.stoppedAtPosition == head
                        && status?.stoppedBecause?.contains("quartermaster rebuild manifest")
                            ?? false
                }
                try await rebuild(Manifest.self, database)
                try await waitForProjections(database, toReach: head)
                let status = try await ProjectionStatus.all(client).first { $0.name == "manifest" }
                #expect(status?.version == Manifest.version)
                try await eventually("it is not said to stand still any more") {
                    _ = try await loop.submit(fleet.order(seats: 1))
                    return try await ProjectionStatus.all(client).allSatisfy {
                        $0.stoppedBecause == nil
                    }
                }
                await client.close()
            }
        }
    }

    @Test("finds out that its table has lost what was written last, though nothing more happens")
    func noticesLoss() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loop.submit(fleet.envelope)
                let before = try await loop.submit(fleet.order(seats: 1)).position
                try await waitForProjections(database, toReach: before)
                let head = try await loop.submit(fleet.order(seats: 1)).position
                try await waitForProjections(database, toReach: head)
                try await database.administer(
                    """
                    DELETE FROM reading.manifest WHERE position > \(before);
                    UPDATE reading.projection SET position = \(before) WHERE name = 'manifest'
                    """)
                try await eventually("the row is there again") {
                    let rows = try await database.administer(
                        "SELECT count(*) FROM reading.manifest")
                    return rows.text(0, 0) == "2"
                }
            }
        }
    }

    @Test("publishes every event once, in order, its sequence its position")
    func publishesEvents() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, natsURL in
                try await writeRandomHistory(loop)
                let head = try await loop.log.head()
                let bus = try await BusConnection.connect(to: natsURL, logger: quiet)
                try await eventually("EVENTS reaches \(head)") {
                    try await bus.state(ofStream: EventPublisher.stream).lastSequence == Int(head)
                }
                let state = try await bus.state(ofStream: EventPublisher.stream)
                #expect(state.messageCount == Int(head))
                let consumer = try await StreamConsumer(
                    of: EventPublisher.stream, subject: "events.>", durable: nil, on: bus)
                let rows = try await database.administer(
                    """
                    SELECT replace(e.correlation_id::text, '-', ''), t.name, i.id,
                        to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
                    FROM log.event e JOIN log.event_type t ON t.code = e.type, log.identity i
                    ORDER BY e.position
                    """)
                var position = 0
                while position < head {
                    for delivery in try await consumer.fetch(limit: 500, waitMilliseconds: 2000) {
                        let row = position
                        position += 1
                        let header = delivery.message.header
                        #expect(delivery.sequence == position)
                        #expect(header("Quartermaster-Position") == "\(position)")
                        #expect(header("ce-specversion") == "1.0")
                        #expect(header("ce-source") == "urn:uuid:\(rows.text(row, 2))")
                        #expect(
                            header("ce-type")?.hasPrefix("quartermaster.\(rows.text(row, 1)).v")
                                == true)
                        #expect(header("ce-time")?.hasPrefix(rows.text(row, 3)) == true)
                        #expect(
                            header("traceparent")?.hasPrefix("00-\(rows.text(row, 0))-") == true)
                        consumer.acknowledge(delivery)
                    }
                }
            }
        }
    }

    @Test("stops on an event that it can't read, says which and why, and holds up no other")
    func stops() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loop.submit(fleet.envelope)
                let bad = try await appendNonsense(to: loop.log)
                let client = database.connections.client(1)
                try await eventually("the catalogue stops") {
                    let statuses = try await ProjectionStatus.all(client)
                    return statuses.contains {
                        $0.name == CatalogueEntries.name
                            && $0.stoppedAtPosition == bad
                            && $0.stoppedBecause?.contains("LaunchArchived") == true
                    }
                }
                try await eventually("the others go on") {
                    try await ProjectionStatus.all(client).filter {
                        $0.position >= bad
                    }.count == AllReadModels.list.count - 1
                }
                await client.close()
            }
        }
    }

    @Test("stops at the event whose row can't be written, with what stands before it written")
    func stopsAtWriting() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 100)
            let client = database.connections.client(1)
            try await withProjector(on: database) { loop, _ in
                _ = try await loop.submit(fleet.envelope)
                try await waitForProjections(database, toReach: try await loop.log.head())
                let before = try await loop.log.head()
                let session = try await PostgresSession.connect(
                    to: database.connections.administrative)
                try await session.execute(
                    """
                    ALTER TABLE reading.manifest ADD CHECK (position <> \(before + 3))
                    """)
                // All of them in one batch.
                try await session.execute("BEGIN; LOCK TABLE reading.manifest")
                for _ in 0..<5 { _ = try await loop.submit(fleet.order(seats: 1)) }
                try await session.execute("COMMIT")
                try await eventually("it stops there") {
                    try await ProjectionStatus.all(client).contains {
                        $0.name == Manifest.name && $0.stoppedAtPosition == before + 3
                            && $0.position == before + 2
                    }
                }
            }
            await client.close()
        }
    }
}

// MARK: Fixtures

/// A booking that every read model shows, and nobody who keeps them up to date any more.
private func projectBooking(_ database: TestDatabase) async throws -> SeaFleet {
    let fleet = SeaFleet(capacity: 100)
    try await withProjector(on: database) { loop, _ in
        _ = try await loop.submit(fleet.envelope)
        let head = try await loop.submit(fleet.order(seats: 1)).position
        try await waitForProjections(database, toReach: head)
    }
    return fleet
}

private func rebuild<Model: ReadModel>(_ model: Model.Type, _ database: TestDatabase) async throws {
    let rebuild = Rebuild(
        [model], from: database.connections.log(1), configuration: database.connections.rebuildable)
    _ = try await rebuild.run()
}

/// Every read model, once it has reached a position, is rebuilt and stays byte for byte as it was.
private func expectRebuiltEqualsLive(
    _ database: TestDatabase, at position: Int64
) async throws {
    try await waitForProjections(database, toReach: position)
    for model in AllReadModels.list {
        let live = try await dump(model.name, database)
        #expect(live.contains("\n"), "\(model.name) has no rows to compare")
        try await rebuild(model, database)
        let rebuilt = try await dump(model.name, database)
        #expect(rebuilt == live)
    }
}

/// The whole table, as text, in the order of its rows.
func dump(_ name: String, _ database: TestDatabase) async throws -> String {
    let rows = try await database.administer(
        "SELECT string_agg(t::text, E'\\n' ORDER BY t::text) || E'\\n' FROM reading.\(name) t")
    return rows.optionalText(0, 0) ?? ""
}

let patches: OfferID = ID(EntityID(customHigh: 0x0FFE, low: 1))

/// Patches for one fleet, a discount code for everybody, and an access code that nobody uses.
@discardableResult
func issueCode(_ loop: DecisionLoop, to fleet: SeaFleet) async throws -> SalesCode {
    _ = try await loop.submit(fleet.shelf(of: 50, as: patches))
    let spring = SalesCode(.discount, "SPRING")!
    _ = try await loop.submit(
        envelope([
            IssueDiscountCode(
                DiscountCodeIssued(
                    code: spring, reduction: .share(BasisPoints(1000)!, cap: nil), useLimit: 60)),
            IssueAccessCode(
                AccessCodeIssued(code: SalesCode(.access, "CREW")!, mission: fleet.mission)),
        ]))
    return spring
}

/// Bookings of many fates, drawn by chance.
func writeRandomHistory(_ loop: DecisionLoop) async throws {
    let fleets = (0..<3).map { _ in SeaFleet(capacity: 40) }
    for fleet in fleets { _ = try await loop.submit(fleet.envelope) }
    let spring = try await issueCode(loop, to: fleets[0])
    var bookings: [(BookingID, SeaFleet, Int64)] = []
    for _ in 0..<300 {
        let fleet = fleets.randomElement()!
        let command: any Command
        switch (Int.random(in: 0..<9), bookings.randomElement()) {
        case (0...2, _), (_, nil):
            let order = fleet.order(
                seats: .random(in: 1...3), discount: Bool.random() ? spring : nil,
                merchandise: fleet.trip == fleets[0].trip
                    ? [OrderedMerchandise(offer: patches, quantity: 1)] : [])
            guard let receipt = try? await loop.submit(order),
                case .bookingPlaced(let fact) = receipt.events[0].event
            else { continue }
            bookings.append((fact.booking, fleet, receipt.position))
            continue
        case (3, let booking?): command = ConfirmBooking(booking: booking.0, basis: .paidAtTheDock)
        case (4, let booking?):
            command = CancelBooking(booking: booking.0, reason: "fog", version: booking.2)
        case (5, let booking?):
            command = CheckInPassengers(
                booking: booking.0, sailing: booking.1.sailing, passengers: [1])
        case (6, let booking?):
            command = RevertCheckIn(booking: booking.0, sailing: booking.1.sailing, passengers: nil)
        case (7, _):
            command = ChangeTicketType(
                sailing: fleet.sailing, ticketType: fleet.adult,
                changes: [.price(Money(minorUnits: .random(in: 0...20_000)))])
        case (_, let booking?): command = AbandonBooking(booking: booking.0)
        }
        _ = try? await loop.submit(envelope([command]))
    }
}

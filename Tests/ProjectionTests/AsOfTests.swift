import Commands
import Domain
import EventLog
import Foundation
import JSON
import Operations
import Postgres
import ProjectionEngine
import Projections
import Synchronization
import Testing
import TestSupport

extension ShownRow {
    fileprivate var text: String {
        String(decoding: JSONWriter.write { $0.value(self) }, as: UTF8.self)
    }
}

/// The members of a JSON object by name, without what the two sides write in ways of their own: the engine's
/// position, and times.
private func canonical(_ text: String) throws -> String {
    guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    else { return "" }
    let members = object.filter { name, _ in
        !["position", "words", "deadline"].contains(name)
            && !["_at", "_from", "_until"].contains { name.hasSuffix($0) }
    }
    let data = try JSONSerialization.data(withJSONObject: members, options: .sortedKeys)
    return String(decoding: data, as: UTF8.self)
}

/// What was known when.
@Suite(.serialized) struct AsOfTests {
    @Test("shows at the head what the live read models show, thing by thing")
    func equalsLive() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                try await writeRandomHistory(loop)
                let head = try await loop.log.head()
                try await waitForProjections(database, toReach: head)
                let now = try await AsOf(.position(head), of: loop.log)
                for (table, key) in [
                    ("booking_by_code", "booking"), ("sailing_availability", "sailing"),
                    ("trip_on_sale", "trip"),
                ] {
                    let live = try await database.administer(
                        "SELECT \(key), position FROM reading.\(table) ORDER BY \(key)")
                    #expect(live.count > 2)
                    for row in 0..<live.count {
                        guard let entity = EntityID(live.text(row, 0)) else { continue }
                        let rows = try await shown(entity, now)
                        #expect(rows.contains { $0.readModel == table })
                        let stored = try await liveRows(about: entity, in: table, key, database)
                        let folded = try rows.filter { $0.readModel == table }
                            .map { try canonical($0.text) }
                        #expect(folded == stored)
                    }
                }
                for sailing in try await sailings(database) {
                    let live = try await database.administer(
                        """
                        SELECT count(*) FROM reading.manifest WHERE is_sold AND sailing = '\(sailing)'
                        """)
                    let sold = try #require(try await Manifest.sold(on: sailing, asOf: now))
                    #expect("\(sold.count)" == live.text(0, 0))
                    let names = sold.map { $0.lastName ?? "" }
                    #expect(names == names.sorted() && !names.contains(""))
                }
            }
        }
    }

    @Test("builds a whole read model as of a position, equal to what was live then")
    func buildsTables() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                try await writeRandomHistory(loop)
                let before = try await loop.log.head()
                try await waitForProjections(database, toReach: before)
                let live = try await liveTable(database)
                let fleet = SeaFleet(capacity: 40)
                _ = try await loop.submit(fleet.envelope)
                let placed = try await loop.submit(fleet.order(seats: 1))
                try await waitForProjections(database, toReach: placed.position)
                #expect(try await liveTable(database) != live)
                #expect(try await builtTable(database, upTo: before) == live)
                let left = try await database.administer(
                    "SELECT to_regclass('reading.manifest_as_of'), count(*) FROM reading.rebuild")
                #expect(left.isNull(0, 0) && left.text(0, 1) == "0")
            }
        }
    }

    @Test(
        "builds no more read models as of a moment at a time than may be, and again when one is done"
    )
    func limitsBuilds() async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, _ in
                try await writeRandomHistory(loop)
                let head = try await loop.log.head()
                let configuration = database.connections.rebuildable
                var held: [PostgresConnection] = []
                for number in 0..<TableAsOf.buildLimit {
                    let connection = try await PostgresConnection.connect(to: configuration)
                    #expect(try await Leadership.take("as_of.\(number)", on: connection))
                    held.append(connection)
                }
                let refused = await #expect(throws: RebuildError.self) {
                    _ = try await builtTable(database, upTo: head)
                }
                #expect(refused?.description.contains("which is the limit") ?? false)
                held.removeLast()
                try await eventually("a place is free again") {
                    (try? await builtTable(database, upTo: head)) != nil
                }
                withExtendedLifetime(held) {}
            }
        }
    }

    @Test("finds the position of a time, and knows nothing before the first event")
    func findsPositions() async throws {
        try await TestDatabase.with { database in
            try await withLoops(1, on: database) { loops in
                let fleet = SeaFleet(capacity: 100)
                _ = try await loops[0].submit(fleet.envelope)
                for _ in 0..<20 { _ = try await loops[0].submit(fleet.order(seats: 1)) }
                let log = loops[0].log
                let events = try await log.read(after: 0, limit: 1000)
                for event in events {
                    let position = try await log.position(at: event.recordedAt)
                    // Others of the same batch were recorded at the same time.
                    let last = events.last { $0.recordedAt == event.recordedAt }
                    #expect(position == last?.position)
                    #expect(try await log.position(at: event.recordedAt - 1) < event.position)
                }
                let first = events[0].recordedAt
                let dawn = try await AsOf(
                    .instant(Instant(microseconds: first - 1)), of: log)
                #expect(dawn.position == 0 && dawn.recordedAt == nil)
                let none = try await dawn.events(
                    of: [fleet.sailing.entity], for: AllReadModels.list)
                #expect(none.isEmpty)
            }
        }
    }

    @Test("says which events made the seats of a sailing what they are")
    func explains() async throws {
        try await TestDatabase.with { database in
            try await withLoops(1, on: database) { loops in
                let fleet = SeaFleet(capacity: 40)
                _ = try await loops[0].submit(fleet.envelope)
                let first = try await loops[0].submit(fleet.order(seats: 3))
                let fact = try first.placed
                let second = try await loops[0].submit(fleet.order(seats: 2)).position
                let abandoned = try await loops[0].submit(
                    envelope([AbandonBooking(booking: fact.booking)])
                ).position
                let now = try await AsOf(.position(.max), of: loops[0].log)
                let steps = try await SailingAvailability.explanation(of: fleet.sailing, asOf: now)
                #expect(steps.map(\.available) == [40, 37, 35, 38])
                #expect(steps.map(\.held) == [0, 3, 5, 2])
                #expect(Array(steps.map(\.position).suffix(2)) == [second, abandoned])
                #expect(steps[1].booking == fact.booking)
                let then = try await AsOf(.position(second), of: loops[0].log)
                let earlier = try await SailingAvailability.explanation(
                    of: fleet.sailing, asOf: then)
                #expect(earlier.map(\.available) == [40, 37, 35])
                // Its trip and its boat have all its events as well, and are no sailings.
                for other in [fleet.trip.entity, fleet.boat.entity] {
                    let steps = try await SailingAvailability.explanation(
                        of: SailingID(other), asOf: now)
                    #expect(steps.isEmpty)
                }
            }
        }
    }

    @Test(
        "reads moments as people write them",
        arguments: [
            ("0", Moment.position(0)), ("1900286", .position(1_900_286)),
            ("2026-11-20T18:05-05:00", .instant(Instant("2026-11-20T23:05:00Z")!)),
            ("2026-11-20T18:05:30Z", .instant(Instant("2026-11-20T18:05:30Z")!)),
        ])
    func readsMoments(text: String, moment: Moment) {
        #expect(Moment(text) == moment)
    }

    @Test("refuses what is no moment", arguments: ["", "-1", "yesterday", "2026-11-20T18:05"])
    func refusesMoments(text: String) {
        #expect(Moment(text) == nil)
    }

    // MARK: Fixtures

    private func shown(_ entity: EntityID, _ asOf: AsOf) async throws -> [ShownRow] {
        let events = try await asOf.events(of: [entity], for: AllReadModels.list).map(\.event)
        return AllReadModels.list.flatMap {
            ShownRow.rows(of: $0, about: entity, from: events, asOf: asOf)
        }
    }

    /// Each row as PostgreSQL shows it, without the engine's position.
    private func liveRows(
        about entity: EntityID, in table: String, _ key: String, _ database: TestDatabase
    ) async throws -> [String] {
        let rows = try await database.administer(
            "SELECT to_json(t) FROM reading.\(table) t WHERE \(key) = '\(entity)'")
        return try (0..<rows.count).map { try canonical(rows.text($0, 0)) }
    }

    private func sailings(_ database: TestDatabase) async throws -> [SailingID] {
        let rows = try await database.administer("SELECT sailing FROM reading.sailing_availability")
        return (0..<rows.count).compactMap { EntityID(rows.text($0, 0)).map { SailingID($0) } }
    }

    private func liveTable(_ database: TestDatabase) async throws -> String {
        let session = try await PostgresSession.connect(to: database.connections.administrative)
        try await session.beginCopyOut(
            """
            COPY (SELECT * FROM reading.manifest ORDER BY sailing, booking)
            TO STDOUT (FORMAT csv, HEADER)
            """)
        var text = ""
        while let rows = try await session.copied() {
            text += String(decoding: rows, as: UTF8.self)
        }
        return text
    }

    private func builtTable(_ database: TestDatabase, upTo position: Int64) async throws -> String {
        var text = ""
        try await TableAsOf.begin(
            Manifest.self, upTo: position, database.connections.rebuildable
        ).copyOut(as: .csv) { _ in
        } _: { rows in
            text += String(decoding: rows, as: UTF8.self)
        }
        return text
    }
}

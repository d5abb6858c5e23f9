import Commands
import EventCodec
import EventLog
@testable import Operations
import Postgres
import Publishing
import Testing
import TestSupport

/// What `verify` finds beside the chain of hashes: each alteration has to be found and placed.
@Suite(.serialized) struct VerifyTests {
    /// A statement that a superuser runs behind everybody's back, and what then is said.
    static let alterations: [(String, String)] = [
        (
            "UPDATE log.event_tag SET tag = gen_random_uuid() WHERE position = 7",
            "position 7: its tags"
        ),
        ("UPDATE log.event_tag SET type = 99 WHERE position = 7", "position 7: its tags"),
        ("DELETE FROM log.event_tag WHERE position = 7", "position 7: its tags"),
        (
            "INSERT INTO log.event_tag SELECT gen_random_uuid(), 7, type FROM log.event WHERE position = 7",
            "position 7: its tags"
        ),
        (
            "INSERT INTO log.event_tag VALUES (gen_random_uuid(), 1000000, 1)",
            "position 1000000: a tag of an event that does not exist"
        ),
        (
            "UPDATE reading.sailing_availability SET is_paused = NOT is_paused",
            "of sailing_availability is not what its events say"
        ),
        ("DELETE FROM reading.booking_search", "of booking_search is not what its events say"),
        ("DROP TABLE reading.manifest", "manifest can't be compared with the log"),
        (
            "UPDATE reading.projection SET position = 1000000 WHERE name = 'manifest'",
            "manifest is at position 1000000, and the log ends at"
        ),
        ("DELETE FROM log.identity", "the log has lost its id"),
        (
            "UPDATE log.event SET recorded_at = 'infinity' WHERE position = 7",
            "position 7: the hash does not fit"
        ),
    ]

    @Test("finds and places what was altered in tags and read models", arguments: alterations)
    func finds(statement: String, sentence: String) async throws {
        try await withHistory { database, _, _ in
            let verbs = try Verbs(
                Settings(["DATABASE_URL": database.connections.url]), logger: quiet)
            #expect(try await verbs.findings().faults.isEmpty)
            try await database.administer("SET session_replication_role = replica; \(statement)")
            let faults = try await verbs.findings().faults
            #expect(faults.contains { $0.contains(sentence) }, "\(faults)")
        }
    }

    @Test(
        "compares read models where they are when nobody brings them up to date, and names one that stands still"
    )
    func comparesWhatLags() async throws {
        try await TestDatabase.with { database in
            let fleet = SeaFleet(capacity: 100)
            try await withProjector(on: database) { loop, _ in
                _ = try await loop.submit(fleet.envelope)
                try await waitForProjections(database, toReach: try await loop.log.head())
            }
            try await withLoops(1, on: database) { loops in
                for _ in 0..<3 { _ = try await loops[0].submit(fleet.order(seats: 1)) }
            }
            let verbs = try Verbs(
                Settings(["DATABASE_URL": database.connections.url]), logger: quiet)
            var request = VerifyRequest()
            request.isOfScratch = true
            let (faults, findings) = try await verbs.findings(request)
            #expect(faults.isEmpty, "\(faults)")
            #expect(findings.contains("10 read models are what a fresh fold of the log makes"))
            // Of a system at work it would have to be known that nobody brings them up to date.
            let lagging = try await verbs.findings().faults
            #expect(lagging.count == 10)
            #expect(lagging.allSatisfy { $0.contains("can't be compared with the log") })
            try await database.administer(
                """
                UPDATE reading.projection SET stopped_at_position = position + 1,
                    stopped_because = 'a test' WHERE name = 'manifest'
                """)
            let stopped = try await verbs.findings(request).faults
            #expect(stopped.count == 1 && stopped[0].contains("manifest stands still"))
        }
    }

    @Test("removes what an interrupted check has left, and nothing else")
    func sweeps() async throws {
        try await withHistory { database, _, _ in
            try await database.administer(
                """
                SET ROLE quartermaster_application;
                CREATE TABLE reading.manifest_check (key int);
                CREATE TABLE reading.manifest_building (key int);
                INSERT INTO reading.rebuild (name, version, position, wanted, started_at, updated_at)
                SELECT name, 1, 5, 'run', now(), now() FROM unnest(ARRAY['manifest_check', 'manifest']) name
                """)
            let verbs = try Verbs(
                Settings(["DATABASE_URL": database.connections.url]), logger: quiet)
            #expect(try await verbs.findings().faults.isEmpty)
            let left = try await database.administer(
                """
                SELECT to_regclass('reading.manifest_check'), to_regclass('reading.manifest_building'),
                    (SELECT string_agg(name, ' ') FROM reading.rebuild)
                """)
            #expect(left.isNull(0, 0) && !left.isNull(0, 1) && left.text(0, 2) == "manifest")
        }
    }

    @Test("holds the stream EVENTS against the log")
    func comparesEvents() async throws {
        try await withHistory { database, log, natsURL in
            let head = try await log.head()
            let events = try await log.read(after: 0, limit: 1000)
            func faults(_ change: (inout [LoggedEvent]) -> Void) async throws -> [Int64] {
                var changed = events
                change(&changed)
                var published = try await PublishedEvents(log, busURL: natsURL, logger: quiet)
                while published.head < head {
                    try await Task.sleep(for: .milliseconds(20))
                    published = try await PublishedEvents(log, busURL: natsURL, logger: quiet)
                }
                return try await published.faults(in: changed).map(\.position)
            }
            #expect(try await faults { _ in }.isEmpty)
            #expect(try await faults { $0[4].data[3] ^= 1 } == [5])
            #expect(try await faults { $0[4].recordedAt += 1 } == [5])
            #expect(try await faults { $0[4].type = 1 } == [5])
            #expect(try await faults { $0.remove(at: 0) } == [2])
            // What was cut off at its end with all that belongs to it is in the stream still.
            try await database.administer(
                """
                SET session_replication_role = replica;
                DELETE FROM log.event WHERE position = \(head);
                DELETE FROM log.event_tag WHERE position = \(head)
                """)
            let verbs = try Verbs(
                Settings(["DATABASE_URL": database.connections.url, "NATS_URL": natsURL]),
                logger: quiet)
            let found = try await verbs.findings().faults
            #expect(found.contains { $0.hasPrefix("position \(head): the stream EVENTS goes on") })
        }
    }

    private func withHistory(
        _ body: (TestDatabase, EventLog, String) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            try await withProjector(on: database) { loop, natsURL in
                let fleet = SeaFleet(capacity: 40)
                _ = try await loop.submit(fleet.envelope)
                for _ in 0..<5 { _ = try await loop.submit(fleet.order(seats: 1)) }
                try await waitForProjections(database, toReach: try await loop.log.head())
                try await body(database, loop.log, natsURL)
            }
        }
    }
}

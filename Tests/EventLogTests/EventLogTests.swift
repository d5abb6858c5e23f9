import EventLog
import Operations
import Postgres
import Testing
import TestSupport

/// A command of one event, resting on what the test says.
func command(
    _ id: PostgresUUID, tags: [PostgresUUID], type: Int16 = 1, conditions: [ConditionItem] = [],
    data: String = "{}", hash: UInt8 = 0
) -> AppendCommand {
    AppendCommand(
        id: id, requestHash: [hash], correlationID: id, causationPosition: nil, actor: "test",
        events: [NewEvent(type: type, schemaVersion: 1, data: Array(data.utf8), tags: tags)],
        conditions: conditions)
}

func uuid(_ number: UInt64) -> PostgresUUID { PostgresUUID(high: 7, low: number) }

func randomID() -> PostgresUUID {
    PostgresUUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
}

@Suite struct EventLogTests {
    @Test("gives positions without holes, and finds events by tag and type")
    func appendsAndReads() async throws {
        try await TestDatabase.with { database in
            let log = database.connections.log()
            let first = try await log.append([
                command(uuid(1), tags: [uuid(10), uuid(11)], type: 1, data: #"{"a": 1}"#),
                command(uuid(2), tags: [uuid(11)], type: 2),
            ])
            #expect(first.outcomes == [.appended(1...1), .appended(2...2)])
            let both = try await log.read(QueryItem(types: [], tags: [uuid(11)]))
            #expect(both.events.map(\.position) == [1, 2])
            #expect(both.completeTo == 2)
            let one = try await log.read(QueryItem(types: [2], tags: [uuid(11)]))
            #expect(one.events.map(\.position) == [2])
            let pair = try await log.read(QueryItem(types: [], tags: [uuid(11), uuid(10)]))
            #expect(pair.events.map(\.position) == [1])
            #expect(String(decoding: pair.events[0].data, as: UTF8.self) == #"{"a": 1}"#)
            #expect(try await log.head() == 2)
        }
    }

    @Test("refuses what rests on a world that has moved on, and nothing else")
    func checksConditions() async throws {
        try await TestDatabase.with { database in
            let log = database.connections.log()
            _ = try await log.append([command(uuid(1), tags: [uuid(10)], type: 1)])
            func attempt(_ id: UInt64, _ types: Set<Int16>, _ tags: [PostgresUUID], after: Int64)
                async throws -> AppendOutcome
            {
                let item = ConditionItem(item: QueryItem(types: types, tags: tags), after: after)
                return try await log.append([
                    command(uuid(id), tags: [uuid(99)], conditions: [item])
                ]).outcomes[0]
            }
            #expect(try await attempt(2, [1], [uuid(10)], after: 0) == .conflict)
            #expect(try await attempt(3, [], [uuid(10)], after: 0) == .conflict)
            #expect(try await attempt(4, [2], [uuid(10)], after: 0) == .appended(2...2))
            #expect(try await attempt(5, [1], [uuid(10)], after: 1) == .appended(3...3))
            #expect(try await attempt(6, [1], [uuid(10), uuid(11)], after: 0) == .appended(4...4))
            #expect(try await attempt(7, [1], [], after: 0) == .conflict)
        }
    }

    @Test("takes a command once, answers a repeat the same, and refuses its key to others")
    func deduplicates() async throws {
        try await TestDatabase.with { database in
            let log = database.connections.log()
            let first = command(uuid(1), tags: [uuid(10)])
            #expect(try await log.append([first]).outcomes == [.appended(1...1)])
            let later = try await log.append(
                [
                    first, command(uuid(2), tags: [uuid(11)]),
                    command(uuid(1), tags: [uuid(10)], hash: 9),
                ].prefix(2).map { $0 })
            #expect(later.outcomes == [.duplicate(1...1), .appended(2...2)])
            let reused = try await log.append([command(uuid(1), tags: [uuid(10)], hash: 9)])
            #expect(reused.outcomes == [.keyReused])
            #expect(try await log.head() == 2)
        }
    }

    @Test("tells the positions of commands of several events, whether or not all are appended")
    func appendsSeveralEvents() async throws {
        try await TestDatabase.with { database in
            let log = database.connections.log()
            func events(_ count: Int, _ id: UInt64, after: Int64 = 0) -> AppendCommand {
                let item = QueryItem(types: [], tags: [uuid(10 * id)])
                var command = command(
                    uuid(id), tags: [uuid(10 * id)],
                    conditions: [ConditionItem(item: item, after: after)])
                command.events = Array(repeating: command.events[0], count: count)
                return command
            }
            let first = try await log.append([events(3, 1), events(1, 2), events(2, 3)])
            #expect(first.outcomes == [.appended(1...3), .appended(4...4), .appended(5...6)])
            let second = try await log.append([
                events(2, 4), events(3, 1), events(2, 5), events(1, 6, after: 6),
            ])
            #expect(
                second.outcomes == [
                    .appended(7...8), .duplicate(1...3), .appended(9...10), .appended(11...11),
                ])
            let again = try await log.append([events(2, 5), events(2, 7)])
            #expect(again.outcomes == [.duplicate(9...10), .appended(12...13)])
            let known = try await log.commands([uuid(3), uuid(4), uuid(99)])
            #expect(known[uuid(3)]?.positions == 5...6)
            #expect(known[uuid(4)]?.positions == 7...8)
            #expect(known[uuid(99)] == nil)
            #expect(try await log.verify().faults.isEmpty)
        }
    }

    @Test("lets a refused command take down those that rest on it, and no others")
    func poisons() async throws {
        try await TestDatabase.with { database in
            let log = database.connections.log()
            _ = try await log.append([command(uuid(1), tags: [uuid(10)])])
            func rests(on tag: UInt64, after: Int64) -> [ConditionItem] {
                [ConditionItem(item: QueryItem(types: [], tags: [uuid(tag)]), after: after)]
            }
            let outcomes = try await log.append([
                command(uuid(2), tags: [uuid(20)], conditions: rests(on: 10, after: 0)),
                command(uuid(3), tags: [uuid(30)], conditions: rests(on: 20, after: 1)),
                command(uuid(4), tags: [uuid(40)], conditions: rests(on: 50, after: 1)),
            ]).outcomes
            #expect(outcomes == [.conflict, .conflict, .appended(2...2)])
        }
    }

    @Test("keeps every promise under random interleavings of several appenders")
    func survivesInterleavings() async throws {
        try await TestDatabase.with { database in
            let tags = (0..<4).map { uuid(100 + $0) }
            let reader = database.connections.log(1)
            // It has its connection before anything is appended.
            _ = try await reader.head()
            let reading = Task { try await readAlong(reader) }
            let (accepted, conflicts) = try await appendAtRandom(to: database, tags)
            let log = database.connections.log()
            reading.cancel()
            #expect(conflicts > 0, "nobody was in anybody's way")
            let events = try await log.read(after: 0, limit: 10_000)
            #expect(events.map(\.position) == Array(1...Int64(events.count)))
            #expect(events.count == accepted.count)
            let (read, looks) = try await reading.value
            #expect(
                read == Array(1...Int64(read.count)), "commits are not in the order of positions")
            #expect(looks > 2, "nothing was read meanwhile")
            #expect(try await violations(of: accepted, in: log) == 0)
            let (head, faults) = try await log.verify()
            #expect(head == Int64(events.count))
            #expect(faults.isEmpty)
        }
    }

    @Test("violates conditions once nothing checks them: what is tested is the guard")
    func violatesWithoutGuard() async throws {
        try await TestDatabase.with { database in
            try await database.administer(guardOff)
            let tags = (0..<4).map { uuid(100 + $0) }
            let (accepted, conflicts) = try await appendAtRandom(to: database, tags)
            #expect(conflicts == 0)
            #expect(try await violations(of: accepted, in: database.connections.log()) > 0)
        }
    }

    private typealias Accepted = (position: Int64, after: Int64, tag: PostgresUUID)

    /// Four appenders at the same time; what was accepted, and how often somebody was too late.
    private func appendAtRandom(
        to database: TestDatabase, _ tags: [PostgresUUID]
    ) async throws -> (accepted: [Accepted], conflicts: Int) {
        try await withThrowingTaskGroup(of: (accepted: [Accepted], conflicts: Int).self) { group in
            for _ in 0..<4 {
                let log = database.connections.log(1)
                group.addTask { try await appendAtRandom(log, tags) }
            }
            return try await group.reduce(into: ([], 0)) {
                $0.accepted += $1.accepted
                $0.conflicts += $1.conflicts
            }
        }
    }

    /// How many were accepted though something that they did not know of had appeared.
    private func violations(of accepted: [Accepted], in log: EventLog) async throws -> Int {
        var count = 0
        for (position, after, tag) in accepted {
            let found = try await log.read(QueryItem(types: [], tags: [tag]), after: after)
            if found.events.first?.position != position { count += 1 }
        }
        return count
    }

    /// Reads on until it is cancelled: the positions in the order in which they came, and how often there was something new.
    private func readAlong(_ log: EventLog) async throws -> (positions: [Int64], looks: Int) {
        var (positions, looks): ([Int64], Int) = ([], 0)
        while !Task.isCancelled {
            let more = try await log.read(after: positions.last ?? 0, limit: 1000).map(\.position)
            positions += more
            if !more.isEmpty { looks += 1 }
        }
        return (positions, looks)
    }

    /// Appends commands that each rest on one tag; returns those accepted, with what they rested on.
    private func appendAtRandom(
        _ log: EventLog, _ tags: [PostgresUUID]
    ) async throws -> (accepted: [Accepted], conflicts: Int) {
        var (accepted, conflicts): ([Accepted], Int) = ([], 0)
        for _ in 0..<60 {
            var wanted: [(AppendCommand, Int64, PostgresUUID)] = []
            for tag in tags.shuffled().prefix(Int.random(in: 1...3)) {
                let after = try await log.read(QueryItem(types: [], tags: [tag])).completeTo
                let item = ConditionItem(item: QueryItem(types: [], tags: [tag]), after: after)
                wanted.append((command(randomID(), tags: [tag], conditions: [item]), after, tag))
            }
            let outcomes = try await log.append(wanted.map(\.0)).outcomes
            for (want, outcome) in zip(wanted, outcomes) {
                switch outcome {
                case .appended(let positions):
                    accepted.append((positions.lowerBound, want.1, want.2))
                case .conflict: conflicts += 1
                case .duplicate, .keyReused: Issue.record("\(outcome)")
                }
            }
        }
        return (accepted, conflicts)
    }
}

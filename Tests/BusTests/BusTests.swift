import Logging
import Testing
import TestServers

@testable import Bus

@Suite struct BusTests {
    private func connect() async throws -> BusConnection {
        try await BusConnection.connect(
            to: try await TestServers.shared.natsURL(), logger: Logger(label: "test"))
    }

    private func messages(_ numbers: ClosedRange<Int>, to subject: String) -> [BusMessage] {
        numbers.map {
            BusMessage(
                subject: subject, headers: [("Number", String($0))], payload: Array("m\($0)".utf8))
        }
    }

    @Test("gives messages the sequences after the one expected, from the very first")
    func publishesInSequence() async throws {
        let bus = try await connect()
        let state = try await bus.makeStream(.init(name: "SEQUENCE", subjects: ["sequence"]))
        #expect(state.lastSequence == 0)
        try await bus.publish(messages(1...700, to: "sequence"), after: 0)
        try await bus.publish(messages(701...1000, to: "sequence"), after: 700)
        #expect(try await bus.state(ofStream: "SEQUENCE").lastSequence == 1000)
        for sequence in [1, 700, 701, 1000] {
            let message = try await bus.message(at: sequence, ofStream: "SEQUENCE")
            #expect(message.header("Number") == String(sequence))
        }
    }

    @Test("refuses a publisher that is behind, also on the first message")
    func refusesStalePublishers() async throws {
        let bus = try await connect()
        _ = try await bus.makeStream(.init(name: "STALE", subjects: ["stale"]))
        try await bus.publish(messages(1...3, to: "stale"), after: 0)
        for expected in [0, 2] {
            let error = await #expect(throws: BusError.self) {
                try await bus.publish(messages(9...9, to: "stale"), after: expected)
            }
            #expect(error?.kind == .wrongLastSequence)
        }
        #expect(try await bus.state(ofStream: "STALE").lastSequence == 3)
    }

    @Test("keeps the last message of each subject where that is asked for")
    func keepsLastPerSubject() async throws {
        let bus = try await connect()
        _ = try await bus.makeStream(
            .init(name: "LAST", subjects: ["last.>"], messagesPerSubjectLimit: 1))
        try await bus.publish(
            messages(1...2, to: "last.a") + messages(3...3, to: "last.b"), after: 0)
        let state = try await bus.state(ofStream: "LAST")
        #expect(state.messageCount == 2)
        #expect(state.lastSequence == 3)
    }

    @Test("tells that there is no such stream or message")
    func tellsWhatIsMissing() async throws {
        let bus = try await connect()
        let stream = await #expect(throws: BusError.self) { try await bus.state(ofStream: "NONE") }
        #expect(stream?.kind == .notFound)
        _ = try await bus.makeStream(.init(name: "EMPTY", subjects: ["empty"]))
        let message = await #expect(throws: BusError.self) {
            try await bus.message(at: 1, ofStream: "EMPTY")
        }
        #expect(message?.kind == .notFound)
    }

    @Test("pulls every message once, in order, and goes on where a durable consumer stood")
    func pulls() async throws {
        let bus = try await connect()
        _ = try await bus.makeStream(.init(name: "PULL", subjects: ["pull"]))
        try await bus.publish(messages(1...50, to: "pull"), after: 0)
        var seen: [Int] = []
        for limit in [20, 100] {
            let consumer = try await StreamConsumer(
                of: "PULL", subject: "pull", durable: "reader", on: bus)
            for delivery in try await consumer.fetch(limit: limit, waitMilliseconds: 500) {
                seen.append(delivery.sequence)
                consumer.acknowledge(delivery)
            }
        }
        #expect(seen == Array(1...50))
    }

    @Test("delivers plain messages with wildcards and headers until the reader stops")
    func subscribes() async throws {
        let bus = try await connect()
        let stream = try bus.messages(of: "plain.*")
        let sender = try await connect()
        // The subscription is made when the server has answered something sent after it.
        _ = try? await bus.state(ofStream: "NONE")
        try sender.send(BusMessage(subject: "plain.one", headers: [("A", "1")], payload: [1]))
        var messages = stream.makeAsyncIterator()
        let message = try #require(await messages.next())
        #expect(message.subject == "plain.one")
        #expect(message.header("A") == "1")
        #expect(message.payload == [1])
    }

    @Test("says that nobody is there when the server can't be reached")
    func reportsUnreachableServer() async throws {
        let error = await #expect(throws: BusError.self) {
            try await BusConnection.connect(
                to: "nats://127.0.0.1:1", logger: Logger(label: "test"))
        }
        #expect(error?.kind == .unreachable)
    }
}

import NIOConcurrencyHelpers
import Testing
import TestServers

@testable import Postgres

@Suite struct PostgresSessionTests {
    private func session() async throws -> PostgresSession {
        try await PostgresSession.connect(
            to: PostgresConfiguration(url: try await TestServers.shared.postgresURL()))
    }

    @Test("lets nobody of the machine's other users into a cluster of our own")
    func asksForPassword() async throws {
        let url = try await TestServers.shared.postgresURL()
        let open = url.replacing(/:[0-9a-f]{64}@/, with: "@")
        #expect(open != url)
        let error = await #expect(throws: PostgresError.self) {
            _ = try await PostgresSession.connect(to: PostgresConfiguration(url: open))
        }
        #expect(error?.description.contains("no password supplied") ?? false)
    }

    @Test("copies rows in and out in the binary format")
    func copies() async throws {
        let session = try await session()
        try await session.execute("CREATE TEMP TABLE launch (number int8, name text)")
        var rows = PostgresFields()
        for number in 1...20_000 {
            rows.append(Int64(number))
            rows.append(number % 2 == 0 ? nil : "Starship \(number)")
        }
        let taken = try await session.copyIn(
            "COPY launch (number, name) FROM STDIN (FORMAT binary)", columnCount: 2, rows)
        #expect(taken == 20_000)
        let counted = try await session.execute("SELECT count(*), count(name) FROM launch")
        #expect(counted.text(0, 0) == "20000")
        #expect(counted.text(0, 1) == "10000")
        try await session.beginCopyOut("COPY launch TO STDOUT (FORMAT csv)")
        var lines: [Substring] = []
        while let rows = try await session.copied(1000) {
            // Whole rows, and a few at a time.
            #expect(rows.last == UInt8(ascii: "\n") && rows.count < 1100)
            lines += String(decoding: rows, as: UTF8.self).split(separator: "\n")
        }
        #expect(lines.count == 20_000 && lines[19_998] == "19999,Starship 19999")
        #expect(try await session.execute("SELECT 1").count == 1)
    }

    @Test("takes no row when one is wrong, and can be used again")
    func refusesBadCopies() async throws {
        let session = try await session()
        try await session.execute("CREATE TEMP TABLE pad (number int8 CONSTRAINT pad_key UNIQUE)")
        var fields = PostgresFields()
        for _ in 0..<2 { fields.append(Int64(1)) }
        let rows = fields
        let error = await #expect(throws: PostgresError.self) {
            try await session.copyIn("COPY pad FROM STDIN (FORMAT binary)", columnCount: 1, rows)
        }
        #expect(error?.kind == .uniqueViolation(constraint: "pad_key"))
        #expect(try await session.execute("SELECT count(*) FROM pad").text(0, 0) == "0")
    }

    @Test("hears what is notified on its channel")
    func listens() async throws {
        let listener = try await session()
        let heard = AsyncStream.makeStream(of: Void.self)
        let listening = Task {
            try await listener.listen(to: "rocket") { _ in heard.continuation.yield() }
        }
        var iterator = heard.stream.makeAsyncIterator()
        await iterator.next()  // It is listening now.
        try await session().execute("NOTIFY rocket")
        await iterator.next()
        listening.cancel()
        _ = await listening.result
    }

    @Test("runs a script as one transaction")
    func runsScripts() async throws {
        let session = try await session()
        await #expect(throws: PostgresError.self) {
            try await session.execute("CREATE TEMP TABLE tower (n int); SELECT 1 / 0;")
        }
        let rows = try await session.execute("SELECT to_regclass('tower') IS NULL")
        #expect(rows.text(0, 0) == "t")
    }
}

import Logging
import Testing
import TestServers

@testable import Postgres

@Suite struct PostgresClientTests {
    @Test("connects anew after a link has broken")
    func reconnects() async throws {
        let client = PostgresClient(
            PostgresConfiguration(url: try await TestServers.shared.postgresURL()),
            connectionCount: 1, logger: Logger(label: "test"))
        let pid = try await client.run("SELECT pg_backend_pid()").integer(0, 0)
        await #expect(throws: PostgresError.self) {
            try await client.run("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(1)")
        }
        let next = try await client.run("SELECT pg_backend_pid()").integer(0, 0)
        #expect(next != pid)
        await client.close()
    }

    @Test("fails at once, and not after a timeout, while the server is known to be away")
    func failsFast() async throws {
        let client = PostgresClient(
            PostgresConfiguration(url: "postgresql://postgres@127.0.0.1:1/postgres"),
            connectionCount: 2, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for _ in 0..<20 {
            let error = await #expect(throws: PostgresError.self) {
                try await client.run("SELECT 1")
            }
            #expect(error?.kind == .unreachable)
        }
    }

    @Test("waits longer after each failure, up to the limit, and not always the same")
    func backsOff() {
        let waits = (1...20).map {
            Backoff.wait(after: $0, from: .milliseconds(50), to: .seconds(1))
        }
        #expect(waits.allSatisfy { $0 <= .seconds(1) })
        #expect(waits[0] <= .milliseconds(50))
        #expect(waits[10...].allSatisfy { $0 >= .milliseconds(500) })
        #expect(Set(waits[10...]).count > 1)
    }
}

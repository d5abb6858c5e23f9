import Postgres
import TestSupport
import Testing

extension OutputTests {
    /// What was altered behind the program's back, in the log and in what was exported of it.
    func showsAlterations(
        _ server: ServerProcess, _ session: PostgresSession,
        _ show: Show
    ) async throws {
        let log = server.folder + "/altered.ndjson.zst"
        let seal = server.folder + "/altered-seal.json"
        #expect(try await server.run(["seal", seal]).isSuccess)
        try await session.execute(
            """
            UPDATE log.event SET actor = 'nobody' WHERE position = 3;
            DELETE FROM log.event_tag WHERE position = 4
            """)
        try await show("verify-altered", "verify --log-only", [:])
        // Somebody who knows how makes all hashes anew.
        try await session.execute(
            """
            UPDATE log.event SET hash = sha256(hash)
            WHERE position = (SELECT max(position) FROM log.event)
            """)
        try await show("verify-altered-against", "verify --log-only --against \(seal)", [:])
        #expect(try await server.run(["export", log]).isSuccess)
        try await show("verify-archive-altered", "verify --archive \(log)", [:])
    }
}

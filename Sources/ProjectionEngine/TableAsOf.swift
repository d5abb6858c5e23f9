public import EventLog
internal import Logging
public import Postgres

/// A whole read model as of a position: built from the first event, read, and thrown away.
public struct TableAsOf: Sendable {
    /// How many may be built at the same time.
    public static let buildLimit = 2

    private let log: EventLog
    private let configuration: PostgresConfiguration

    public init(_ log: EventLog, configuration: PostgresConfiguration) {
        self.log = log
        self.configuration = configuration
    }

    /// Builds it up to `position` and lends its rows as CSV (RFC 4180), a header first, in the order of keys.
    ///
    /// `progress` hears positions. Throws ``RebuildError`` when as many as may be are being built, or the same.
    public func copyOut<Model: ReadModel>(
        _ model: Model.Type, upTo position: Int64, progress: @Sendable (Int64) -> Void,
        _ body: @Sendable (UnsafeRawBufferPointer) -> Void
    ) async throws {
        var configuration = configuration
        configuration.statementTimeout = .zero
        let slot = try await PostgresConnection.connect(to: configuration)
        var hasSlot = false
        for number in 0..<Self.buildLimit where !hasSlot {
            hasSlot = try await Leadership.take("as_of.\(number)", on: slot)
        }
        guard hasSlot else {
            throw RebuildError(
                description:
                    "\(Self.buildLimit) read models as of a moment are being built, which is the limit"
            )
        }
        let client = PostgresClient(
            configuration, connectionCount: 1, logger: Logger(label: "quartermaster.as-of"))
        do {
            let table = ReadModelTable<Model>(.asOf)
            let builder = try await TableBuilder.begin(table, client, upTo: position)
            let scan = EventScan(log, keysOf: log, for: [model])
            try await scan.pages(after: await builder.position, upTo: position) { page in
                try await builder.take(page)
                progress(page.end)
                return true
            }
            try await builder.write()
            let session = try await PostgresSession.connect(to: configuration)
            try await session.copyOut(table.copyOut, body)
            try await builder.discard()
            await client.close()
        } catch {
            await client.close()
            throw error
        }
    }
}

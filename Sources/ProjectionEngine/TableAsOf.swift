internal import EventLog
internal import Logging
public import Postgres

/// How rows leave a table.
public enum RowFormat: Sendable {
    /// RFC 4180, a line with names first.
    case csv
    /// One object a row, each with the end of its line.
    case json
}

/// A whole read model as of a position: built from the first event, read, and thrown away.
public struct TableAsOf: Sendable {
    /// How many may be built at the same time.
    public static let buildLimit = 2

    private typealias Progress = (Int64) async throws -> Void
    private typealias Body = ([UInt8]) async throws -> Void
    private let run: @Sendable (RowFormat, Progress, Body) async throws -> Void

    /// Takes one of the places that there are. `configuration` must be of somebody who may build read models.
    ///
    /// Throws ``RebuildError`` when as many as may be are being built, or the same.
    public static func begin<Model: ReadModel>(
        _ model: Model.Type, upTo position: Int64, _ configuration: PostgresConfiguration
    ) async throws -> TableAsOf {
        var configuration = configuration
        configuration.statementTimeout = .zero
        let client = PostgresClient(
            configuration, connectionCount: 2, logger: Logger(label: "quartermaster.as-of"))
        do {
            try await RebuildControl.sweep(client)
            let slot = try await place(configuration)
            let table = ReadModelTable<Model>(.asOf)
            let builder = try await TableBuilder.begin(table, client, upTo: position)
            return TableAsOf(model, builder, client, slot, upTo: position)
        } catch {
            await client.close()
            throw error
        }
    }

    /// Held by its connection.
    private static func place(
        _ configuration: PostgresConfiguration
    ) async throws -> PostgresConnection {
        let slot = try await PostgresConnection.connect(to: configuration)
        for number in 0..<buildLimit where try await Leadership.take("as_of.\(number)", on: slot) {
            return slot
        }
        throw RebuildError(
            description:
                "\(buildLimit) read models as of a moment are being built, which is the limit")
    }

    private init<Model: ReadModel>(
        _ model: Model.Type, _ builder: TableBuilder<Model>, _ client: PostgresClient,
        _ slot: PostgresConnection, upTo position: Int64
    ) {
        run = { format, progress, body in
            defer { withExtendedLifetime(slot) {} }
            do {
                let log = EventLog(client)
                let scan = EventScan(log, keysOf: log, for: [model])
                try await scan.pages(after: await builder.position, upTo: position) { page in
                    try await builder.take(page)
                    try await progress(page.end)
                    return true
                }
                try await builder.write()
                let session = try await PostgresSession.connect(to: client.configuration)
                try await session.beginCopyOut(builder.table.copyOut(as: format))
                while let rows = try await session.copied() { try await body(rows) }
                try await builder.discard()
            } catch {
                try? await builder.discard()
                await client.close()
                throw error
            }
            await client.close()
        }
    }

    /// Builds it and gives `body` its rows, some at a time and whole, in the order of keys; `progress` hears positions.
    public func copyOut(
        as format: RowFormat, progress: (Int64) async throws -> Void,
        _ body: ([UInt8]) async throws -> Void
    ) async throws {
        try await run(format, progress, body)
    }
}

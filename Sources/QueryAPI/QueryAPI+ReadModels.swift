internal import Domain
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Web

/// Whole read models as of a moment, which nobody has: each is built from the first event on, sent, and thrown away.
///
/// A JSON object a line (<https://github.com/ndjson/ndjson-spec>): how far the reading has come, then the rows, then
/// how many they were, so that an answer that was cut off is seen to be.
extension QueryAPI {
    private static let progressInterval = Duration.milliseconds(500)

    var readModelOperations: [Operation] {
        [
            Operation(
                "exportReadModel", .get, "/v1/exports/read-models/{readModel}", for: .books,
                isStream: true
            ) { request, context in
                try await readModel(request, context)
            }
        ]
    }

    private func readModel(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.allowQuery(only: "as-of", "min-position")
        _ = try await reached(request)
        let name = context.parameters.get("readModel")
        guard let model = AllReadModels.list.first(where: { $0.name == name }) else {
            throw Problem.notFound("read model")
        }
        guard let moment = try await asOf(request) else {
            throw Problem.malformed(field: "as-of", "must be there: a position, or a time")
        }
        let end = moment.position
        let build: TableAsOf
        do {
            build = try await TableAsOf.begin(model, upTo: end, building)
        } catch let error as RebuildError {
            throw Problem.unavailable(error.description)
        } catch is PostgresError {
            throw Problem.unavailable("the log can't be read now")
        }
        let body = ResponseBody { writer in
            var told: ContinuousClock.Instant?
            var rowCount = 0
            try await build.copyOut(as: .json) { position in
                if let told, .now - told < Self.progressInterval, position < end { return }
                told = .now
                try await writer.write(line("{\"reading\":\(position),\"of\":\(end)}"))
            } _: { rows in
                var lines = ByteBuffer()
                for row in rows.split(separator: UInt8(ascii: "\n")) {
                    lines.writeString("{\"row\":")
                    lines.writeBytes(row)
                    lines.writeString("}\n")
                    rowCount += 1
                }
                try await writer.write(lines)
            }
            try await writer.write(line("{\"rows\":\(rowCount)}"))
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/x-ndjson", .position: String(end),
            ], body: body)
    }
}

private func line(_ text: String) -> ByteBuffer { ByteBuffer(string: text + "\n") }

internal import Domain
internal import EventLog
internal import Hummingbird
internal import JSON
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Web

/// Answers as of a moment: from the log, whatever the read models have come to.
extension QueryAPI {
    var asOfOperations: [Operation] {
        [
            Operation("showEntity", .get, "/v1/entities/{entity}", for: .books) {
                request, context in
                try await entity(request, context)
            }
        ]
    }

    /// What every read model has about one thing, now or as of a moment.
    private func entity(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.allowQuery(only: "as-of", "min-position")
        _ = try await reached(request)
        guard let entity = context.parameters.get("entity").flatMap({ EntityID($0) }) else {
            throw Problem.notFound("entity")
        }
        let named = try await asOf(request)
        let (moment, events) = try await lookingBack {
            let moment =
                if let named { named } else {
                    try await AsOf(.position(.max), of: EventLog(client))
                }
            return (
                moment,
                try await moment.events(of: [entity], for: AllReadModels.list).map(\.event)
            )
        }
        let rows = AllReadModels.list.flatMap {
            ShownRow.rows(of: $0, about: entity, from: events, asOf: moment)
        }
        guard !rows.isEmpty else { throw Problem.notFound("entity").at(moment.position) }
        return answer(position: moment.position) { json in
            json.field("rows", rows) { json, row in
                json.object { json in
                    json.field("readModel", row.readModel)
                    json.name("row")
                    json.value(row)
                }
            }
        }
    }

    /// The moment that a request names; nil when it is about now. Only staff look back.
    func asOf(_ request: Request) async throws -> AsOf? {
        guard let text = try request.query("as-of") else { return nil }
        try Caller.current.require(.crew)
        guard let moment = Moment(text) else {
            throw Problem.malformed(
                field: "as-of",
                "must be a position, or a time with its zone, such as 2026-11-22T17:30:00Z")
        }
        return try await lookingBack { try await AsOf(moment, of: EventLog(client)) }
    }

    /// Turns what can go wrong with looking back into problems.
    func lookingBack<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch let error as AsOfError {
            throw Problem(
                "too-long-ago", .unprocessableContent, "Too much to look back over",
                detail: error.description)
        } catch is PostgresError {
            throw Problem.unavailable("the log can't be read now")
        }
    }
}

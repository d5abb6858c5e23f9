internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Postgres
internal import Projections
internal import Web

/// What the office has to choose from.
extension QueryAPI {
    private static let nameLimit = 200

    var catalogueOperations: [Operation] {
        [
            Operation("listCatalogue", .get, "/v1/catalogue/{kind}", for: .desk) {
                request, context in
                try await catalogue(request, context)
            }
        ]
    }

    private func catalogue(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.allowQuery(only: "parent", "name", "limit", "cursor", "min-position")
        guard let kind = context.parameters.get("kind").flatMap(CatalogueEntries.Kind.init) else {
            throw Problem.notFound("kind")
        }
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageLimit
        let text = try request.text("name")
        guard text?.unicodeScalars.count ?? 0 <= Self.nameLimit else {
            throw Problem.malformed(field: "name", "must be at most \(Self.nameLimit) characters")
        }
        let parent = try request.id("parent", CatalogueEntries.Row.self)
        let after = try Cursor(request.query("cursor")).map { cursor throws(Problem) in
            (name: try cursor.string(), entity: cursor.id)
        }
        let (position, rows) = try await read(
            request, from: [CatalogueEntries.self],
            [
                CatalogueEntries.all(
                    kind, of: parent?.entity, named: text, after: after,
                    limit: limit + 1)
            ])
        let found = CatalogueEntries.entries(rows[0])
        let entries = found.prefix(limit)
        let next = found.count > limit ? entries.last.map { Cursor($0.row.name, $0.entity) } : nil
        return answer(position: position) { json in
            json.field("entries", entries) { json, entry in json.object { $0.write(entry) } }
            json.field("next", next?.text)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ entry: (entity: EntityID, row: CatalogueEntries.Row)) {
        let row = entry.row
        name("id")
        value(entry.entity)
        field("kind", row.kind.rawValue)
        field("name", row.name)
        name("parent")
        if let parent = row.parent { value(parent) } else { null() }
        field("isArchived", row.isArchived)
        field("isActive", row.isActive)
        field("timeZone", row.timeZone)
        field("capacity", row.capacity)
        field("liftOff", row.liftOff)
        field("suggestedDeparture", row.liftOff.map { $0 - TripTimes.viewingSpan })
        name("terms")
        value(json: row.terms[...])
        field("rates", row.rates) { $0.value(json: $1[...]) }
    }
}

internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Projections
internal import Web

extension QueryAPI {
    var merchandiseOperations: [Operation] {
        [
            Operation("listStock", .get, "/v1/merchandise", for: .desk) { request, _ in
                try await stock(request)
            },
            Operation("listOffers", .get, "/v1/trips/{trip}/merchandise") { request, context in
                try await offers(request, context.id("trip"))
            },
        ]
    }

    private func stock(_ request: Request) async throws -> Response {
        try request.allowQuery(only: "limit", "cursor", "min-position")
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageDefault
        let after = try Cursor(request.query("cursor")).map { cursor throws(Problem) in
            (name: try cursor.string(), variation: VariationID(cursor.id))
        }
        let (position, rows) = try await read(
            request, from: [MerchandiseStock.self, CatalogueEntries.self],
            [MerchandiseStock.all(after: after, limit: limit + 1)])
        let found = MerchandiseStock.views(rows[0])
        let views = found.prefix(limit)
        let next =
            found.count > limit ? views.last.map { Cursor($0.name, $0.variation.entity) } : nil
        return answer(position: position) { json in
            json.field("variations", views) { json, view in
                json.object { json in
                    json.field("variation", view.variation)
                    json.field("merchandise", view.row.merchandise)
                    json.field("name", view.name)
                    json.field("label", view.row.label)
                    json.field("price") { $0.write(view.row.price) }
                    json.field("received", view.row.received)
                    json.field("adjusted", view.row.adjusted)
                    json.field("reserved", view.row.reserved)
                    json.field("sold", view.row.sold)
                    json.field("fulfilled", view.row.fulfilled)
                    json.field("returned", view.row.returned)
                    json.field("available", view.row.available)
                }
            }
            json.field("next", next?.text)
        }
    }

    private func offers(_ request: Request, _ trip: TripID) async throws -> Response {
        try request.allowQuery(only: "min-position")
        let (position, rows) = try await read(
            request,
            from: [
                MerchandiseOffers.self, MerchandiseStock.self, CatalogueEntries.self,
                TripsOnSale.self,
            ], [MerchandiseOffers.all(of: trip), TripsOnSale.one(trip)])
        guard !TripsOnSale.views(rows[1]).isEmpty else {
            throw Problem.notFound("trip").at(position)
        }
        return answer(position: position) { json in
            json.field("trip", trip)
            json.field("offers", MerchandiseOffers.views(rows[0])) { json, view in
                json.object { json in
                    json.field("offer", view.offer)
                    json.field("variation", view.variation)
                    json.field("name", view.name)
                    json.field("label", view.label)
                    json.field("price") { $0.write(view.price) }
                    json.field("available", view.available)
                }
            }
        }
    }
}

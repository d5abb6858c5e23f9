internal import Commands
internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Web

extension CommandAPI {
    /// Merchandise; all of it is the office's.
    var merchandiseOperations: [Operation] {
        [
            keeping("addMerchandise", .post, "/v1/merchandise", ["id", "name"]) {
                id, _, json throws(JSONError) in
                let fact = MerchandiseAdded(merchandise: ID(id), name: try json["name"].text(.name))
                return .add(fact)
            },
            keeping(
                "addVariation", .post, "/v1/merchandise/{merchandise}/variations",
                ["id", "label", "price"]
            ) { id, parent, json throws(JSONError) in
                .addVariation(
                    VariationAdded(
                        variation: ID(id), merchandise: ID(parent),
                        label: try json["label"].text(.label), price: try json["price"].money()))
            },
            keeping("repriceVariation", .patch, "/v1/variations/{variation}", ["price"]) {
                _, variation, json throws(JSONError) in
                .reprice(ID(variation), try json["price"].money())
            },
            keeping(
                "receiveStock", .post, "/v1/variations/{variation}/receive", ["quantity"]
            ) { _, variation, json throws(JSONError) in
                .receive(ID(variation), quantity: try json["quantity"].integer(in: 1...1_000_000))
            },
            keeping(
                "adjustStock", .post, "/v1/variations/{variation}/adjust", ["quantity", "reason"]
            ) { _, variation, json throws(JSONError) in
                .adjust(
                    ID(variation),
                    quantity: try json["quantity"].integer(in: -1_000_000...1_000_000),
                    reason: try json["reason"].text(.summary))
            },
            keeping(
                "offerMerchandise", .post, "/v1/trips/{trip}/merchandise",
                ["id", "variation", "allotment"]
            ) { id, trip, json throws(JSONError) in
                .offer(
                    MerchandiseOffered(
                        offer: ID(id), trip: ID(trip), variation: try json["variation"].id(),
                        allotment: try json.optional("allotment")?.integer(in: 0...1_000_000)))
            },
            keeping("allotMerchandise", .patch, "/v1/offers/{offer}", ["allotment"]) {
                _, offer, json throws(JSONError) in
                // Here null is a value: as many as there are.
                guard let value = json.members.first(where: { $0.name == "allotment" })?.value
                else { throw try json["allotment"].fault("is missing") }
                return .allot(
                    ID(offer), value.isNull ? nil : try value.integer(in: 0...1_000_000))
            },
        ]
    }

    /// `read` gets an id for a new thing, named by the caller or drawn, and the id in the path.
    private func keeping(
        _ id: String, _ method: HTTPRequest.Method, _ path: String, _ fields: [String],
        _ read:
            @escaping @Sendable (EntityID, EntityID, JSONObject) throws(JSONError) ->
            KeepMerchandise.Deed
    ) -> Operation {
        let parameter = path.split(separator: "{").dropFirst().first?.prefix { $0 != "}" }
        let addsThing = fields.contains("id")
        return Operation(id, method, path, for: .office) { request, context in
            let parent = try parameter.map { try context.id(String($0), Any.self).entity }
            let body = try await Body.read(request)
            let (deed, entity) = try reading { () throws(JSONError) in
                try body.json.allow(only: fields)
                let named: ID<Any>? = try body.json.optional("id")?.id()
                let entity = named?.entity ?? draw(Any.self).entity
                return (try read(entity, parent ?? entity, body.json), entity)
            }
            let receipt = try await submit(request, body, [KeepMerchandise(deed)])
            let made = receipt.events.first?.event.tags.first ?? entity
            return addsThing
                ? changed(made, by: receipt, .created)
                : changed(parent ?? entity, by: receipt)
        }
    }
}

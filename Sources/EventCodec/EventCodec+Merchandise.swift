internal import Domain
internal import JSON

extension EventCodec {
    static func writeMerchandise(_ event: Event, to json: inout JSONWriter) {
        switch event {
        case .merchandiseAdded(let fact):
            json.field("merchandise", fact.merchandise)
            json.field("name", fact.name)
        case .variationAdded(let fact):
            json.field("variation", fact.variation)
            json.field("merchandise", fact.merchandise)
            json.field("label", fact.label)
            json.field("price") { $0.write(fact.price) }
        case .variationRepriced(let fact):
            json.field("variation", fact.variation)
            json.field("price") { $0.write(fact.price) }
        case .stockReceived(let fact):
            json.field("variation", fact.variation)
            json.field("quantity", fact.quantity)
        case .stockAdjusted(let fact):
            json.field("variation", fact.variation)
            json.field("quantity", fact.quantity)
            json.field("reason", fact.reason)
        case .merchandiseOffered(let fact):
            json.field("offer", fact.offer)
            json.field("trip", fact.trip)
            json.field("variation", fact.variation)
            json.field("allotment", fact.allotment)
        case .offerAllotmentSet(let fact):
            json.field("offer", fact.offer)
            json.field("allotment", fact.allotment)
        case .merchandiseFulfilled(let fact):
            json.field("booking", fact.booking)
            write(fact.merchandise, to: &json)
        default: preconditionFailure("an event of another subject")
        }
    }

    static func write(_ merchandise: [MerchandiseLine], to json: inout JSONWriter) {
        json.field("merchandise", merchandise) { json, line in
            json.object { json in
                json.field("offer", line.offer)
                json.field("variation", line.variation)
                json.field("quantity", line.quantity)
            }
        }
    }

    static func readMerchandise(
        _ type: EventType, from json: JSONObject
    ) throws(JSONError) -> Event {
        switch type {
        case .merchandiseAdded:
            return .merchandiseAdded(
                MerchandiseAdded(
                    merchandise: try json["merchandise"].id(), name: try json["name"].string()))
        case .variationAdded:
            return .variationAdded(
                VariationAdded(
                    variation: try json["variation"].id(),
                    merchandise: try json["merchandise"].id(), label: try json["label"].string(),
                    price: try money(json["price"])))
        case .variationRepriced:
            return .variationRepriced(
                VariationRepriced(
                    variation: try json["variation"].id(), price: try money(json["price"])))
        case .stockReceived:
            return .stockReceived(
                StockReceived(
                    variation: try json["variation"].id(),
                    quantity: try json["quantity"].integer()))
        case .stockAdjusted:
            return .stockAdjusted(
                StockAdjusted(
                    variation: try json["variation"].id(),
                    quantity: try json["quantity"].integer(), reason: try json["reason"].string()))
        case .merchandiseOffered:
            return .merchandiseOffered(
                MerchandiseOffered(
                    offer: try json["offer"].id(), trip: try json["trip"].id(),
                    variation: try json["variation"].id(),
                    allotment: try json.optional("allotment")?.integer()))
        case .offerAllotmentSet:
            return .offerAllotmentSet(
                OfferAllotmentSet(
                    offer: try json["offer"].id(),
                    allotment: try json.optional("allotment")?.integer()))
        case .merchandiseFulfilled:
            return .merchandiseFulfilled(
                MerchandiseFulfilled(
                    booking: try json["booking"].id(),
                    merchandise: try merchandise(json.optional("merchandise"))))
        default: preconditionFailure("an event of another subject")
        }
    }

    /// None where an event was written before there was any.
    static func merchandise(_ value: JSONValue?) throws(JSONError) -> [MerchandiseLine] {
        guard let value else { return [] }
        return try value.list { value throws(JSONError) in
            let json = try value.object()
            return MerchandiseLine(
                offer: try json["offer"].id(), variation: try json["variation"].id(),
                quantity: try json["quantity"].integer())
        }
    }
}

internal import Domain
internal import JSON

/// What a sailing has for sale.
extension EventCodec {
    static func writeSeats(_ event: Event, to json: inout JSONWriter) {
        switch event {
        case .boatUnassigned(let fact):
            json.field("sailing", fact.sailing)
            json.field("trip", fact.trip)
            json.field("boat", fact.boat)
        case .ticketTypeDefined(let fact):
            json.field("sailing", fact.sailing)
            json.field("ticketType") { write(fact.ticketType, to: &$0) }
        case .ticketTypeRepriced(let fact):
            write(fact, to: &json)
            json.field("price") { $0.write(fact.value) }
        case .ticketTypeCapped(let fact):
            write(fact, to: &json)
            json.field("fixedCap", fact.value.fixedCount)
        case .ticketTypeRelabelled(let fact):
            write(fact, to: &json)
            json.field("label", fact.value)
        case .ticketTypeWithdrawn(let fact):
            json.field("sailing", fact.sailing)
            json.field("ticketType", fact.ticketType)
        case .oversaleAuthorised(let fact):
            json.field("sailing", fact.sailing)
            json.field("booking", fact.booking)
            json.field("seatCount", fact.seatCount)
            json.field("reason", fact.reason)
        default: preconditionFailure("an event of another subject")
        }
    }

    static func write(_ type: TicketType, to json: inout JSONWriter) {
        json.field("id", type.id)
        json.field("label", type.label)
        json.field("price", type.price.minorUnits)
        json.field("currency", type.price.currency.rawValue)
        json.field("fixedCap", type.cap.fixedCount)
    }

    private static func write<Value>(
        _ fact: TicketTypeChanged<Value>, to json: inout JSONWriter
    ) {
        json.field("sailing", fact.sailing)
        json.field("ticketType", fact.ticketType)
    }

    static func readSeats(_ type: EventType, from json: JSONObject) throws(JSONError) -> Event {
        let sailing: SailingID = try json["sailing"].id()
        func changed<Value>(_ value: Value) throws(JSONError) -> TicketTypeChanged<Value> {
            TicketTypeChanged(
                sailing: sailing, ticketType: try json["ticketType"].id(), value: value)
        }
        switch type {
        case .boatUnassigned:
            return .boatUnassigned(
                BoatUnassigned(
                    sailing: sailing, trip: try json["trip"].id(), boat: try json["boat"].id()))
        case .ticketTypeDefined:
            return .ticketTypeDefined(
                TicketTypeDefined(
                    sailing: sailing, ticketType: try ticketType(json["ticketType"])))
        case .ticketTypeRepriced:
            return .ticketTypeRepriced(try changed(money(json["price"])))
        case .ticketTypeCapped:
            let fixedCap = try json.optional("fixedCap")?.integer()
            return .ticketTypeCapped(
                try changed(fixedCap.map { TicketType.Cap.fixed($0) } ?? .shared))
        case .ticketTypeRelabelled:
            return .ticketTypeRelabelled(try changed(json["label"].string()))
        case .ticketTypeWithdrawn:
            return .ticketTypeWithdrawn(
                TicketTypeWithdrawn(sailing: sailing, ticketType: try json["ticketType"].id()))
        case .oversaleAuthorised:
            return .oversaleAuthorised(
                OversaleAuthorised(
                    sailing: sailing, booking: try json["booking"].id(),
                    seatCount: try json["seatCount"].integer(),
                    reason: try json["reason"].string()))
        default: preconditionFailure("an event of another subject")
        }
    }
}

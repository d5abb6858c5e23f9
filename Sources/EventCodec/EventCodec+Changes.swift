internal import Domain
internal import JSON

/// What becomes of a booking between its sale and the quay.
extension EventCodec {
    static func writeChange(_ event: Event, to json: inout JSONWriter) {
        switch event {
        case .contactChanged(let fact):
            json.field("booking", fact.booking)
            json.field("customer", fact.customer)
            write(fact.contact, to: &json)
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            json.field("booking", fact.booking)
            json.field("mission", fact.mission)
            json.field("before") { write(fact.before, to: &$0) }
            json.field("quote") { write(fact.quote, to: &$0) }
            json.field("heldUntil", fact.heldUntil)
            json.field("isRepriced", fact.isRepriced)
        case .alternativeOffered(let fact):
            json.field("booking", fact.booking)
            json.field("mission", fact.mission)
            json.field("before") { write(fact.before, to: &$0) }
            json.field("quote") { write(fact.quote, to: &$0) }
            json.field("deadline", fact.deadline)
            json.field("wasHeld", fact.wasHeld)
        default: preconditionFailure("an event of another subject")
        }
    }

    static func readChange(_ type: EventType, from json: JSONObject) throws(JSONError) -> Event {
        switch type {
        case .contactChanged:
            return .contactChanged(
                ContactChanged(
                    booking: try json["booking"].id(), customer: try json["customer"].id(),
                    contact: try contact(json)))
        case .lineQuantityChanged: return .lineQuantityChanged(try changed(json))
        case .lineTicketTypeChanged: return .lineTicketTypeChanged(try changed(json))
        case .bookingRescheduled: return .bookingRescheduled(try changed(json))
        case .passengersReassigned: return .passengersReassigned(try changed(json))
        case .alternativeOffered:
            return .alternativeOffered(
                AlternativeOffered(
                    booking: try json["booking"].id(), mission: try json["mission"].id(),
                    before: try holdings(json["before"].object()),
                    quote: try quote(json["quote"].object()),
                    deadline: try json["deadline"].instant(),
                    wasHeld: try json["wasHeld"].bool()))
        default: preconditionFailure("an event of another subject")
        }
    }

    private static func changed(_ json: JSONObject) throws(JSONError) -> OrderChanged {
        OrderChanged(
            booking: try json["booking"].id(), mission: try json["mission"].id(),
            before: try holdings(json["before"].object()),
            quote: try quote(json["quote"].object()),
            heldUntil: try json.optional("heldUntil")?.instant(),
            isRepriced: try json["isRepriced"].bool())
    }
}

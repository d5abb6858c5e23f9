internal import Domain
internal import JSON

/// What becomes of a booking between its sale and the quay.
extension EventCodec {
    static func writeChange(_ event: Event, to json: inout JSONWriter) {
        switch event {
        case .contactChanged(let fact):
            json.field("booking", fact.booking)
            json.field("customer", fact.customer)
            write(fact.contact, "contact", to: &json)
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
        case .passengersScanned(let fact):
            json.field("scan", fact.scan)
            json.field("booking", fact.booking)
            json.field("sailing", fact.sailing)
            json.field("passengers", fact.passengers) { $0.value($1) }
            json.field("scanner", fact.scanner)
            json.field("at", fact.at)
            json.field("isAboard", fact.isAboard)
        case .staffNoteWritten(let fact):
            json.field("booking", fact.booking)
            json.field("customer", fact.customer)
            write(fact.note, "note", to: &json)
        default: preconditionFailure("an event of another subject")
        }
    }

    static func readChange(_ type: EventType, from json: JSONObject) throws(JSONError) -> Event {
        switch type {
        case .contactChanged:
            return .contactChanged(
                ContactChanged(
                    booking: try json["booking"].id(), customer: try json["customer"].id(),
                    contact: try sealed(json["contact"])))
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
        case .passengersScanned:
            return .passengersScanned(
                PassengersScanned(
                    scan: try json["scan"].id(), booking: try json["booking"].id(),
                    sailing: try json["sailing"].id(), passengers: try numbers(json),
                    scanner: try json["scanner"].string(), at: try json["at"].instant(),
                    isAboard: try json["isAboard"].bool()))
        case .staffNoteWritten:
            return .staffNoteWritten(
                StaffNoteWritten(
                    booking: try json["booking"].id(), customer: try json["customer"].id(),
                    note: try sealed(json["note"])))
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

internal import Commands
internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Sealing
internal import Web

/// What becomes of a booking after it was placed.
extension CommandAPI {
    var changeOperations: [Operation] {
        [
            Operation(
                "changeBooking", .post, "/v1/bookings/{booking}/changes", for: .office
            ) { request, context in
                let booking = try context.id("booking", Kind.Booking.self)
                let body = try await Body.read(request)
                let command = try reading { () throws(JSONError) in
                    try Self.changes(of: booking, body.json)
                }
                return try await change(request, booking, body, command)
            },
            Operation("changeContact", .put, "/v1/bookings/{booking}/contact") {
                request, context in
                try await changeContact(request, context.id("booking"))
            },
            Operation(
                "writeStaffNote", .post, "/v1/bookings/{booking}/notes", for: .quay
            ) { request, context in
                let booking = try context.id("booking", Kind.Booking.self)
                let body = try await Body.read(request)
                let note = try reading { () throws(JSONError) in
                    try body.json.allow(only: ["note"])
                    return try body.json["note"].text(.note)
                }
                let (key, customer) = try await key(of: booking)
                return try await change(
                    request, booking, body,
                    WriteStaffNote(booking: booking, note: key.seal(note, of: customer)))
            },
            Operation("refundBooking", .post, "/v1/bookings/{booking}/refunds") {
                request, context in
                try await refund(request, context.id("booking"))
            },
            Operation(
                "handOutRefund", .post, "/v1/bookings/{booking}/refunds/{refund}/hand-out",
                for: .quay
            ) { request, context in
                let booking = try context.id("booking", Kind.Booking.self)
                let refund = try context.id("refund", Kind.Refund.self)
                return try await change(
                    request, booking, Body.none(request),
                    HandOutRefund(booking: booking, refund: refund))
            },
            Operation(
                "reassignPassengers", .post, "/v1/sailings/{sailing}/reassign", for: .office
            ) { request, context in
                try await reassign(request, context.id("sailing"))
            },
        ]
    }

    /// The office, or the customer with the link of his booking; nobody else.
    func sellerOrCustomer(
        _ request: Request, _ booking: BookingID
    ) throws(Problem) -> (Seller, actor: String) {
        if try links.isCarried(by: request, for: booking, at: clock()) {
            return (.public, "customer")
        }
        try Caller.current.require(.office)
        return (.staff, Caller.current.actor)
    }

    private func changeContact(
        _ request: Request, _ booking: BookingID
    ) async throws -> Response {
        let (_, actor) = try sellerOrCustomer(request, booking)
        let body = try await Body.read(request)
        let contact = try reading { () throws(JSONError) in
            try body.json.allow(only: ["contact", "specialRequests"])
            return try Self.contact(body.json)
        }
        let (key, customer) = try await key(of: booking)
        return try await change(
            request, booking, body,
            ChangeContact(booking: booking, contact: key.seal(contact, of: customer)),
            by: actor)
    }

    private func key(
        of booking: BookingID
    ) async throws(Problem) -> (CustomerKey, CustomerID) {
        let customer = try await ask(CustomerOf(booking: booking)).answer
        guard let key = try await keys(customer) else {
            throw Problem(
                "forgotten", .gone, "The customer is forgotten",
                detail: "what was known of this customer can't be read or written any more")
        }
        return (key, customer)
    }

    private func refund(_ request: Request, _ booking: BookingID) async throws -> Response {
        let (seller, actor) = try sellerOrCustomer(request, booking)
        let body = try await Body.read(request)
        let (goodwill, lines, reason) = try reading { () throws(JSONError) in
            try body.json.allow(only: ["amount", "seats", "merchandise", "reason"])
            return (
                try body.json.optional("amount")?.money(), try Self.refundLines(body.json),
                try body.json["reason"].text(.summary)
            )
        }
        guard let goodwill else {
            return try await change(
                request, booking, body,
                RefundLines(booking: booking, lines: lines, reason: reason, seller: seller),
                by: actor)
        }
        guard seller == .staff else { throw Problem.unauthorized }
        guard lines.isEmpty else {
            throw Problem.malformed(
                field: "amount", "is goodwill, which gives no lines back: name one or the other")
        }
        return try await change(
            request, booking, body,
            RefundGoodwill(booking: booking, amount: goodwill, reason: reason))
    }

    /// Moves every booking that was on a sailing when it was asked, all or none.
    private func reassign(_ request: Request, _ sailing: SailingID) async throws -> Response {
        let body = try await Body.read(request)
        let (target, types, chosen, oversaleReason) = try reading { () throws(JSONError) in
            let json = body.json
            try json.allow(only: ["to", "ticketTypes", "bookings", "oversaleReason"])
            let types = try json["ticketTypes"].list { value throws(JSONError) in
                let pair = try value.object()
                try pair.allow(only: ["from", "to"])
                return (
                    from: try pair["from"].id(Kind.TicketType.self),
                    to: try pair["to"].id(Kind.TicketType.self)
                )
            }
            let bookings = try json.optional("bookings")?.list { value throws(JSONError) in
                try value.id(Kind.Booking.self)
            }
            return (
                try json["to"].id(Kind.Sailing.self), types, bookings,
                try json.optional("oversaleReason")?.text(.summary)
            )
        }
        // Who repeats himself gets the answer of the first time, and not that nobody is left to be moved.
        if let receipt = try await repeated(request, body.hash) { return moved(by: receipt) }
        let (known, position) = try await ask(BookingsOnSailing(sailing: sailing))
        let bookings = chosen ?? known
        guard bookings.count <= ReassignPassengers.bookingLimit else {
            throw Problem.malformed(
                field: "bookings",
                "are \(bookings.count): name at most \(ReassignPassengers.bookingLimit) at a time")
        }
        let moves = Dictionary(types.map { ($0.from, $0.to) }) { first, _ in first }
        let commands = bookings.map {
            ReassignPassengers(
                booking: $0, from: sailing, to: target, ticketTypes: moves,
                oversaleReason: oversaleReason)
        }
        guard !commands.isEmpty else {
            return answer(position: position) {
                $0.field("moved", [] as [BookingID]) { $0.value($1) }
            }
        }
        return moved(by: try await submit(request, body, commands))
    }

    private func moved(by receipt: Receipt) -> Response {
        let moved = receipt.events.compactMap { recorded -> BookingID? in
            guard case .passengersReassigned(let fact) = recorded.event else { return nil }
            return fact.booking
        }
        return answer(position: receipt.position) { $0.field("moved", moved) { $0.value($1) } }
    }

    // MARK: Reading

    private static func place(_ json: JSONObject) throws(JSONError) -> Place {
        Place(sailing: try json["sailing"].id(), ticketType: try json["ticketType"].id())
    }

    private static func changes(
        of booking: BookingID, _ json: JSONObject
    ) throws(JSONError) -> ChangeBooking {
        try json.allow(only: ["seats", "merchandise", "moves", "prices", "oversaleReason"])
        let moves = try json.optional("moves")?.list { value throws(JSONError) in
            let move = try value.object()
            try move.allow(only: ["from", "to", "quantity"])
            let (from, to) = (try move["from"].object(), try move["to"].object())
            try from.allow(only: ["sailing", "ticketType"])
            try to.allow(only: ["sailing", "ticketType"])
            return OrderChange.move(
                from: try place(from), to: try place(to),
                quantity: try move.optional("quantity")?.quantity(from: 1))
        }
        let seats = try json.optional("seats")?.list { value throws(JSONError) in
            let line = try value.object()
            try line.allow(only: ["sailing", "ticketType", "quantity"])
            return OrderChange.seats(
                try place(line), quantity: try line["quantity"].quantity(from: 0))
        }
        let merchandise = try json.optional("merchandise")?.list { value throws(JSONError) in
            let line = try value.object()
            try line.allow(only: ["offer", "quantity"])
            return OrderChange.merchandise(
                try line["offer"].id(), quantity: try line["quantity"].quantity(from: 0))
        }
        return ChangeBooking(
            booking: booking, changes: (moves ?? []) + (seats ?? []) + (merchandise ?? []),
            pricing: try json.optional("prices")?.choice(of: ChangePricing.self) ?? .kept,
            oversaleReason: try json.optional("oversaleReason")?.text(.summary))
    }

    private static func refundLines(_ json: JSONObject) throws(JSONError) -> [RefundLines.Line] {
        let seats = try json.optional("seats")?.list { value throws(JSONError) in
            let line = try value.object()
            try line.allow(only: ["sailing", "ticketType", "quantity"])
            return RefundLines.Line.seats(
                try place(line), quantity: try line.optional("quantity")?.quantity(from: 1))
        }
        let merchandise = try json.optional("merchandise")?.list { value throws(JSONError) in
            let line = try value.object()
            try line.allow(only: ["offer", "quantity"])
            return RefundLines.Line.merchandise(
                try line["offer"].id(),
                quantity: try line.optional("quantity")?.quantity(from: 1))
        }
        return (seats ?? []) + (merchandise ?? [])
    }
}

extension JSONValue {
    /// So many seats or things of one line.
    fileprivate func quantity(from least: Int) throws(JSONError) -> Int {
        try integer(in: least...QuoteOrder.seatLimit)
    }
}

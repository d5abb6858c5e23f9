internal import Commands
internal import Domain
internal import EventCodec
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Sealing
internal import Web

extension CommandAPI {
    var bookingOperations: [Operation] {
        [
            Operation("quoteOrder", .post, "/v1/quotes") { request, _ in
                try await quote(request)
            },
            Operation("placeBooking", .post, "/v1/bookings") { request, _ in
                try await place(request)
            },
            Operation("extendHold", .post, "/v1/bookings/{booking}/extend") { request, context in
                let booking = try context.id("booking", Kind.Booking.self)
                return try await change(
                    request, booking, Body.none(request),
                    ExtendHold(booking: booking, policy: policy))
            },
            Operation("abandonBooking", .post, "/v1/bookings/{booking}/abandon") {
                request, context in
                let booking = try context.id("booking", Kind.Booking.self)
                return try await change(
                    request, booking, Body.none(request), AbandonBooking(booking: booking))
            },
            Operation("confirmBooking", .post, "/v1/bookings/{booking}/confirm") {
                request, context in
                let booking = try context.id("booking", Kind.Booking.self)
                let body = try await Body.read(request)
                let (basis, means) = try reading { () throws(JSONError) in
                    try body.json.allow(only: ["basis", "means"])
                    return (
                        try body.json["basis"].choice(of: ConfirmBooking.Basis.self),
                        try body.json.optional("means")?.choice(of: PaymentMeans.self)
                    )
                }
                if basis == .paidAtTheDock { try Caller.current.require(.quay) }
                guard means == nil || basis == .paidAtTheDock else {
                    throw Problem.malformed(field: "means", "is of what is paid at the dock")
                }
                return try await change(
                    request, booking, body,
                    ConfirmBooking(booking: booking, basis: basis, means: means))
            },
            Operation("cancelBooking", .post, "/v1/bookings/{booking}/cancel") {
                request, context in
                try await cancel(request, context.id("booking"))
            },
            Operation(
                "checkInPassengers", .post, "/v1/bookings/{booking}/check-in", for: .quay
            ) { request, context in
                let booking = try context.id("booking", Kind.Booking.self)
                let (sailing, passengers, body) = try await boarding(request)
                return try await change(
                    request, booking, body,
                    CheckInPassengers(booking: booking, sailing: sailing, passengers: passengers))
            },
            Operation(
                "revertCheckIn", .post, "/v1/bookings/{booking}/revert-check-in", for: .quay
            ) { request, context in
                let booking = try context.id("booking", Kind.Booking.self)
                let (sailing, passengers, body) = try await boarding(request)
                return try await change(
                    request, booking, body,
                    RevertCheckIn(booking: booking, sailing: sailing, passengers: passengers))
            },
        ]
    }

    private func quote(_ request: Request) async throws -> Response {
        let body = try await Body.read(request)
        let order = try reading { () throws(JSONError) in
            try body.json.allow(only: ["lines", "merchandise", "tip", "discountCode", "accessCode"])
            return try Self.order(body.json, seller)
        }
        let (quoted, position) = try await ask(order, saidIn: body)
        return answer(position: position) { $0.write(quoted.quote, outcomes: quoted.codes) }
    }

    private func place(_ request: Request) async throws -> Response {
        let body = try await Body.read(request)
        let (order, total, contact, wantsUpdates, oversaleReason) = try reading {
            () throws(JSONError) in
            let json = body.json
            try json.allow(only: [
                "lines", "merchandise", "tip", "total", "discountCode", "accessCode", "contact",
                "specialRequests", "wantsUpdates", "oversaleReason",
            ])
            return (
                try Self.order(json, seller), try json.optional("total")?.money(),
                try Self.contact(json), try json.optional("wantsUpdates")?.bool() ?? false,
                try json.optional("oversaleReason")?.text(.summary)
            )
        }
        if oversaleReason != nil { try Caller.current.require(.office) }
        let customer = draw(Kind.Customer.self)
        let key = CustomerKey()
        let command = PlaceBooking(
            booking: draw(), customer: customer, code: drawCode(), order: order,
            namedTotal: total, contact: key.seal(contact, of: customer),
            wantsUpdates: wantsUpdates, policy: policy, reseller: Caller.current.reseller,
            oversaleReason: oversaleReason ?? "")
        let receipt = try await submit(request, body, command, key: key)
        guard let placed = receipt.events.last, case .bookingPlaced(let fact) = placed.event else {
            preconditionFailure("placing a booking placed none")
        }
        return answer(.created, position: receipt.position, version: receipt.position) { json in
            json.field("booking", fact.booking)
            json.field("code", fact.code.description)
            json.field("link", links.text(for: fact.booking, at: placed.recordedAt))
            json.field("status", BookingStatus.held.rawValue)
            json.field("deadline", fact.deadline)
            json.field("quote") { $0.write(fact.quote) }
            json.field("version", receipt.position)
        }
    }

    private func cancel(_ request: Request, _ booking: BookingID) async throws -> Response {
        let (seller, actor) = try sellerOrCustomer(request, booking)
        guard let version = try ifMatch(request) else {
            throw Problem(
                "precondition-required", .preconditionRequired, "Which version?",
                detail: "If-Match must name the ETag of the booking that you looked at")
        }
        let body = try await Body.read(request)
        let reason = try reading { () throws(JSONError) in
            try body.json.allow(only: ["reason"])
            return try body.json["reason"].text(.summary)
        }
        return try await change(
            request, booking, body,
            CancelBooking(booking: booking, reason: reason, version: version, seller: seller),
            by: actor, heedsVersion: false)
    }

    /// Submits a change of one booking, and says what happened: the same for a repeat. Where the request names the
    /// version that its sender looked at, nothing happens to another; a command may heed it by itself.
    func change(
        _ request: Request, _ booking: BookingID, _ body: Body, _ command: any Command,
        by actor: String? = nil, heedsVersion: Bool = true
    ) async throws -> Response {
        var command = command
        if heedsVersion, let version = try ifMatch(request) {
            command = ExpectVersion(of: booking, version, for: command)
        }
        let receipt = try await submit(request, body, [command], by: actor)
        var version = receipt.events.last { BookingLife.versionTypes.contains($0.event.type) }?
            .position
        if version == nil { version = try await ask(BookingVersion(booking: booking)).answer }
        let goods = try await handedOver(by: receipt)
        return answer(position: receipt.position, version: version) { json in
            json.field("booking", booking)
            json.field("happened", receipt.events) { $0.value($1.event.type.name) }
            json.field("handedOver", goods) { $0.write($1) }
            json.field("version", version)
        }
    }

    /// What those at the quay have to give to who came aboard just now.
    func handedOver(by receipt: Receipt) async throws(Problem) -> [Quote.Portion] {
        for case .merchandiseFulfilled(let fact) in receipt.events.map(\.event) {
            let question = HandedOver(booking: fact.booking, merchandise: fact.merchandise)
            return try await ask(question).answer
        }
        return []
    }

    private func boarding(
        _ request: Request
    ) async throws -> (sailing: SailingID, passengers: [Int]?, body: Body) {
        let body = try await Body.read(request)
        return try reading { () throws(JSONError) in
            try body.json.allow(only: ["sailing", "passengers"])
            let passengers = try body.json.optional("passengers")?.list {
                value throws(JSONError) in try value.integer()
            }
            return (try body.json["sailing"].id(), passengers, body)
        }
    }

    private static func order(_ json: JSONObject, _ seller: Seller) throws(JSONError) -> QuoteOrder
    {
        let lines = try json["lines"].list { value throws(JSONError) in
            let line = try value.object()
            try line.allow(only: ["trip", "sailing", "ticketType", "quantity"])
            return OrderLine(
                trip: try line["trip"].id(), sailing: try line["sailing"].id(),
                ticketType: try line["ticketType"].id(),
                quantity: try line["quantity"].integer())
        }
        let merchandise = try json.optional("merchandise")?.list { value throws(JSONError) in
            let ordered = try value.object()
            try ordered.allow(only: ["offer", "quantity"])
            return OrderedMerchandise(
                offer: try ordered["offer"].id(), quantity: try ordered["quantity"].integer())
        }
        let tip = try json.optional("tip")?.money() ?? .zero
        return QuoteOrder(
            lines: lines, merchandise: merchandise ?? [], tip: tip, seller: seller,
            discountCode: try json.optional("discountCode")?.code(.discount),
            accessCode: try json.optional("accessCode")?.code(.access),
            mayOversell: json.optional("oversaleReason") != nil)
    }

    static func contact(_ json: JSONObject) throws(JSONError) -> Contact {
        let contact = try json["contact"].object()
        try contact.allow(only: ["firstName", "lastName", "email", "phone", "address"])
        let email = try contact["email"].text(.email)
        // Only mail that arrives proves an address; this catches what can't be one.
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), !email.contains(" ") else {
            throw try contact["email"].fault("must be a mail address, such as ada@example.org")
        }
        return Contact(
            firstName: try contact["firstName"].text(.name).withoutBlanksAround,
            lastName: try contact["lastName"].text(.name).withoutBlanksAround, email: email,
            phone: try contact.optional("phone")?.text(.phone),
            address: try contact.optional("address")?.text(.address),
            specialRequests: try json.optional("specialRequests")?.text(.specialRequests))
    }
}

/// The position of a booking's last event.
private struct BookingVersion: Question {
    let booking: BookingID

    func answer(in world: borrowing World, at now: Instant) throws(Refusal) -> Int64 {
        world.look(at: BookingLife.self, of: booking).version
    }
}

internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Projections
internal import Web

extension QueryAPI {
    var bookingOperations: [Operation] {
        [
            Operation("showBooking", .get, "/v1/bookings/{code}") { request, context in
                try await booking(request, context)
            },
            Operation("searchBookings", .get, "/v1/bookings", needsStaff: true) { request, _ in
                try await search(request)
            },
            Operation(
                "showManifest", .get, "/v1/sailings/{sailing}/manifest", needsStaff: true
            ) { request, context in
                try await manifest(request, context.id("sailing"))
            },
        ]
    }

    /// With the last name, or to staff, all of it; by the code alone nothing personal.
    private func booking(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.allowQuery(only: "lastName", "min-position")
        guard let code = context.parameters.get("code").flatMap({ ConfirmationCode($0) }) else {
            throw Problem.notFound("booking")
        }
        let isStaff = try staff.isCarried(by: request)
        let lastName = try request.query("lastName")
        if lastName != nil, !isStaff { try attempts.check(code, at: clock()) }
        let (position, rows) = try await read(
            request, from: [BookingByCode.self, PaymentLedger.self],
            [BookingByCode.one(code), PaymentLedger.ofBooking(code)])
        guard let view = BookingByCode.views(rows[0]).first else {
            throw Problem.notFound("booking")
        }
        let contact = view.row.contact
        if let lastName, !isStaff, contact?.lastName.lowercased() != lastName.lowercased() {
            attempts.countWrongName(for: code, at: clock())
            throw Problem.notFound("booking")
        }
        let sums = PaymentLedger.entries(rows[1]).sums
        let shownContact = isStaff || lastName != nil ? contact : nil
        return answer(position: position, version: view.version) { json in
            json.field("booking", view.booking)
            json.field("code", view.row.code.description)
            json.field("status", view.row.status.rawValue)
            json.field("mission", view.row.mission)
            json.field("placedAt", view.row.placedAt)
            json.field("deadline", view.row.deadline)
            json.field("quote") { $0.write(view.row.quote) }
            json.field("charged") { $0.write(sums.charged) }
            json.field("refunded") { $0.write(sums.refunded) }
            json.field("refunding") { $0.write(sums.refunding) }
            json.field("passengersAboard", view.row.aboard) { $0.value($1) }
            json.field("cancelReason", isStaff ? view.row.cancelReason : nil)
            json.name("contact")
            if let shownContact { json.write(shownContact) } else { json.null() }
            json.field("version", view.version)
        }
    }

    private func search(_ request: Request) async throws -> Response {
        try request.allowQuery(only: "q", "status", "limit", "cursor", "min-position")
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageDefault
        let words = try request.query("q")?.split(separator: " ").map(String.init) ?? []
        guard words.count <= BookingSearch.wordLimit, words.allSatisfy({ $0.count <= 128 }) else {
            throw Problem.malformed(
                field: "q", "must be at most \(BookingSearch.wordLimit) words of 128 characters")
        }
        let status = try request.query("status", of: BookingStatus.self)
        let after = try Cursor(request.query("cursor")).map { cursor throws(Problem) in
            (placedAt: try cursor.instant(), booking: BookingID(cursor.id))
        }
        let (position, rows) = try await read(
            request, from: [BookingSearch.self],
            [BookingSearch.search(words: words, status: status, after: after, limit: limit + 1)])
        let found = BookingSearch.views(rows[0])
        let views = found.prefix(limit)
        let next =
            found.count > limit
            ? views.last.map { Cursor($0.row.placedAt, $0.booking.entity) } : nil
        return answer(position: position) { json in
            json.field("bookings", views) { json, view in
                json.object { json in
                    json.field("booking", view.booking)
                    json.field("code", view.row.code.description)
                    json.field("status", view.row.status.rawValue)
                    json.field("mission", view.row.mission)
                    json.field("placedAt", view.row.placedAt)
                    json.field("firstName", view.row.firstName)
                    json.field("lastName", view.row.lastName)
                    json.field("email", view.row.email)
                    json.field("phone", view.row.phone)
                    json.field("seatCount", view.row.seatCount)
                    json.field("aboardCount", view.row.aboardCount)
                    json.field("total") { $0.write(view.row.total) }
                }
            }
            json.field("next", next?.text)
        }
    }

    private func manifest(_ request: Request, _ sailing: SailingID) async throws -> Response {
        try request.allowQuery(only: "limit", "cursor", "min-position")
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageLimit
        let after = try Cursor(request.query("cursor")).map { cursor throws(Problem) in
            (lastName: try cursor.string(), booking: BookingID(cursor.id))
        }
        let (position, rows) = try await read(
            request, from: [Manifest.self],
            [Manifest.sold(on: sailing, after: after, limit: limit + 1)])
        let found = Manifest.views(rows[0])
        let views = found.prefix(limit)
        let next =
            found.count > limit
            ? views.last.map { Cursor($0.row.lastName ?? "", $0.key.booking.entity) } : nil
        return answer(position: position) { json in
            json.field("sailing", sailing)
            json.field("bookings", views) { json, view in
                json.object { json in
                    json.field("booking", view.key.booking)
                    json.field("code", view.row.code.description)
                    json.field("firstName", view.row.firstName)
                    json.field("lastName", view.row.lastName)
                    json.field("specialRequests", view.row.specialRequests)
                    json.field("seats", view.row.seats) { json, seats in
                        json.object { json in
                            json.field("label", seats.label)
                            json.field("quantity", seats.quantity)
                        }
                    }
                    json.field("passengers", view.row.passengers) { $0.value($1) }
                    json.field("aboard", view.row.aboard) { $0.value($1) }
                }
            }
            json.field("next", next?.text)
        }
    }
}

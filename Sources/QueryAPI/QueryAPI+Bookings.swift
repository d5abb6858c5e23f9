internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Web

extension QueryAPI {
    var bookingOperations: [Operation] {
        [
            Operation("showBooking", .get, "/v1/bookings/{code}") { request, context in
                try await booking(request, context)
            },
            Operation("searchBookings", .get, "/v1/bookings", for: .books) { request, _ in
                try await search(request)
            },
            Operation(
                "showManifest", .get, "/v1/sailings/{sailing}/manifest", for: .crew
            ) { request, context in
                try await manifest(request, context.id("sailing"))
            },
        ]
    }

    /// With the last name or the booking's link, or to staff, all of it; by the code alone nothing personal.
    private func booking(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.allowQuery(only: "lastName", "link", "min-position", "as-of")
        guard let code = context.parameters.get("code").flatMap({ ConfirmationCode($0) }) else {
            throw Problem.notFound("booking")
        }
        let isStaff = Caller.current.isOneOf(.desk)
        let lastName = try request.text("lastName").map { $0.withoutBlanksAround }
        let (position, found) =
            if let lastName, !isStaff {
                try await self.found(request, code, lastName)
            } else {
                try await self.found(request, code)
            }
        guard let view = found else { throw Problem.notFound("booking").at(position) }
        let contact = view.row.contact
        let link = try request.query("link")
        if let link, !links.opens(view.booking, link, at: clock()) {
            throw Problem.notFound("booking").at(position)
        }
        let isKnown = isStaff || lastName != nil || link != nil
        let sums = view.ledger.sums
        let shownContact = isKnown ? contact : nil
        return answer(position: position, version: view.row.version) { json in
            // Its id lets whoever has it give its seats up.
            json.field("booking", isKnown ? view.booking : nil)
            json.field("code", view.row.code.description)
            json.field("status", view.row.status.rawValue)
            json.field("mission", view.row.mission)
            json.field("placedAt", view.row.placedAt)
            json.field("deadline", view.row.deadline)
            json.field("quote") { $0.write(view.row.quote) }
            json.field("charged") { $0.write(sums.charged) }
            json.field("refunded") { $0.write(sums.refunded) }
            json.field("refunding") { $0.write(sums.refunding) }
            json.field("balance") { $0.write(view.ledger.balance(of: view.row.owed)) }
            json.field("ledger", isStaff ? view.ledger : []) { json, entry in
                json.object { $0.write(entry) }
            }
            json.field("passengersAboard", view.row.aboard) { $0.value($1) }
            json.name("wantsUpdates")
            if isKnown { json.value(view.row.wantsUpdates) } else { json.null() }
            json.field("cancelReason", isStaff ? view.row.cancelReason : nil)
            json.field("notes", isStaff ? view.row.notes : []) { json, note in
                json.object { json in
                    json.field("at", note.at)
                    json.field("note", note.text)
                }
            }
            // With it one is the customer: who may not act for him as staff gets none.
            let isTrusted = isStaff ? Caller.current.isOneOf(.office) : isKnown
            json.field("link", isTrusted ? links.text(for: view.booking, at: clock()) : nil)
            json.name("contact")
            if let shownContact { json.write(shownContact) } else { json.null() }
            json.field("version", view.row.version)
        }
    }

    private typealias FoundBooking = (
        position: Int64,
        view: (booking: BookingID, row: BookingByCode.Row, ledger: [LedgerEntry])?
    )

    /// The same for somebody who says what its customer's last name is; only so often may that be wrong.
    private func found(
        _ request: Request, _ code: ConfirmationCode, _ lastName: String
    ) async throws -> FoundBooking {
        var reached: Int64 = 0
        let found = try await attempts.attempt(code, at: clock()) { () -> FoundBooking? in
            let found = try await self.found(request, code)
            reached = found.position
            guard let view = found.view else { return found }
            let known = view.row.contact?.lastName.withoutBlanksAround.lowercased()
            return known == lastName.lowercased() ? found : nil
        }
        guard let found else { throw Problem.notFound("booking").at(reached) }
        return found
    }

    /// The booking with a code as the read models have it, or as of the moment that staff names.
    private func found(
        _ request: Request, _ code: ConfirmationCode
    ) async throws -> FoundBooking {
        if let moment = try await asOf(request) {
            return try await lookingBack {
                (moment.position, try await BookingByCode.one(code, asOf: moment))
            }
        }
        let (position, rows) = try await read(
            request, from: [BookingByCode.self, PaymentLedger.self],
            [BookingByCode.one(code), PaymentLedger.ofBooking(code)])
        let view = BookingByCode.views(rows[0]).first
        return (position, view.map { ($0.booking, $0.row, PaymentLedger.entries(rows[1])) })
    }

    static let filterNames = [
        "q", "status", "launch", "mission", "trip", "boat", "ticketType", "placedFrom",
        "placedUntil", "departsFrom", "departsUntil", "sort",
    ]

    private func search(_ request: Request) async throws -> Response {
        try request.allowQuery(only: Self.filterNames + ["limit", "cursor", "min-position"])
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageDefault
        let (filter, filteredAt) = try await filter(request)
        let (searchedAt, rows) = try await read(
            request, from: [BookingSearch.self],
            [BookingSearch.search(filter, limit: limit + 1)])
        let position = min(searchedAt, filteredAt)
        let found = BookingSearch.views(rows[0])
        let views = found.prefix(limit)
        let next =
            found.count > limit
            ? views.last.map { Cursor(BookingFilter.Place($0, in: filter.order)) } : nil
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

    /// What is searched for, and the position of what was read to find that out.
    func filter(
        _ request: Request
    ) async throws(Problem) -> (filter: BookingFilter, position: Int64) {
        var filter = BookingFilter()
        filter.words = try request.text("q")?.split(separator: " ").map(String.init) ?? []
        guard filter.words.count <= BookingFilter.wordLimit,
            filter.words.allSatisfy({ $0.count <= 128 })
        else {
            throw Problem.malformed(
                field: "q", "must be at most \(BookingFilter.wordLimit) words of 128 characters")
        }
        var position = try await findCode(&filter, request)
        filter.statuses = try request.choices("status", of: BookingStatus.self)
        filter.ticketType = try request.id("ticketType")
        filter.placedFrom = try request.instant("placedFrom")
        filter.placedUntil = try request.instant("placedUntil")
        filter.order = try request.query("sort", of: BookingFilter.Order.self) ?? .newest
        if let found = try await sailings(request) {
            filter.sailings = found.sailings
            position = min(position, found.position)
        }
        guard let cursor = try Cursor(request.query("cursor")) else { return (filter, position) }
        switch filter.order {
        case .newest, .oldest: filter.after = .placed(try cursor.instant(), BookingID(cursor.id))
        case .name: filter.after = .named(try cursor.string(), BookingID(cursor.id))
        }
        return (filter, position)
    }

    /// A word that is a booking's code stands for that booking. Returns the position of what was read.
    private func findCode(
        _ filter: inout BookingFilter, _ request: Request
    ) async throws(Problem) -> Int64 {
        var reached = Int64.max
        for (index, word) in filter.words.enumerated() {
            guard let code = ConfirmationCode(word) else { continue }
            let (position, rows) = try await read(
                request, from: [BookingByCode.self], [BookingSearch.booking(with: code)])
            reached = min(reached, position)
            guard let booking = BookingSearch.bookings(rows[0]).first else { continue }
            filter.booking = booking
            filter.words.remove(at: index)
            return reached
        }
        return reached
    }

    /// The sailings that a search is about; nil where it names no condition on them.
    private func sailings(
        _ request: Request
    ) async throws(Problem) -> (sailings: [SailingID], position: Int64)? {
        let (launch, mission) = (
            try request.id("launch", Kind.Launch.self), try request.id("mission", Kind.Mission.self)
        )
        let (trip, boat) = (
            try request.id("trip", Kind.Trip.self), try request.id("boat", Kind.Boat.self)
        )
        let (from, until) = (
            try request.instant("departsFrom"), try request.instant("departsUntil")
        )
        let ids = [launch?.entity, mission?.entity, trip?.entity, boat?.entity]
        guard ids.contains(where: { $0 != nil }) || from != nil || until != nil else { return nil }
        let (position, rows) = try await read(
            request, from: [SailingAvailability.self, TripsOnSale.self],
            [
                BookingSearch.sailings(
                    launch: launch, mission: mission, trip: trip, boat: boat, departsFrom: from,
                    departsUntil: until)
            ])
        let sailings = BookingSearch.sailings(rows[0])
        guard sailings.count <= BookingFilter.sailingLimit else {
            throw Problem.malformed(
                field: "departsFrom",
                "is too wide: a search may be about \(BookingFilter.sailingLimit) sailings")
        }
        return (sailings, position)
    }

    private func manifest(_ request: Request, _ sailing: SailingID) async throws -> Response {
        try request.allowQuery(only: "limit", "cursor", "min-position", "as-of")
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageLimit
        let after = try Cursor(request.query("cursor")).map { cursor throws(Problem) in
            (lastName: try cursor.string(), booking: BookingID(cursor.id))
        }
        let (position, found) = try await sold(request, sailing, after: after, limit: limit + 1)
        let views = found.prefix(limit)
        let next =
            found.count > limit
            ? views.last.map { Cursor($0.lastName ?? "", $0.booking.entity) } : nil
        return answer(position: position) { json in
            json.field("sailing", sailing)
            json.field("bookings", views) { json, view in
                json.object { json in
                    json.field("booking", view.booking)
                    json.field("code", view.code)
                    json.field("firstName", view.firstName)
                    json.field("lastName", view.lastName)
                    json.field("specialRequests", view.specialRequests)
                    json.field("seats", view.row.seats) { $0.write($1) }
                    json.field("passengers", view.row.passengers) { $0.value($1) }
                    json.field("aboard", view.row.aboard) { $0.value($1) }
                    json.field("merchandise", view.merchandise) { $0.write($1) }
                }
            }
            json.field("next", next?.text)
        }
    }
}

extension QueryAPI {
    /// A page of a manifest as the read models have it, or as of the moment that is named.
    private func sold(
        _ request: Request, _ sailing: SailingID,
        after: (lastName: String, booking: BookingID)?, limit: Int
    ) async throws -> (position: Int64, entries: [ManifestEntry]) {
        if let moment = try await asOf(request) {
            let sold = try await lookingBack { try await Manifest.sold(on: sailing, asOf: moment) }
            guard let all = sold else { throw Problem.notFound("sailing").at(moment.position) }
            let rest = all.drop { entry in
                after.map { (entry.lastName ?? "", entry.booking.entity) <= ($0, $1.entity) }
                    ?? false
            }
            return (moment.position, Array(rest.prefix(limit)))
        }
        return try await soldNow(request, sailing, after: after, limit: limit)
    }

    /// A page of a manifest as the read models have it.
    func soldNow(
        _ request: Request, _ sailing: SailingID,
        after: (lastName: String, booking: BookingID)?, limit: Int
    ) async throws(Problem) -> (position: Int64, entries: [ManifestEntry]) {
        let (position, rows) = try await read(
            request,
            from: [
                Manifest.self, BookingSearch.self, BookingByCode.self, SailingAvailability.self,
            ],
            [
                Manifest.sold(on: sailing, after: after, limit: limit),
                SailingAvailability.known(sailing),
            ])
        guard rows[1].count > 0 else { throw Problem.notFound("sailing").at(position) }
        return (position, Manifest.entries(rows[0]))
    }
}

extension Cursor {
    fileprivate init(_ place: BookingFilter.Place) {
        switch place {
        case .placed(let instant, let booking): self.init(instant, booking.entity)
        case .named(let name, let booking): self.init(name, booking.entity)
        }
    }
}

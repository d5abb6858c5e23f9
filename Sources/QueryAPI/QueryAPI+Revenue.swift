internal import Access
internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Postgres
internal import Projections
internal import Web

/// What was sold, in sums.
extension QueryAPI {
    var revenueOperations: [Operation] {
        [
            Operation("showRevenue", .get, "/v1/revenue", for: .books) { request, _ in
                try await revenue(request)
            },
            Operation("showCommission", .get, "/v1/api-keys/{key}/commission", for: .books) {
                request, context in
                try await commission(request, context.id("key"))
            },
            Operation(
                "showStatistics", .get, "/v1/missions/{mission}/statistics", for: .books
            ) { request, context in
                try await statistics(request, context.id("mission"))
            },
        ]
    }

    private func revenue(_ request: Request) async throws -> Response {
        try request.allowQuery(only: "from", "until", "location", "min-position")
        let (first, last) = (try day("from", request), try day("until", request))
        let span = last.daysSince1970 - first.daysSince1970
        guard (0..<Int64(BookingByCode.revenueDayLimit)).contains(span) else {
            throw Problem.malformed(
                field: "until",
                "must be 0 to \(BookingByCode.revenueDayLimit - 1) days after 'from'")
        }
        let location = try request.id("location", Kind.Location.self)
        let (position, rows) = try await read(
            request, from: [BookingByCode.self, CatalogueEntries.self],
            [BookingByCode.revenue(from: first.text, until: last.text, at: location)]
                + [location.map { CatalogueEntries.one($0.entity) }].compactMap { $0 })
        if rows.count > 1, CatalogueEntries.entries(rows[1]).first?.row.kind != .location {
            throw Problem.notFound("location").at(position)
        }
        let days = BookingByCode.revenues(rows[0])
        return answer(position: position) { json in
            json.field("currency", Currency.usd.rawValue)
            json.field("days", days) { json, day in
                json.object { json in
                    json.field("day", day.day)
                    json.field("bookingCount", day.bookingCount)
                    json.write(day.sums)
                }
            }
        }
    }

    private func day(_ name: String, _ request: Request) throws(Problem) -> CivilDate {
        guard let text = try request.query(name), let date = CivilDate(text) else {
            throw .malformed(field: name, "must be a day such as 2026-11-22")
        }
        return date
    }

    /// What a reseller gets: his share of what his customers paid for seats and merchandise, without tax and
    /// tips, of what was not given back.
    private func commission(_ request: Request, _ key: APIKeyID) async throws -> Response {
        try request.allowQuery(only: "min-position")
        let (position, rows) = try await read(
            request, from: [BookingByCode.self],
            [Credentials.key(key), BookingByCode.revenue(of: key)])
        guard let known = Credentials.keys(rows[0]).first,
            let sold = BookingByCode.revenues(rows[1]).first
        else { throw Problem.notFound("API key").at(position) }
        let base = max(0, sold.sums.gross - sold.sums.discount)
        let rate = BasisPoints(known.commission ?? 0)
        return answer(position: position) { json in
            json.field("key", key)
            json.field("label", known.label)
            json.field("currency", Currency.usd.rawValue)
            json.field("bookingCount", sold.bookingCount)
            json.write(sold.sums)
            json.field("commissionBasisPoints", known.commission)
            json.field("commission", rate?.share(of: Money(minorUnits: base)).minorUnits ?? 0)
        }
    }

    private func statistics(_ request: Request, _ mission: MissionID) async throws -> Response {
        try request.allowQuery(only: "min-position")
        let (position, rows) = try await read(
            request,
            from: [
                BookingByCode.self, Manifest.self, SailingAvailability.self, CatalogueEntries.self,
            ],
            [
                BookingByCode.revenue(of: mission), BookingByCode.tripRevenue(of: mission),
                CatalogueEntries.one(mission.entity),
            ])
        guard rows[2].count == 1, let all = BookingByCode.revenues(rows[0]).first else {
            throw Problem.notFound("mission").at(position)
        }
        let trips = BookingByCode.tripRevenues(rows[1])
        return answer(position: position) { json in
            json.field("mission", mission)
            json.field("currency", Currency.usd.rawValue)
            json.field("bookingCount", all.bookingCount)
            json.write(all.sums)
            json.field("trips", trips) { json, trip in
                json.object { json in
                    json.field("trip", trip.trip)
                    json.field("bookingCount", trip.bookingCount)
                    json.field("seatCount", trip.seatCount)
                    json.field("aboardCount", trip.aboardCount)
                    json.write(trip.sums)
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ sums: MoneyEntry.Sums) {
        field("gross", sums.gross)
        field("discounts", sums.discount)
        field("tax", sums.tax)
        field("tips", sums.tip)
        field("waived", sums.waived)
        field("total", sums.total)
        field("charged", sums.charged)
        field("refunds", sums.refunded)
        field("net", sums.net)
    }
}

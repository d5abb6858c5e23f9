internal import Domain
internal import EventCodec
internal import EventLog
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import NIOCore
internal import Postgres
internal import Projections
internal import Web

extension QueryAPI {
    var tripOperations: [Operation] {
        [
            Operation("listTrips", .get, "/v1/trips") { request, _ in try await trips(request) },
            Operation("showTrip", .get, "/v1/trips/{trip}") { request, context in
                try await trip(request, context.id("trip"))
            },
            Operation(
                "watchAvailability", .get, "/v1/trips/{trip}/availability", isStream: true
            ) { request, context in
                try await watchAvailability(request, of: context.id("trip"))
            },
        ]
    }

    private enum Flag: String, CaseIterable {
        case `true`, `false`
    }

    private func trips(_ request: Request) async throws -> Response {
        try request.allowQuery(only: "all", "departsFrom", "limit", "cursor", "min-position")
        let isAll = try request.query("all", of: Flag.self) == .true
        if isAll { try Caller.current.require(.crew) }
        let (now, start) = (clock(), try request.instant("departsFrom"))
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageDefault
        let cursor = try Cursor(request.query("cursor"))
        let after = try cursor.map { cursor throws(Problem) in
            (departure: try cursor.instant(), trip: TripID(cursor.id))
        }
        let (position, rows) = try await read(
            request, from: [TripsOnSale.self, CatalogueEntries.self],
            [
                isAll
                    ? TripsOnSale.all(
                        from: start ?? .earliest, after: after, limit: limit + 1)
                    : TripsOnSale.upcoming(
                        at: max(now, start ?? now), after: after, limit: limit + 1)
            ])
        let found = TripsOnSale.views(rows[0])
        let views = found.prefix(limit)
        let sailings = try await sailings(request, of: views.map(\.trip.scheduled.trip))
        let next =
            found.count > limit
            ? views.last.map {
                Cursor($0.trip.scheduled.times.departure, $0.trip.scheduled.trip.entity)
            } : nil
        return answer(position: min(position, sailings.position)) { json in
            json.field("trips", views) { json, view in
                json.object { write(view, sailings.views, to: &$0) }
            }
            json.field("next", next?.text)
        }
    }

    private func trip(_ request: Request, _ trip: TripID) async throws -> Response {
        try request.allowQuery(only: "min-position")
        let (position, rows) = try await read(
            request, from: [TripsOnSale.self, CatalogueEntries.self], [TripsOnSale.one(trip)])
        guard let view = TripsOnSale.views(rows[0]).first else {
            throw Problem.notFound("trip").at(position)
        }
        let sailings = try await sailings(request, of: [trip])
        return answer(position: min(position, sailings.position)) {
            write(view, sailings.views, to: &$0)
        }
    }

    private func sailings(
        _ request: Request, of trips: [TripID], unassignedSince: Int64 = .max
    ) async throws(Problem) -> (position: Int64, views: [SailingView]) {
        let (position, rows) = try await read(
            request, from: [SailingAvailability.self, CatalogueEntries.self],
            [SailingAvailability.sailings(of: trips, unassignedSince: unassignedSince)])
        return (position, SailingAvailability.views(rows[0]))
    }

    private func write(_ view: TripView, _ sailings: [SailingView], to json: inout JSONWriter) {
        let trip = view.trip.scheduled
        let now = clock()
        let mode = trip.saleMode.effective(opening: trip.salesOpenAt, at: now)
        json.field("trip", trip.trip)
        json.field("label", trip.label)
        json.field("kind", trip.kind.rawValue)
        json.field("launch") { json in
            json.field("id", trip.launch)
            json.field("name", view.launchName)
            json.field("liftOff", view.liftOff)
        }
        json.field("mission") { json in
            json.field("id", trip.mission)
            json.field("name", view.missionName)
        }
        json.field("location") { json in
            json.field("id", trip.location)
            json.field("name", view.locationName)
        }
        json.field("timeZone", view.timeZone)
        json.field("checkIn", trip.times.checkIn)
        json.field("boarding", trip.times.boarding)
        json.field("departure", trip.times.departure)
        json.field("saleMode", mode.rawValue)
        json.field("salesOpenAt", trip.salesOpenAt)
        json.field("isListed", trip.isListed)
        let obstacle = obstacle(
            to: .public, selling: trip, isArchived: view.isArchived, isActive: view.isActive,
            at: now)
        json.field("notOnSale", obstacle?.rawValue)
        json.field("sailings", sailings.filter { $0.row.trip == trip.trip }) { $1.write(to: &$0) }
    }

    // MARK: Live

    /// Server-sent events: each sailing of the trip at once, and again whenever it changes.
    ///
    /// An event's id is the position of the change; with `Last-Event-ID` only what changed with that
    /// one or since is sent, for of several sailings that one event changed some may have got lost.
    /// Source: HTML Living Standard, "Server-sent events".
    private func watchAvailability(_ request: Request, of trip: TripID) async throws -> Response {
        try request.allowQuery(only: "min-position")
        let named = request.headers[.lastEventID].flatMap { Int64($0) } ?? 0
        let (position, rows) = try await read(
            request, from: [TripsOnSale.self, CatalogueEntries.self], [TripsOnSale.one(trip)])
        guard !TripsOnSale.views(rows[0]).isEmpty else {
            throw Problem.notFound("trip").at(position)
        }
        let since = try await isOfThisLog(named, position) ? named : 0
        guard let changes = await feed.changes(of: trip) else {
            throw Problem.unavailable("too many are watching")
        }
        // Who has seen none of them has not seen those either whose boat was taken off.
        let shown = try await sailings(
            request, of: [trip], unassignedSince: named > 0 ? since : .max)
        let now = shown.views.map { $0.known(to: shown.position) }
            .filter { $0.position >= since }.sorted { $0.position < $1.position }
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        headers[.position] = String(position)
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await writer.write(
                    ByteBuffer(bytes: "retry: 2000\n\n".utf8 + now.flatMap(\.serverSentEvent)))
                for await change in changes {
                    try await writer.write(ByteBuffer(bytes: change))
                }
                try await writer.finish(nil)
            })
    }

    /// What the log does not have was shown before it was restored to an earlier moment: to who has seen that,
    /// everything is new.
    private func isOfThisLog(_ named: Int64, _ reached: Int64) async throws(Problem) -> Bool {
        if named <= reached { return true }
        do throws(PostgresError) {
            return named <= (try await EventLog(client).head())
        } catch {
            throw .unavailable("the log can't be read now")
        }
    }
}

extension SailingView {
    /// The same, claiming no more than what all of its read models had reached.
    fileprivate func known(to position: Int64) -> SailingView {
        var view = self
        view.position = min(view.position, position)
        return view
    }

    /// The sailing as one server-sent event.
    var serverSentEvent: [UInt8] {
        Array("event: availability\nid: \(position)\ndata: ".utf8)
            + JSONWriter.write { write(to: &$0) } + Array("\n\n".utf8)
    }
}

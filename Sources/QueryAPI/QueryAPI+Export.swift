internal import Domain
internal import EventCodec
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Postgres
internal import ProjectionEngine
internal import Projections
internal import Synchronization
internal import Web

/// Tables for spreadsheets, of any length: read page by page in one transaction, so that they are of one
/// moment, and sent as they are read.
extension QueryAPI {
    /// Exports at a time: each has a connection of its own.
    static let exportLimit = 2
    static let exportPageLimit = 1000

    var exportOperations: [Operation] {
        [
            Operation(
                "exportBookings", .get, "/v1/exports/bookings.csv", for: .books, isStream: true
            ) { request, _ in
                try request.allowQuery(only: Self.filterNames + ["min-position"])
                let (filter, _) = try await filter(request)
                return try await export(
                    request, [BookingSearch.self], Self.bookingColumns,
                    { after, limit in
                        var filter = filter
                        filter.after = after
                        return BookingSearch.search(filter, limit: limit)
                    },
                    { rows in
                        let views = BookingSearch.views(rows)
                        return (
                            views.map(bookingFields),
                            views.last.map { BookingFilter.Place($0, in: filter.order) }
                        )
                    })
            },
            Operation(
                "exportManifest", .get, "/v1/exports/sailings/{sailing}/manifest.csv", for: .crew,
                isStream: true
            ) { request, context in
                try request.allowQuery(only: "min-position")
                let sailing = try context.id("sailing", Kind.Sailing.self)
                let (position, known) = try await read(
                    request, from: [SailingAvailability.self],
                    [SailingAvailability.known(sailing)])
                guard known[0].count > 0 else {
                    throw Problem.notFound("sailing").at(position)
                }
                return try await export(
                    request, [Manifest.self, BookingSearch.self, BookingByCode.self],
                    Self.manifestColumns,
                    { Manifest.sold(on: sailing, after: $0, limit: $1) },
                    { rows in
                        let entries = Manifest.entries(rows)
                        return (
                            entries.map(manifestFields),
                            entries.last.map { ($0.lastName ?? "", $0.booking) }
                        )
                    })
            },
            Operation(
                "exportLedger", .get, "/v1/exports/ledger.csv", for: .books, isStream: true
            ) { request, _ in
                try request.allowQuery(only: "min-position")
                return try await export(
                    request, [PaymentLedger.self], Self.ledgerColumns,
                    { PaymentLedger.all(of: nil, in: nil, after: $0, limit: $1) },
                    { rows in
                        let entries = PaymentLedger.entries(rows)
                        return (
                            entries.map(ledgerFields), entries.last.map { ($0.row.begunAt, $0.id) }
                        )
                    })
            },
        ]
    }

    /// Reads a table to its end, a page after another; `page` has the calls and `fields` the lines and where
    /// the next page begins.
    private func export<Place: Sendable>(
        _ request: Request, _ models: [any ReadModel.Type], _ columns: [String],
        _ page: @escaping @Sendable (Place?, Int) -> PostgresCall,
        _ fields: @escaping @Sendable (Rows) -> ([[CSV.Field]], next: Place?)
    ) async throws -> Response {
        guard let ticket = exports.ticket(limit: Self.exportLimit) else {
            throw Problem.unavailable("others are exporting: try again")
        }
        _ = try await read(request, from: models, [])
        let connection: PostgresConnection
        let position: Int64
        do throws(PostgresError) {
            connection = try await PostgresConnection.connect(to: exports.configuration)
            try await connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            let reached = ProjectionStatus.reached(by: models.map { $0.name })
            position = Int64(try await connection.run([reached])[0].integer(0, 0))
        } catch {
            throw Problem.unavailable("the read models can't be reached now")
        }
        let body = ResponseBody { writer in
            defer { withExtendedLifetime(ticket) {} }
            var csv = CSV()
            csv.addNames(columns)
            var after: Place?
            repeat {
                let rows = try await connection.run([page(after, Self.exportPageLimit)])[0]
                let (lines, next) = fields(rows)
                for line in lines { csv.add(line) }
                try await writer.write(ByteBuffer(string: csv.take()))
                after = rows.count == Self.exportPageLimit ? next : nil
            } while after != nil
            try await connection.run("COMMIT")
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present",
                .position: String(position),
            ], body: body)
    }

    // MARK: Columns, whose names never change

    private static let bookingColumns = [
        "code", "status", "placed_at", "first_name", "last_name", "email", "phone", "seats",
        "aboard", "total", "currency", "mission", "booking",
    ]

    private static let manifestColumns = [
        "code", "first_name", "last_name", "seats", "passengers", "aboard", "special_requests",
        "booking", "merchandise",
    ]

    private static let ledgerColumns = [
        "begun_at", "changed_at", "state", "amount", "currency", "provider", "cause", "goodwill",
        "past_cutoff", "disputed", "reason", "booking", "payment", "entry", "means",
    ]
}

private func bookingFields(_ view: (booking: BookingID, row: BookingSearch.Row)) -> [CSV.Field] {
    let row = view.row
    return [
        .text(row.code.description), .text(row.status.rawValue), .text(row.placedAt.description),
        .text(row.firstName), .text(row.lastName), .text(row.email), .text(row.phone),
        .number(row.seatCount), .number(row.aboardCount), .number(row.total.minorUnits),
        .text(row.total.currency.rawValue), .text(row.mission.description),
        .text(view.booking.description),
    ]
}

private func manifestFields(_ entry: ManifestEntry) -> [CSV.Field] {
    func text(_ portions: [Quote.Portion]) -> String {
        portions.map { "\($0.quantity) \($0.label)" }.joined(separator: "; ")
    }
    return [
        .text(entry.code), .text(entry.firstName), .text(entry.lastName),
        .text(text(entry.row.seats)),
        .number(entry.row.passengers.count), .number(entry.row.aboard.count),
        .text(entry.specialRequests), .text(entry.booking.description),
        .text(text(entry.merchandise)),
    ]
}

private func ledgerFields(_ entry: LedgerEntry) -> [CSV.Field] {
    let row = entry.row
    return [
        .text(row.begunAt.description), .text(row.changedAt.description),
        .text(row.state.rawValue), .number(row.amount.minorUnits),
        .text(row.amount.currency.rawValue), .text(row.provider.rawValue),
        .text(row.cause?.rawValue), .text("\(row.isGoodwill)"), .text("\(row.isPastCutoff)"),
        .text("\(row.isDisputed)"), .text(row.reason), .text(row.booking.description),
        .text(row.payment.description), .text("\(entry.id)"), .text(row.means?.rawValue),
    ]
}

/// Counts the exports under way.
final class Exports: Sendable {
    let configuration: PostgresConfiguration
    fileprivate let count = Mutex(0)

    init(_ configuration: PostgresConfiguration) {
        var configuration = configuration
        // Who stops reading has a place, and tables that a rebuild wants to swap.
        configuration.settings["idle_in_transaction_session_timeout"] = "60s"
        self.configuration = configuration
    }

    /// Lets one more in; nil when there are so many already.
    func ticket(limit: Int) -> Ticket? {
        let isFree = count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        return isFree ? Ticket(self) : nil
    }

    /// Counts for as long as somebody has it: also where nobody reads the answer.
    final class Ticket: Sendable {
        private let exports: Exports

        fileprivate init(_ exports: Exports) {
            self.exports = exports
        }

        deinit {
            exports.count.withLock { $0 -= 1 }
        }
    }
}

internal import Domain
internal import EventCodec
internal import Hummingbird
internal import JSON
internal import Projections
internal import Web

extension QueryAPI {
    var ledgerOperations: [Operation] {
        [
            Operation("showLedger", .get, "/v1/ledger", for: .books) { request, _ in
                try await ledger(request)
            }
        ]
    }

    private func ledger(_ request: Request) async throws -> Response {
        try request.allowQuery(only: "booking", "state", "limit", "cursor", "min-position")
        let limit = try request.query("limit", in: 1...Self.pageLimit) ?? Self.pageDefault
        let booking = try request.id("booking", Kind.Booking.self)
        let state = try request.query("state", of: PaymentLedger.State.self)
        let after = try Cursor(request.query("cursor")).map { cursor throws(Problem) in
            (begunAt: try cursor.instant(), entry: cursor.id)
        }
        let (position, rows) = try await read(
            request, from: [PaymentLedger.self],
            [PaymentLedger.all(of: booking, in: state, after: after, limit: limit + 1)])
        let found = PaymentLedger.entries(rows[0])
        let entries = found.prefix(limit)
        let next =
            found.count > limit ? entries.last.map { Cursor($0.row.begunAt, $0.id) } : nil
        return answer(position: position) { json in
            json.field("entries", entries) { json, entry in json.object { $0.write(entry) } }
            json.field("next", next?.text)
        }
    }
}

extension JSONWriter {
    mutating func write(_ entry: LedgerEntry) {
        let row = entry.row
        name("entry")
        value(entry.id)
        field("booking", row.booking)
        field("payment", row.payment)
        field("provider", row.provider.rawValue)
        field("means", row.means?.rawValue)
        field("amount") { $0.write(row.amount) }
        field("state", row.state.rawValue)
        field("isDisputed", row.isDisputed)
        field("cause", row.cause?.rawValue)
        field("isGoodwill", row.isGoodwill)
        field("isPastCutoff", row.isPastCutoff)
        field("reason", row.reason)
        field("begunAt", row.begunAt)
        field("changedAt", row.changedAt)
    }
}

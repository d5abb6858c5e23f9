public import Domain
public import ProjectionEngine

extension BookingByCode {
    /// The booking with a code and its movements of money, as of a moment; nil when it was not placed yet.
    public static func one(
        _ code: ConfirmationCode, asOf moment: AsOf
    ) async throws -> (booking: BookingID, row: Row, ledger: [LedgerEntry])? {
        guard let booking = try await booking(with: code, asOf: moment) else { return nil }
        let events = try await moment.events(
            of: [booking.entity], for: [BookingByCode.self, PaymentLedger.self]
        ).map(\.event)
        guard let view = moment.rows(of: BookingByCode.self, from: events)[booking] else {
            return nil
        }
        let ledger = moment.rows(of: PaymentLedger.self, from: events)
            .map { LedgerEntry(id: $0, row: $1.row) }
            .filter { $0.row.booking == booking }
            .sorted { ($0.row.begunAt, $0.id) < ($1.row.begunAt, $1.id) }
        return (booking, view.row, ledger)
    }

    /// Which booking got a code; nil when none had by then.
    public static func booking(
        with code: ConfirmationCode, asOf moment: AsOf
    ) async throws -> BookingID? {
        for (_, event) in try await moment.events(
            of: [code.entity], for: [BookingByCode.self])
        {
            if case .bookingPlaced(let fact) = event.event, fact.code == code {
                return fact.booking
            }
        }
        return nil
    }
}

import EventCodec
import Testing

@testable import Domain

/// A season drawn by chance: tens of thousands of commands of every kind, and what must hold after each.
@Suite struct SeasonTests {
    /// Seven seasons that are the same in every run, and one that nobody has seen yet.
    @Test(
        "keeps every promise through seasons of mixed commands",
        arguments: Array(1...7) + [.random(in: 8 ... .max)])
    func keepsPromises(_ seed: UInt64) throws {
        var season = Season(seed: seed)
        try season.open()
        for _ in 0..<10_000 { season.step() }
        #expect(season.auditFaults == [])
        #expect(season.chargedWithoutSeats == [])
        #expect(season.acceptedCount > 2_000)
        #expect(season.kinds.count >= 30, "\(season.kinds.map(\.name).sorted())")
    }

    @Test("would see a seat, a code and a thing that were sold once too often")
    func seesFaults() throws {
        var season = Season(seed: 1)
        try season.open()
        let sailing = season.sailings[0]
        let seats = [SeatLine(sailing: sailing, ticketType: season.adult, quantity: 1000)]
        season.record([
            .bookingConfirmed(
                BookingConfirmed(
                    booking: id(1), holdings: Holdings(seats: seats), basis: .free))
        ])
        #expect(season.faults(of: [sailing.entity]).count == 1)
        let code = CodeUse(code: season.code, discount: .zero)
        let goods = MerchandiseLine(
            offer: season.offer, variation: season.variation, quantity: 1000)
        let both = Holdings(
            seats: [], codes: Array(repeating: code, count: 1000), merchandise: [goods])
        season.record([
            .bookingConfirmed(BookingConfirmed(booking: id(2), holdings: both, basis: .free))
        ])
        #expect(season.faults(of: [season.code.entity]).count == 1)
        #expect(season.faults(of: [season.variation.entity]).count == 1)
        #expect(season.faults(of: [season.offer.entity]).count == 1)
        let seen = Set(season.auditFaults.map(\.statement))
        #expect(
            seen.isSuperset(of: [
                .overLimit, .codeOverused, .stockOverused, .allotmentOverused, .impossibleState,
            ]))
    }

    @Test("would see limits that were lowered below what is sold, and things that nobody bought")
    func seesLoweredLimits() throws {
        var season = Season(seed: 1)
        try season.open()
        let bought = Holdings(
            seats: [SeatLine(sailing: Fleet.sailing, ticketType: season.adult, quantity: 2)],
            merchandise: [
                MerchandiseLine(offer: season.offer, variation: season.variation, quantity: 2)
            ])
        season.record([
            .bookingConfirmed(BookingConfirmed(booking: id(1), holdings: bought, basis: .free))
        ])
        let cases: [(Event, Audit.Statement)] = [
            (.sailingLimitSet(SailingLimitSet(sailing: Fleet.sailing, limit: 1)), .overLimit),
            (.boatCapacityChanged(BoatCapacityChanged(boat: Fleet.boat, capacity: 1)), .overLimit),
            (
                .ticketTypeCapped(
                    TicketTypeChanged(
                        sailing: Fleet.sailing, ticketType: season.adult, value: .fixed(1))),
                .overLimit
            ),
            (
                .stockAdjusted(
                    StockAdjusted(variation: season.variation, quantity: -19, reason: "lost")),
                .stockOverused
            ),
            (
                .offerAllotmentSet(OfferAllotmentSet(offer: season.offer, allotment: 1)),
                .allotmentOverused
            ),
            (
                .merchandiseFulfilled(
                    MerchandiseFulfilled(
                        booking: id(1), merchandise: bought.merchandise + bought.merchandise)),
                .handedOverTooMuch
            ),
        ]
        for (event, statement) in cases {
            var season = season
            let count = season.auditFaults.count
            season.record([event])
            #expect(
                season.auditFaults.dropFirst(count).map(\.statement) == [statement], "\(event)")
        }
    }
}

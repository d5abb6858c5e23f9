import EventCodec
import Testing

@testable import Domain

/// People at the quay, and scanners that were out of reach.
@Suite struct ScanTests {
    private let sold = Story.given(Harbour.events(), ada.placed(3), ada.confirmed(3))

    private func scan(
        _ number: UInt64, by scanner: String = "Dock 1", _ passengers: [Int]? = nil,
        minute: Int, aboard: Bool = true, sailing: SailingID = Fleet.sailing
    ) -> RecordScan {
        RecordScan(
            scan: id(1000 + number), subject: .booking(ada.booking), sailing: sailing,
            passengers: passengers, scanner: scanner, at: departure - .minutes(60 - minute),
            isAboard: aboard)
    }

    /// The story after these were told, each at the trip's departure.
    private func told(_ scans: [RecordScan], in story: Story? = nil) -> Story {
        scans.reduce(story ?? sold) { story, scan in
            story.adding((try? story.decide(scan, at: departure).get()) ?? [])
        }
    }

    private func life(_ story: Story) -> BookingLife {
        World(source: StorySource(story.history)).look(at: BookingLife.self, of: ada.booking)
    }

    @Test("lets people aboard by what a scanner saw, told when the trip has departed")
    func boards() throws {
        let events = try sold.decide(scan(1, [2], minute: 0), at: departure).get()
        #expect(events.map(\.type) == [.passengersScanned, .passengerCheckedIn])
        #expect(life(told([scan(1, [2], minute: 0)])).aboard == [2])
        let completed = sold.adding(
            try sold.decide(CompleteBooking(booking: ada.booking), at: departure).get())
        #expect(life(told([scan(1, minute: 0)], in: completed)).aboard == [1, 2, 3])
    }

    @Test("keeps those aboard who were scanned with one who is not of the booking any more")
    func boardsTheRest() throws {
        let fewer = sold.adding(
            try sold.decide(
                ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 2)])
            ).get())
        #expect(life(told([scan(1, [1, 2, 3], minute: 0)], in: fewer)).aboard == [1, 2])
        fewer.when(scan(1, [3], minute: 0), at: departure)
            .then(.unknownPassengers(numbers: [3], passengerCount: 2))
        fewer.when(scan(1, [1, 4], minute: 0), at: departure)
            .then(.unknownPassengers(numbers: [4], passengerCount: 2))
        let apart = sold.adding(
            try sold.decide(
                ChangeBooking(
                    booking: ada.booking,
                    changes: [.move(from: Harbour.adult, to: Harbour.onSister, quantity: 1)])
            ).get())
        #expect(life(told([scan(1, [1, 2, 3], minute: 0)], in: apart)).aboard == [1, 2])
        // Who goes ashore need not pay first what has become due since.
        let aboard = told([scan(1, minute: 0)])
        let due = aboard.adding(
            try aboard.decide(
                ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 4)])
            ).get())
        #expect(life(told([scan(2, [1], minute: 1, aboard: false)], in: due)).aboard == [2, 3])
    }

    @Test("takes the same scan twice as once, and a booking by its code")
    func takesOnce() throws {
        let once = told([scan(1, minute: 0)])
        once.when(scan(1, minute: 0), at: departure).thenNothing()
        var byCode = scan(2, minute: 1)
        byCode.subject = .code(ada.code)
        #expect(life(told([byCode])).aboard == [1, 2, 3])
        byCode.subject = .code(bob.code)
        sold.when(byCode, at: departure).then(.unknownCode(bob.code))
    }

    @Test("comes to the same whatever order scans are told in, and however often")
    func isIndifferentToOrder() {
        let scans = [
            scan(1, by: "Dock 1", [1, 2], minute: 0), scan(2, by: "Dock 2", [2, 3], minute: 2),
            scan(3, by: "Dock 1", [2], minute: 3, aboard: false),
            scan(4, by: "Dock 2", [1], minute: 3, aboard: false),
            scan(5, by: "Dock 3", [2], minute: 5),
        ]
        for _ in 0..<200 {
            let order = (scans + scans).shuffled()
            let story = told(order)
            #expect(life(story).aboard == [2, 3])
            #expect(Set(life(story).scans) == Set(life(told(scans)).scans))
            for scan in scans {
                #expect(outcome(of: scan, story) == outcome(of: scan, told(scans)))
            }
        }
    }

    @Test("would not come to the same if the last word counted instead of the last sight")
    func orderMatters() {
        let scans = [
            scan(1, [1], minute: 0), scan(2, [1], minute: 1, aboard: false),
        ]
        func lastWord(_ scans: [RecordScan]) -> Bool? { scans.last?.isAboard }
        #expect(lastWord(scans) != lastWord(scans.reversed()))
        #expect(life(told(scans)).aboard == life(told(scans.reversed())).aboard)
    }

    private func outcome(of scan: RecordScan, _ story: Story) -> ScanOutcome.Answer? {
        var answer = try? story.ask(
            ScanOutcome(scan: scan.scan, subject: scan.subject), at: departure
        ).get()
        answer?.others.sort { $0.scan.entity < $1.scan.entity }
        return answer
    }

    @Test("tells both scanners that let the same person in")
    func tellsBoth() throws {
        let (first, second) = (scan(1, by: "Dock 1", minute: 0), scan(2, by: "Dock 2", minute: 1))
        for order in [[first, second], [second, first]] {
            let story = told(order)
            let one = try #require(outcome(of: first, story))
            let two = try #require(outcome(of: second, story))
            #expect(one.first == [1, 2, 3] && one.others.map(\.scanner) == ["Dock 2"])
            #expect(two.first.isEmpty && two.others.map(\.scanner) == ["Dock 1"])
            #expect(story.history.count { $0.type == .passengerCheckedIn } == 1)
        }
    }

    @Test("lets nobody in twice at one door, nor after he was let in by hand, and lets him back in")
    func tellsSecond() throws {
        let story = told([scan(1, minute: 0), scan(2, minute: 1)])
        #expect(outcome(of: scan(1, minute: 0), story)?.first == [1, 2, 3])
        #expect(outcome(of: scan(2, minute: 1), story)?.first.isEmpty == true)
        let byHand = sold.adding(
            try sold.decide(
                CheckInPassengers(booking: ada.booking, sailing: Fleet.sailing, passengers: [2])
            ).get())
        #expect(
            outcome(of: scan(1, minute: 0), told([scan(1, minute: 0)], in: byHand))?.first == [
                1, 3,
            ])
        let back = told([
            scan(1, minute: 0), scan(2, minute: 5, aboard: false),
            scan(3, by: "Dock 2", minute: 9),
        ])
        #expect(outcome(of: scan(3, minute: 9), back)?.first == [1, 2, 3])
    }

    @Test("tells another boat, another day, somebody who has not paid and a stranger apart")
    func tellsApart() throws {
        sold.when(scan(1, minute: 0, sailing: Harbour.sister), at: departure)
            .then(.wrongSailing(theirs: Fleet.sailing))
        sold.when(scan(1, minute: 0, sailing: Harbour.later), at: departure)
            .then(.wrongDay(departure: departure))
        sold.when(scan(1, minute: 0, sailing: id(77)), at: departure)
            .then(.unknown(kind: "sailing", id: id(77, Kind.Sailing.self).entity))
        Story.given(Harbour.events(), ada.placed(3)).when(scan(1, minute: 0), at: departure)
            .then(.paymentDue(total: Money(minorUnits: 41409)))
        let more = try sold.decide(
            ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 4)])
        ).get()
        sold.adding(more).when(scan(1, minute: 0), at: departure)
            .then(.paymentDue(total: Money(minorUnits: 13803)))
        sold.when(scan(1, [4], minute: 0), at: departure)
            .then(.unknownPassengers(numbers: [4], passengerCount: 3))
    }

    @Test(
        "lets nobody wait for what became due after he was seen aboard, and nobody in who came with it"
    )
    func boardsBeforeDue() throws {
        let due = sold.adding(
            try sold.decide(
                ChangeBooking(booking: ada.booking, changes: [.seats(Harbour.adult, quantity: 4)])
            ).get())
        // Everything that happened before was recorded at dawn.
        let beforeDawn = -3000
        #expect(life(told([scan(1, minute: beforeDawn)], in: due)).aboard == [1, 2, 3])
        #expect(life(told([scan(1, [2], minute: beforeDawn)], in: due)).aboard == [2])
        for (passengers, minute) in [([4], beforeDawn), ([2], 0)] {
            due.when(scan(1, passengers, minute: minute), at: departure)
                .then(.paymentDue(total: Money(minorUnits: 13803)))
        }
    }

    @Test("believes no scanner whose clock is ahead")
    func refusesFuture() {
        sold.when(scan(1, minute: 0), at: departure - .minutes(66)).then(
            .invalid(field: "at", reason: "is in the future: look at the scanner's clock"))
    }

    @Test("tells people apart at the quay without a scanner as well")
    func checksInPlainly() {
        func checkIn(_ sailing: SailingID) -> CheckInPassengers {
            CheckInPassengers(booking: ada.booking, sailing: sailing, passengers: nil)
        }
        sold.when(checkIn(Harbour.sister)).then(.wrongSailing(theirs: Fleet.sailing))
        sold.when(checkIn(Harbour.later)).then(.wrongDay(departure: departure))
    }
}

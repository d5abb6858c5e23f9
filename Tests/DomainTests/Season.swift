import EventCodec
import Testing

@testable import Domain

/// A season drawn by chance, checked after each command.
struct Season {
    private var dice: Dice
    private let source = SeasonSource()
    private var audit = Audit()
    private(set) var auditFaults: [Audit.Fault] = []
    private var position: Int64 = 0
    private var now = noon
    private var next: UInt64 = 1_000
    private var bookings: [BookingID] = []
    private var payments: [(PaymentID, BookingID)] = []
    private(set) var acceptedCount = 0
    /// The most that each booking ever cost, and those that were offered other seats.
    private var dearest: [BookingID: Int] = [:]
    private var offered: Set<BookingID> = []
    private(set) var kinds: Set<EventType> = []

    let fleet = Fleet(capacity: 30, limit: 25)
    private(set) var sailings: [SailingID] = [Fleet.sailing, id(500)]
    let adult = Fleet.adult
    let code = SalesCode(.discount, "SPRING")!
    private let crew = SalesCode(.access, "CREW")!
    /// Refunds of what was paid at the dock that are still to be handed out, and scans that may be told again.
    private var asked: [(booking: BookingID, refund: RefundID)] = []
    private var scans: [RecordScan] = []
    let merchandise: MerchandiseID = id(600)
    let variation: VariationID = id(601)
    let offer: OfferID = id(602)

    init(seed: UInt64) {
        dice = Dice(seed: seed)
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int {
        .random(in: range, using: &dice)
    }
    private mutating func number(_ range: Range<Int>) -> Int { .random(in: range, using: &dice) }
    private mutating func chance() -> Bool { .random(using: &dice) }
    private mutating func pick<Things: Collection>(_ things: Things) -> Things.Element? {
        things.randomElement(using: &dice)
    }

    // MARK: Steps

    mutating func open() throws {
        record(fleet.events)
        let second = BoatRegistered(
            boat: id(501), provider: Fleet.provider, jurisdiction: Fleet.jurisdiction,
            name: "Triton", slug: "triton", capacity: 20, ticketTypes: fleet.types)
        record([
            .boatRegistered(second),
            .boatAssigned(
                BoatAssigned(
                    sailing: id(500), trip: Fleet.trip, mission: Fleet.mission,
                    launch: Fleet.launch, boat: id(501), jurisdiction: Fleet.jurisdiction,
                    limit: nil, ticketTypes: fleet.types)),
        ])
        run(
            IssueDiscountCode(
                DiscountCodeIssued(
                    code: code, reduction: .share(BasisPoints(1500)!, cap: nil), useLimit: 12)))
        run(IssueAccessCode(AccessCodeIssued(code: crew, mission: Fleet.mission, useLimit: 40)))
        run(
            KeepMerchandise(.add(MerchandiseAdded(merchandise: merchandise, name: "Mission patch")))
        )
        run(
            KeepMerchandise(
                .addVariation(
                    VariationAdded(
                        variation: variation, merchandise: merchandise, label: "blue",
                        price: Money(minorUnits: 900)))))
        run(KeepMerchandise(.receive(variation, quantity: 20)))
        run(
            KeepMerchandise(
                .offer(
                    MerchandiseOffered(
                        offer: offer, trip: Fleet.trip, variation: variation, allotment: 15))))
    }

    mutating func step() {
        switch number(0..<20) {
        case 0..<5: place()
        case 5..<12: changeBooking()
        case 12..<15: hear()
        case 15, 16: configure()
        case 17: keepShelf()
        // On average a season is seventeen hours long, and the trip departs after thirty-one.
        default: now = now + .seconds(number(0...120))
        }
    }

    private mutating func place() {
        let customer = Customer(drawn())
        var order = customer.order(
            number(1...4), type: chance() ? adult : Fleet.deck,
            tip: number(0...3), seller: chance() ? .staff : .public,
            discount: chance() ? code : nil, access: chance() ? crew : nil,
            merchandise: chance()
                ? [OrderedMerchandise(offer: offer, quantity: number(1...3))] : [])
        for index in order.order.lines.indices {
            order.order.lines[index].sailing = pick(sailings)!
        }
        if chance() {
            let other = sailings.first { $0 != order.order.lines[0].sailing }!
            order.order.lines.append(
                OrderLine(trip: Fleet.trip, sailing: other, ticketType: adult, quantity: 1))
        }
        if order.order.seller == .staff, chance() {
            order.order.mayOversell = true
            order.oversaleReason = "crew"
        }
        if run(order) { bookings.append(customer.booking) }
    }

    private mutating func changeBooking() {
        guard let booking = pick(bookings.suffix(60)) else { return }
        let sailing = pick(sailings)!
        switch number(0..<21) {
        case 18, 19: scan(booking, sailing)
        case 20:
            guard let due = pick(asked.suffix(20)) else { return }
            run(HandOutRefund(booking: due.booking, refund: due.refund))
        case 12..<15: run(randomChange(of: booking))
        case 15:
            run(
                RefundLines(
                    booking: booking,
                    lines: [
                        .seats(
                            Place(sailing: sailing, ticketType: adult),
                            quantity: chance() ? nil : 1)
                    ], reason: "ill", seller: chance() ? .staff : .public))
        case 16:
            run(
                ReassignPassengers(
                    booking: booking, from: sailing, to: sailings.first { $0 != sailing }!,
                    ticketTypes: [:]))
        case 17: run(ConfirmBooking(booking: booking, basis: .alternativeTaken))
        case 0: run(ConfirmBooking(booking: booking, basis: .paidAtTheDock))
        case 1: run(ExtendHold(booking: booking, policy: policy))
        case 2: run(AbandonBooking(booking: booking))
        case 3: run(ExpireHold(booking: booking))
        case 4, 5:
            let life = source.model(BookingLife.self, of: booking.entity)
            run(
                CancelBooking(
                    booking: booking, reason: "fog", version: life.version,
                    seller: chance() ? .staff : .public))
        case 6: run(CheckInPassengers(booking: booking, sailing: sailing, passengers: nil))
        case 7: run(RevertCheckIn(booking: booking, sailing: sailing, passengers: nil))
        case 8:
            run(
                RefundGoodwill(
                    booking: booking, amount: Money(minorUnits: number(1...9000)),
                    reason: "late"))
        case 9: run(CompleteBooking(booking: booking))
        default:
            let payment: PaymentID = id(drawn())
            let start = StartPayment(payment: payment, booking: booking, provider: .sandbox)
            if run(start) { payments.append((payment, booking)) }
        }
    }

    /// What a scanner saw some time ago, or tells a second time.
    private mutating func scan(_ booking: BookingID, _ sailing: SailingID) {
        if chance(), let known = pick(scans.suffix(20)) {
            run(known)
            return
        }
        let scan = RecordScan(
            scan: id(drawn()), subject: .booking(booking), sailing: sailing,
            passengers: chance() ? nil : [number(1...3)], scanner: chance() ? "bow" : "stern",
            at: now - .seconds(number(0...3600)), isAboard: number(0..<4) > 0)
        if run(scan) { scans.append(scan) }
    }

    private mutating func randomChange(of booking: BookingID) -> ChangeBooking {
        func place() -> Place {
            Place(
                sailing: pick(sailings)!, ticketType: chance() ? adult : Fleet.deck)
        }
        let changes = (0..<number(1...2)).map { _ -> OrderChange in
            switch number(0..<4) {
            case 0: .seats(place(), quantity: number(0...5))
            case 1: .merchandise(offer, quantity: number(0...3))
            default:
                .move(from: place(), to: place(), quantity: chance() ? nil : 1)
            }
        }
        return ChangeBooking(
            booking: booking, changes: changes, pricing: chance() ? .kept : .current,
            oversaleReason: chance() ? nil : "crew")
    }

    private mutating func hear() {
        guard let (payment, booking) = pick(payments.suffix(40)) else { return }
        let money = source.model(BookingMoney.self, of: booking.entity)
        let amount = money.payments[payment]?.amount ?? .zero
        let refund = pick(money.refunds.keys.sorted { $0.entity < $1.entity }) ?? id(1)
        let message: HearFromProvider.Message =
            switch number(0..<8) {
            case 0..<4: .succeeded(amount)
            case 4: .declined(reason: "no cover")
            case 5: .disputed(amount)
            case 6: .refundSucceeded(refund)
            default: .refundFailed(refund, reason: "closed")
            }
        run(HearFromProvider(payment: payment, message: message))
    }

    private mutating func configure() {
        let sailing = pick(sailings)!
        func change(_ change: ChangeTicketType.Change) -> ChangeTicketType {
            ChangeTicketType(sailing: sailing, ticketType: Fleet.deck, changes: [change])
        }
        switch number(0..<9) {
        case 7: run(ChangeTrip(trip: Fleet.trip, changes: [.saleMode(pick(SaleMode.allCases)!)]))
        case 8: run(ChangeTrip(trip: Fleet.trip, changes: [.saleMode(.public)]))
        case 0: run(SetSailingLimit(sailing: sailing, limit: number(0...30)))
        case 1: run(change(.cap(.fixed(number(0...8)))))
        case 2: run(change(.price(Money(minorUnits: number(0...20000)))))
        case 3: run(change(.inheritedCap))
        case 4: run(PauseSales(sailing: sailing, isPaused: chance()))
        case 5: run(ChangeBoatCapacity(boat: Fleet.boat, capacity: number(20...40)))
        default: run(SetSailingLimit(sailing: sailing, limit: nil))
        }
    }

    private mutating func keepShelf() {
        switch number(0..<4) {
        case 0: run(KeepMerchandise(.receive(variation, quantity: number(1...3))))
        case 1:
            run(
                KeepMerchandise(
                    .adjust(variation, quantity: number(-9...9), reason: "counted")))
        case 2: run(KeepMerchandise(.allot(offer, number(0...30))))
        default:
            run(
                KeepMerchandise(
                    .reprice(variation, Money(minorUnits: number(100...2000)))))
        }
    }

    var chargedWithoutSeats: [Audit.Fault] { audit.chargedWithoutSeats }

    // MARK: Promises

    @discardableResult
    private mutating func run(_ command: some Command) -> Bool {
        let world = World(source: source)
        guard let events = try? command.decide(in: world, at: now) else { return false }
        acceptedCount += 1
        record(events)
        let touched = Set(events.flatMap(\.tags))
        let faults = faults(of: touched)
        #expect(faults == [], "after \(command)")
        return !events.isEmpty
    }

    mutating func record(_ events: [Event]) {
        for event in events {
            position += 1
            kinds.insert(event.type)
            let recorded = RecordedEvent(position: position, recordedAt: now, event: event)
            source.record(recorded)
            auditFaults += audit.evolve(recorded)
            note(event)
        }
    }

    private mutating func note(_ event: Event) {
        func note(_ booking: BookingID, _ quote: Quote) {
            dearest[booking] = max(dearest[booking] ?? 0, quote.total.minorUnits)
        }
        switch event {
        case .bookingPlaced(let fact): note(fact.booking, fact.quote)
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            note(fact.booking, fact.quote)
        case .alternativeOffered(let fact):
            note(fact.booking, fact.quote)
            offered.insert(fact.booking)
        case .refundRequested(let fact) where fact.provider == .dock:
            asked.append((fact.booking, fact.refund))
        default: break
        }
    }

    private mutating func drawn() -> UInt64 {
        // Refunds get the ids that follow on their payment's.
        next += 1_000
        return next
    }

    /// What does not hold of some entities, in words.
    func faults(of entities: Set<EntityID>) -> [String] {
        var faults: [String] = []
        for sailing in sailings where entities.contains(sailing.entity) {
            faults += seatFaults(of: sailing)
        }
        let uses = source.model(CodeUses.self, of: code.entity)
        if entities.contains(code.entity), uses.isOverused(at: now) {
            faults.append("a code was used too often")
        }
        let stock = source.model(VariationStock.self, of: variation.entity)
        if entities.contains(variation.entity), stock.available(at: now) < 0 {
            faults.append("more was sold than was on the shelf")
        }
        let terms = source.model(OfferTerms.self, of: offer.entity)
        if entities.contains(offer.entity), (terms.available(at: now) ?? 0) < 0 {
            faults.append("more was sold than was allotted")
        }
        for booking in bookings.suffix(60) where entities.contains(booking.entity) {
            faults += moneyFaults(of: booking)
        }
        return faults
    }

    private func seatFaults(of sailing: SailingID) -> [String] {
        let seats = source.model(SailingSeats.self, of: sailing.entity)
        guard let assigned = seats.assigned else { return [] }
        let capacity = source.model(BoatTerms.self, of: assigned.boat.entity).capacity
        let figures = seats.figures(capacity: capacity, at: now)
        var faults: [String] = []
        if figures.isOversold {
            faults.append("\(figures.used) of \(figures.limit) seats are taken")
        }
        if figures.committed < 0 || figures.held < 0 { faults.append("seats came back twice") }
        return faults
    }

    private func moneyFaults(of booking: BookingID) -> [String] {
        let money = source.model(BookingMoney.self, of: booking.entity)
        let life = source.model(BookingLife.self, of: booking.entity)
        let hasSeats = [.confirmed, .checkedIn, .completed].contains(life.status)
        let isExhausted = money.failedRefundCount >= HearFromProvider.refundAttemptLimit
        var faults: [String] = []
        if money.kept.minorUnits < 0 { faults.append("more is given back than was paid") }
        // Who was offered other seats has them until he is told that he has them no more.
        let isOffered = life.status == .held && offered.contains(booking)
        if money.kept != .zero, !hasSeats, !isExhausted, !isOffered {
            faults.append("charged, without a seat or a refund: \(life.status)")
        }
        if money.kept.minorUnits > dearest[booking] ?? 0 { faults.append("charged twice") }
        let people = life.placed?.quote.lines.flatMap(\.passengers) ?? []
        if Set(people).count != people.count || !life.aboard.isSubset(of: people) {
            faults.append("somebody is there twice, or aboard without a seat")
        }
        if let quote = life.placed?.quote {
            let taxes = quote.taxes.reduce(0) { $0 + $1.amount.minorUnits }
            let sum =
                quote.subtotal.minorUnits - quote.discount.minorUnits + taxes
                + quote.tip.minorUnits - quote.waived.minorUnits
            if sum != quote.total.minorUnits { faults.append("a total is not its arithmetic") }
        }
        return faults
    }
}

import Testing

@testable import Domain

@Suite struct CodeTests {
    private static let spring = SalesCode(.discount, "spring-26")!
    private static let crew = SalesCode(.access, "CREW")!

    private func issued(
        _ reduction: Reduction = .share(BasisPoints(1000)!, cap: nil), minimum: Int = 0,
        validity: Validity = Validity(), useLimit: Int? = nil, scope: CodeScope = CodeScope()
    ) -> [Event] {
        [
            .discountCodeIssued(
                DiscountCodeIssued(
                    code: Self.spring, reduction: reduction,
                    minimumOrder: Money(minorUnits: minimum), validity: validity,
                    useLimit: useLimit, scope: scope))
        ]
    }

    private func admitting(useLimit: Int? = nil, mission: MissionID = Fleet.mission) -> [Event] {
        [
            .accessCodeIssued(
                AccessCodeIssued(code: Self.crew, mission: mission, useLimit: useLimit))
        ]
    }

    private func quote(_ story: Story, _ order: PlaceBooking) throws -> Quote {
        let events = try story.decide(order).get()
        let fact = try events.placed
        return fact.quote
    }

    private func outcome(_ story: Story, _ order: PlaceBooking, at now: Instant = noon) throws
        -> [CodeOutcome]
    {
        try story.ask(order.order, at: now).get().codes
    }

    // MARK: The text

    @Test("takes a code in either case, and refuses what is no code")
    func readsCodes() {
        #expect(SalesCode(.discount, "Spring-26") == Self.spring)
        for text in ["", "AB", String(repeating: "A", count: 21), "A B C", "SÄULE", "A_B_C"] {
            #expect(SalesCode(.discount, text) == nil)
        }
    }

    @Test("gives every code of every kind an entity of its own")
    func namesEntities() {
        let ends = ["Z", "Y", "0", "-"]
        let texts =
            ["---", "--0", "000", "AAA", "ZZZ", "0000", "A-A-A", "AA-AA"]
            + ends.map { String(repeating: "Z", count: 19) + $0 }
            + ends.map { $0 + String(repeating: "0", count: 19) }
        let entities = texts.flatMap { text in
            CodeKind.allCases.map { SalesCode($0, text)!.entity }
        }
        #expect(Set(entities).count == 2 * texts.count)
    }

    // MARK: The discount

    @Test("takes a discount off before the tax, and not off the tip")
    func discountsBeforeTax() throws {
        let story = Story.given(Fleet(rate: 1000, price: 10000).events, issued())
        let quote = try quote(story, ada.order(2, tip: 500, discount: Self.spring))
        #expect(quote.subtotal.minorUnits == 20000)
        #expect(quote.discount.minorUnits == 2000)
        #expect(quote.taxes.map(\.taxable.minorUnits) == [18000])
        #expect(quote.total.minorUnits == 18000 + 1800 + 500)
        #expect(quote.codes == [CodeUse(code: Self.spring, discount: Money(minorUnits: 2000))])
    }

    @Test("never takes off more than its cap, or than there is")
    func capsDiscounts() throws {
        let fleet = Fleet(rate: 0, price: 10000)
        let capped = Story.given(
            fleet.events, issued(.share(BasisPoints(5000)!, cap: Money(minorUnits: 700))))
        #expect(try quote(capped, ada.order(1, discount: Self.spring)).discount.minorUnits == 700)
        let generous = Story.given(fleet.events, issued(.amount(Money(minorUnits: 99_999))))
        let free = try quote(generous, ada.order(1, discount: Self.spring))
        #expect(free.discount.minorUnits == 10000)
        #expect(free.total == .zero)
    }

    @Test("waives what a discount leaves when it can't be charged")
    func waivesTheRest() throws {
        let story = Story.given(
            Fleet(rate: 0, price: 1000).events, issued(.amount(Money(minorUnits: 951))))
        let quote = try quote(story, ada.order(1, discount: Self.spring))
        #expect(quote.waived.minorUnits == 49)
        #expect(quote.total == .zero)
    }

    @Test("adds up for random orders: lines - discount + taxes + tip - waived = total")
    func addsUp() throws {
        for _ in 0..<500 {
            let items = (0..<Int.random(in: 1...6)).map { index in
                Quote.Item(
                    Quote.Line(
                        trip: Fleet.trip, sailing: Fleet.sailing, ticketType: Fleet.adult,
                        label: "Adult", passengers: Array(1...Int.random(in: 1...20)),
                        unitPrice: Money(minorUnits: .random(in: 0...50_000))),
                    jurisdiction: id(UInt64(index % 3)), rate: BasisPoints(100 * (index % 3))!,
                    isDiscounted: .random())
            }
            let covered = items.reduce(0) {
                $0 + ($1.isDiscounted ? $1.amount.minorUnits : 0)
            }
            let discount = CodeUse(
                code: Self.spring, discount: Money(minorUnits: .random(in: 0...covered)))
            let quote = Quote(items, codes: [discount], tip: Money(minorUnits: 99))
            let taxes = quote.taxes.reduce(0) { $0 + $1.amount.minorUnits }
            let taxable = quote.taxes.reduce(0) { $0 + $1.taxable.minorUnits }
            #expect(taxable == quote.subtotal.minorUnits - quote.discount.minorUnits)
            #expect(quote.taxes.allSatisfy { $0.taxable.minorUnits >= 0 })
            #expect(
                quote.subtotal.minorUnits - quote.discount.minorUnits + taxes + 99
                    - quote.waived.minorUnits == quote.total.minorUnits)
        }
    }

    @Test("splits the largest amounts to the cent")
    func splitsLargeAmounts() {
        let whole = Money(minorUnits: 10_000_000_000)
        let parts = whole.split(by: [3_333_333_333, 3_333_333_333, 3_333_333_334])
        #expect(parts.reduce(0) { $0 + $1.minorUnits } == whole.minorUnits)
        #expect(Money(minorUnits: 100).split(by: [0, 0]) == [.zero, .zero])
    }

    // MARK: What stands in the way

    @Test("says why a discount code does nothing, and refuses to place the order with it")
    func refusesUselessCodes() throws {
        let fleet = Fleet(price: 10000).events
        let tooLittle = CodeObstacle.belowMinimum(
            minimum: Money(minorUnits: 10001), subtotal: Money(minorUnits: 10000))
        let cases: [([Event], CodeObstacle)] = [
            ([], .unknown), (issued() + [.codeRevoked(Self.spring)], .revoked),
            (
                issued(validity: Validity(from: noon + .seconds(1))),
                .notYet(from: noon + .seconds(1))
            ),
            (issued(validity: Validity(until: noon)), .over(until: noon)),
            (issued(minimum: 10001), tooLittle),
            (issued(scope: CodeScope(kind: .preLaunch)), .otherTrips),
            (issued(scope: CodeScope(launch: id(99))), .otherTrips),
            (issued(scope: CodeScope(mission: id(99))), .otherTrips),
            (issued(scope: CodeScope(kind: .launchViewing, trip: id(99))), .otherTrips),
        ]
        for (events, obstacle) in cases {
            let story = Story.given(fleet, events)
            let order = ada.order(1, discount: Self.spring)
            #expect(
                try outcome(story, order)
                    == [CodeOutcome(code: Self.spring, effect: .nothing(because: obstacle))])
            story.when(order).then(.codeNotAccepted(Self.spring, because: obstacle))
        }
    }

    @Test("takes a code for all that is named in it, from its first instant to before its last")
    func acceptsWhatFits() throws {
        let scope = CodeScope(
            kind: .launchViewing, launch: Fleet.launch, mission: Fleet.mission, trip: Fleet.trip)
        let story = Story.given(
            Fleet().events,
            issued(
                minimum: 12900, validity: Validity(from: noon, until: noon + .seconds(1)),
                scope: scope))
        #expect(try quote(story, ada.order(1, discount: Self.spring)).discount.minorUnits == 1290)
    }

    @Test("places an order with a code that has nothing to do, and uses none of it")
    func ignoresNeedlessCodes() throws {
        let free = Story.given(Fleet(price: 0).events, issued(), admitting())
        let quote = try quote(free, ada.order(1, discount: Self.spring, access: Self.crew))
        #expect(quote.codes == [])
        #expect(
            try outcome(free, ada.order(1, discount: Self.spring, access: Self.crew)).map(\.effect)
                == [.nothing(because: .notNeeded), .nothing(because: .notNeeded)])
    }

    // MARK: Uses

    private func placed(_ customer: Customer, _ history: [Event]) -> [Event] {
        let decided = Story.given(history).decide(customer.order(1, discount: Self.spring))
        return (try? decided.get()) ?? []
    }

    @Test("reserves a use with the hold, sells it with the booking, gives it back once")
    func countsUses() throws {
        let history = Fleet().events + issued(useLimit: 1)
        let held = placed(ada, history)
        let fact = try held.placed
        let holdings = fact.quote.holdings
        #expect(holdings.codes.count == 1)
        let full = Refusal.codeNotAccepted(Self.spring, because: .usedUp(limit: 1))
        let bobs = bob.order(1, discount: Self.spring)
        Story.given(history, held).when(bobs).then(full)

        let confirmed = Event.bookingConfirmed(
            BookingConfirmed(booking: ada.booking, holdings: holdings, basis: .paidAtTheDock))
        Story.given(history, held, [confirmed]).when(bobs, at: noon + .days(1) - .hours(1))
            .then(full)

        let ends: [[Event]] = [
            [.holdExpired(HoldEnded(booking: ada.booking, holdings: holdings))],
            [.bookingAbandoned(HoldEnded(booking: ada.booking, holdings: holdings))],
            [
                .bookingCancelled(
                    BookingCancelled(
                        booking: ada.booking, holdings: holdings, wasHeld: true, reason: "ill"))
            ],
            [
                confirmed,
                .bookingCancelled(
                    BookingCancelled(
                        booking: ada.booking, holdings: holdings, wasHeld: false, reason: "ill")),
            ],
        ]
        for end in ends {
            let story = Story.given(history, held, end)
            let again = try story.decide(bobs).get()
            // One use came back, and not two.
            Story.given(history, held, end, again)
                .when(Customer(3).order(1, discount: Self.spring)).then(full)
        }
    }

    @Test("gives the use of a hold away that has run out, recorded or not, and follows extensions")
    func lapsesUses() throws {
        let history = Fleet().events + issued(useLimit: 1)
        let held = placed(ada, history)
        let late = noon + .minutes(10)
        #expect(throws: Never.self) {
            try Story.given(history, held).decide(bob.order(1, discount: Self.spring), at: late)
                .get()
        }
        let extended = Event.holdExtended(
            HoldExtended(
                booking: ada.booking, sailings: [Fleet.sailing], codes: [Self.spring],
                deadline: late + .minutes(10)))
        Story.given(history, held, [extended]).when(bob.order(1, discount: Self.spring), at: late)
            .then(.codeNotAccepted(Self.spring, because: .usedUp(limit: 1)))
    }

    @Test("refuses to confirm when another process has given the last use away")
    func refusesTakenUses() throws {
        let history = Fleet().events + issued(useLimit: 1)
        let both = placed(ada, history) + placed(bob, history)
        Story.given(history, both)
            .when(ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock))
            .then(.holdOver(deadline: noon + .minutes(10)))
    }

    // MARK: The office

    @Test("issues a code once, and refuses its text with other terms")
    func issues() {
        guard case .discountCodeIssued(let fact) = issued()[0] else { fatalError("not issued") }
        let story = Story.given(Fleet().events)
        story.when(IssueDiscountCode(fact)).then(.discountCodeIssued(fact))
        let known = Story.given(Fleet().events, issued())
        known.when(IssueDiscountCode(fact)).thenNothing()
        var other = fact
        other.useLimit = 7
        known.when(IssueDiscountCode(other)).then(.codeTaken(Self.spring))
        other.useLimit = 0
        story.when(IssueDiscountCode(other))
            .then(.invalid(field: "useLimit", reason: "must be at least 1"))
    }

    @Test("refuses terms that can't be met, and what they name and does not exist")
    func refusesBadTerms() {
        let story = Story.given(Fleet().events)
        func discount(_ events: [Event]) -> IssueDiscountCode? {
            guard case .discountCodeIssued(let fact) = events[0] else { return nil }
            return IssueDiscountCode(fact)
        }
        let backwards = issued(validity: Validity(from: noon, until: noon))
        story.when(discount(backwards)!)
            .then(.invalid(field: "validUntil", reason: "must be after validFrom"))
        story.when(discount(issued(.amount(.zero)))!)
            .then(.invalid(field: "reduction.amount", reason: "must be more than nothing"))
        story.when(discount(issued(.share(BasisPoints(0)!, cap: nil)))!)
            .then(.invalid(field: "reduction.basisPoints", reason: "must be at least 1"))
        let trip: TripID = id(99)
        story.when(discount(issued(scope: CodeScope(trip: trip)))!)
            .then(.unknown(kind: "trip", id: trip.entity))
        let mission: MissionID = id(99)
        story.when(IssueAccessCode(AccessCodeIssued(code: Self.crew, mission: mission)))
            .then(.unknown(kind: "mission", id: mission.entity))
    }

    @Test("revokes a code once, and leaves alone what bookings have of it")
    func revokes() throws {
        let history = Fleet().events + issued()
        Story.given(history).when(RevokeCode(code: Self.spring)).then(.codeRevoked(Self.spring))
        let held = placed(ada, history)
        let revoked = Story.given(history, held, [.codeRevoked(Self.spring)])
        revoked.when(RevokeCode(code: Self.spring)).thenNothing()
        let confirm = ConfirmBooking(booking: ada.booking, basis: .paidAtTheDock)
        #expect(throws: Never.self) { try revoked.decide(confirm).get() }
        Story.given(history).when(RevokeCode(code: Self.crew))
            .then(.codeNotAccepted(Self.crew, because: .unknown))
    }

    // MARK: The early sale

    /// Mode, opening passed, who, code for this mission: what stands in the way, and whether the
    /// code is used.
    static let sales: [(SaleMode, Bool, Seller, Bool?, Refusal?, Bool)] = {
        let staffOnly = Refusal.notOnSale(trip: Fleet.trip, because: .staffOnly)
        let needsCode = Refusal.notOnSale(trip: Fleet.trip, because: .accessCodeNeeded)
        let other = Refusal.codeNotAccepted(crew, because: .otherTrips)
        var rows: [(SaleMode, Bool, Seller, Bool?, Refusal?, Bool)] = []
        for mode in SaleMode.allCases {
            for isOpen in [false, true] {
                for code in [nil, true, false] as [Bool?] {
                    rows.append((mode, isOpen, .staff, code, nil, false))
                    switch (mode, isOpen) {
                    case (.private, false):
                        rows.append((mode, isOpen, .public, code, staffOnly, false))
                    case (.private, true), (.earlyBird, false):
                        let refusal = code.map { $0 ? nil : other } ?? needsCode
                        rows.append((mode, isOpen, .public, code, refusal, code == true))
                    case (.earlyBird, true), (.public, _):
                        rows.append((mode, isOpen, .public, code, nil, false))
                    }
                }
            }
        }
        return rows
    }()

    @Test("opens a sale to everybody, to holders of a code, or to staff", arguments: sales)
    func admits(
        mode: SaleMode, isOpen: Bool, seller: Seller, isForThisMission: Bool?, refusal: Refusal?,
        isUsed: Bool
    ) throws {
        let opening = isOpen ? noon : noon + .seconds(1)
        let story = Story.given(
            Fleet(saleMode: mode, salesOpenAt: opening).events,
            isForThisMission.map { admitting(mission: $0 ? Fleet.mission : id(99)) } ?? [])
        let order = ada.order(
            1, seller: seller, access: isForThisMission.map { _ in Self.crew })
        if let refusal {
            story.when(order).then(refusal)
        } else {
            let codes = try quote(story, order).codes
            #expect(codes == (isUsed ? [CodeUse(code: Self.crew, discount: .zero)] : []))
        }
    }

    @Test(
        "sells an unlisted trip as a listed one, and nothing of what is taken down or has departed",
        arguments: sales)
    func admitsNobody(
        mode: SaleMode, isOpen: Bool, seller: Seller, isForThisMission: Bool?, refusal: Refusal?,
        isUsed: Bool
    ) throws {
        let opening = isOpen ? noon : noon + .seconds(1)
        let fleet = Fleet(saleMode: mode, salesOpenAt: opening).events
        let codes = isForThisMission.map { admitting(mission: $0 ? Fleet.mission : id(99)) } ?? []
        let order = ada.order(1, seller: seller, access: isForThisMission.map { _ in Self.crew })
        let listed = Story.given(fleet, codes)
        let unlisted = listed.adding([.tripUnlisted(Fleet.trip)])
        #expect(unlisted.decide(order) == listed.decide(order))
        let ends: [(Event, Refusal.NotOnSale)] = [
            (.tripArchived(Fleet.trip), .archived), (.missionArchived(Fleet.mission), .archived),
            (.launchArchived(Fleet.launch), .archived),
            (.tripDeactivated(Fleet.trip), .inactive),
            (.missionDeactivated(Fleet.mission), .inactive),
        ]
        for (end, reason) in ends {
            listed.adding([end]).when(order).then(.notOnSale(trip: Fleet.trip, because: reason))
        }
        listed.when(order, at: departure).then(.notOnSale(trip: Fleet.trip, because: .departed))
        listed.adding([.salesPaused(Fleet.sailing)]).when(order)
            .then(refusal ?? .salesPaused(sailing: Fleet.sailing))
    }

    @Test("admits as many as an access code may, and none with one that is not good")
    func limitsAccess() throws {
        let fleet = Fleet(saleMode: .earlyBird).events
        let story = Story.given(fleet, admitting(useLimit: 1))
        let held = try story.decide(ada.order(1, access: Self.crew)).get()
        Story.given(fleet, admitting(useLimit: 1), held).when(bob.order(1, access: Self.crew))
            .then(.codeNotAccepted(Self.crew, because: .usedUp(limit: 1)))
        Story.given(fleet).when(ada.order(1, access: Self.crew))
            .then(.codeNotAccepted(Self.crew, because: .unknown))
    }
}

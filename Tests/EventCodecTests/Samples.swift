import Domain
import EventCodec

/// One event of each type, with every optional field there in one and absent in another.
enum Samples {
    private static func id<K>(_ number: UInt64, _ kind: K.Type = K.self) -> ID<K> {
        ID(EntityID(customHigh: 0x5A3B, low: number))
    }

    private static let noon = Instant("2026-06-01T12:00:00Z")!
    private static let types = [
        TicketType(id: id(1), label: "Adult", price: Money(minorUnits: 12900), cap: .shared),
        TicketType(
            id: id(2), label: "Upper \"deck\" ⛵", price: Money(minorUnits: 17900), cap: .fixed(24)),
    ]
    private static let seats = [
        SeatLine(sailing: id(10), ticketType: id(1), quantity: 2),
        SeatLine(sailing: id(11), ticketType: id(2), quantity: 1),
    ]
    private static let discount = SalesCode(.discount, "SPRING-26")!
    private static let access = SalesCode(.access, "CREW")!
    private static let uses = [
        CodeUse(code: access, discount: .zero),
        CodeUse(code: discount, discount: Money(minorUnits: 2500)),
    ]
    private static let patches = [
        MerchandiseLine(offer: id(70), variation: id(71), quantity: 2)
    ]
    private static func quote(_ codes: [CodeUse], _ patches: [MerchandiseLine]) -> Quote {
        let goods = patches.map { line in
            Quote.Item(
                Quote.Goods(
                    trip: id(20), offer: line.offer, variation: line.variation,
                    label: "Mission patch, blue", quantity: line.quantity,
                    unitPrice: Money(minorUnits: 900)),
                jurisdiction: id(30), rate: BasisPoints(700)!, isDiscounted: true)
        }
        return Quote(
            [
                Quote.Item(
                    Quote.Line(
                        trip: id(20), sailing: id(10), ticketType: id(1), label: "Adult",
                        passengers: [1, 2], unitPrice: Money(minorUnits: 12900)),
                    jurisdiction: id(30),
                    rate: BasisPoints(700)!, isDiscounted: true),
                Quote.Item(
                    Quote.Line(
                        trip: id(20), sailing: id(11), ticketType: id(2), label: "Upper deck",
                        passengers: [3], unitPrice: Money(minorUnits: 17900)), jurisdiction: id(31),
                    rate: BasisPoints(825)!, isDiscounted: true),
            ] + goods, codes: codes, tip: Money(minorUnits: 500))
    }

    static let all: [Event] =
        catalogue + sailing + booking(uses, patches, reseller: id(81)) + codes + money + merchandise
        + changes
        + staff
    /// Events as older versions wrote them: what those lacked is not there.
    static let older: [(event: Event, version: Int16)] =
        // Before there were codes.
        booking([], []).filter {
            EventCodec.schemaVersion(of: $0.type) > 1 && !checkIns(at: noon).contains($0)
        }.map { ($0, 1) }
        // Before a quote said which lines its discount is on.
        + booking(uses, patches).filter { $0.type == .bookingPlaced }.map { ($0, 2) }
        // Before scanners told of what they saw while they were alone.
        + checkIns(at: nil).map { ($0, 1) }
        // Before staff went past a cutoff.
        + [(.refundRequested(refund(isPastCutoff: false)), 1)]
        // Before the dock said how it took money.
        + [(.paymentSucceeded(charge), 1)]
        // Before it said whether the provider had given it back already.
        + [
            (
                .refundFailed(
                    RefundFailed(
                        refund: id(61), payment: id(60), booking: id(50),
                        amount: Money(minorUnits: 44795), reason: "account closed")), 1
            )
        ]
        // Before anybody looked for where a new history begins.
        + [
            (
                .logEpochBegun(
                    LogEpochBegun(
                        log: id(90), epoch: 2, from: nil, publishedUpTo: 1_900_286,
                        reason: "restored to 18:05")), 1
            )
        ]
        // Before there were other countries.
        + [
            (
                .locationAdded(
                    LocationAdded(
                        location: id(40), name: "Cape Canaveral", region: "FL",
                        timeZone: "America/New_York")), 1
            )
        ]

    private static let catalogue: [Event] = [
        .locationAdded(
            LocationAdded(
                location: id(40), name: "Freeport", region: "Grand Bahama",
                country: Country("BS")!, timeZone: "America/Nassau")),
        .jurisdictionAdded(
            JurisdictionAdded(jurisdiction: id(30), location: id(40), name: "Brevard County")),
        .taxRateSet(
            TaxRateSet(jurisdiction: id(30), rate: BasisPoints(700)!, effectiveFrom: noon)),
        .providerAdded(
            ProviderAdded(
                provider: id(41), jurisdiction: id(30), name: "Jetty Park Charters",
                dock: "Port Canaveral", address: "9000 Jetty Road",
                mapLink: "https://maps.example/1")),
        .boatRegistered(
            BoatRegistered(
                boat: id(42), provider: id(41), jurisdiction: id(30), name: "Trident",
                slug: "trident", capacity: 149, ticketTypes: types)),
        .boatCapacityChanged(BoatCapacityChanged(boat: id(42), capacity: 120)),
        .boatTicketTypesSet(
            BoatTicketTypesSet(
                boat: id(42),
                ticketTypes: [
                    TicketType(
                        id: id(43), label: "Adult", price: Money(minorUnits: 99_00), cap: .shared),
                    TicketType(
                        id: id(44), label: "Upper deck", price: Money(minorUnits: 129_00),
                        cap: .fixed(12)),
                ])),
        .launchAnnounced(
            LaunchAnnounced(
                launch: id(43), location: id(40), name: "Artemis II", summary: nil, liftOff: noon,
                confidence: .net)),
        .launchArchived(id(43)), .launchUnarchived(id(43)),
        .missionPlanned(
            MissionPlanned(mission: id(44), launch: id(43), name: "Take 1", refundCutoffHours: 12)),
        .missionActivated(id(44)), .missionDeactivated(id(44)), .missionArchived(id(44)),
        .missionUnarchived(id(44)),
        .refundCutoffSet(RefundCutoffSet(mission: id(44), hours: 24)),
        .tripScheduled(
            TripScheduled(
                trip: id(20), mission: id(44), launch: id(43), location: id(40),
                kind: .launchViewing, label: "Sunset",
                times: TripTimes(departure: noon, of: .preLaunch),
                saleMode: .earlyBird, salesOpenAt: noon - .days(30), isListed: true)),
        .saleModeSet(SaleModeSet(trip: id(20), saleMode: .public)),
        .salesOpeningSet(SalesOpeningSet(trip: id(20), salesOpenAt: nil)),
        .tripListed(id(20)), .tripUnlisted(id(20)), .tripActivated(id(20)),
        .tripDeactivated(id(20)), .tripArchived(id(20)), .tripUnarchived(id(20)),
    ]

    private static let sailing: [Event] = [
        .boatAssigned(
            BoatAssigned(
                sailing: id(10), trip: id(20), mission: id(44), launch: id(43), boat: id(42),
                jurisdiction: id(30), limit: 100, ticketTypes: types)),
        .sailingLimitSet(SailingLimitSet(sailing: id(10), limit: nil)),
        .salesPaused(id(10)), .salesResumed(id(10)),
        .boatUnassigned(BoatUnassigned(sailing: id(10), trip: id(20), boat: id(42))),
        .ticketTypeDefined(TicketTypeDefined(sailing: id(10), ticketType: types[1])),
        .ticketTypeRepriced(
            TicketTypeChanged(sailing: id(10), ticketType: id(1), value: Money(minorUnits: 0))),
        .ticketTypeCapped(
            TicketTypeChanged(sailing: id(10), ticketType: id(1), value: .fixed(0))),
        .ticketTypeRelabelled(
            TicketTypeChanged(sailing: id(10), ticketType: id(1), value: "Lower deck")),
        .ticketTypeWithdrawn(TicketTypeWithdrawn(sailing: id(10), ticketType: id(2))),
        .oversaleAuthorised(
            OversaleAuthorised(
                sailing: id(10), booking: id(50), seatCount: 2, reason: "The crew's parents")),
    ]

    private static func booking(
        _ uses: [CodeUse], _ patches: [MerchandiseLine], reseller: APIKeyID? = nil
    ) -> [Event] {
        let holdings = Holdings(seats: seats, codes: uses, merchandise: patches)
        return [
            .bookingPlaced(
                BookingPlaced(
                    booking: id(50), customer: id(51), code: ConfirmationCode("ABCD2345")!,
                    mission: id(44), quote: quote(uses, patches), deadline: noon + .minutes(10),
                    contact: Sealed(bytes: [0, 1, 127, 128, 255]), wantsUpdates: true,
                    reseller: reseller)),
            .holdExtended(
                HoldExtended(
                    booking: id(50), sailings: [id(10), id(11)], codes: uses.map(\.code),
                    merchandise: patches,
                    deadline: noon + .minutes(20))),
            .holdExpired(HoldEnded(booking: id(50), holdings: holdings)),
            .bookingAbandoned(HoldEnded(booking: id(50), holdings: holdings)),
            .bookingConfirmed(
                BookingConfirmed(booking: id(50), holdings: holdings, basis: .paidAtTheDock)),
            .bookingCancelled(
                BookingCancelled(
                    booking: id(50), holdings: holdings, wasHeld: false, reason: "Fog\nand rain")),
            .bookingCompleted(BookingCompleted(booking: id(50), sailings: [id(10), id(11)])),
        ] + checkIns(at: noon)
    }

    private static func checkIns(at: Instant?) -> [Event] {
        [
            .passengerCheckedIn(
                PassengersChecked(booking: id(50), sailing: id(10), passengers: [1, 2], at: at)),
            .checkInReverted(
                PassengersChecked(booking: id(50), sailing: id(10), passengers: [2], at: at)),
        ]
    }

    private static let codes: [Event] = [
        .discountCodeIssued(
            DiscountCodeIssued(
                code: discount,
                reduction: .share(BasisPoints(1000)!, cap: Money(minorUnits: 2500)),
                minimumOrder: Money(minorUnits: 10000), validity: Validity(until: noon),
                useLimit: 50, scope: CodeScope(kind: .preLaunch, trip: id(20)))),
        .accessCodeIssued(
            AccessCodeIssued(code: access, mission: id(44), validity: Validity(from: noon))),
        .codeRevoked(access),
    ]

    private static let charge = ChargeMade(
        payment: id(60), booking: id(50), amount: Money(minorUnits: 44795), provider: .sandbox)

    private static let dockCharge = ChargeMade(
        payment: id(60), booking: id(50), amount: Money(minorUnits: 44795), provider: .dock,
        means: .cash)

    private static func refund(isPastCutoff: Bool) -> RefundRequested {
        RefundRequested(
            refund: id(61), payment: id(60), booking: id(50), amount: Money(minorUnits: 44795),
            provider: .dock, cause: .goodwill, reason: "late boat", isPastCutoff: isPastCutoff)
    }

    private static let money: [Event] = [
        .paymentStarted(
            PaymentStarted(
                payment: id(60), booking: id(50), amount: Money(minorUnits: 44795),
                provider: .sandbox)),
        .paymentDeclined(
            PaymentDeclined(payment: id(60), booking: id(50), reason: "insufficient funds")),
        .paymentSucceeded(dockCharge), .paymentArrivedLate(charge), .chargeDisputed(charge),
        .refundRequested(refund(isPastCutoff: true)),
        .refundSucceeded(
            RefundSucceeded(
                refund: id(61), payment: id(60), booking: id(50), amount: Money(minorUnits: 44795))),
        .refundFailed(
            RefundFailed(
                refund: id(61), payment: id(60), booking: id(50), amount: Money(minorUnits: 44795),
                reason: "account closed")),
    ]

    private static var changes: [Event] {
        let before = Holdings(seats: seats, codes: uses, merchandise: patches)
        var after = quote(uses, patches)
        after.lines[0].passengers = [2, 4]
        func changed(_ deadline: Instant?) -> OrderChanged {
            OrderChanged(
                booking: id(50), mission: id(44), before: before, quote: after,
                heldUntil: deadline, isRepriced: deadline == nil)
        }
        return [
            .contactChanged(
                ContactChanged(
                    booking: id(50), customer: id(51), contact: Sealed(bytes: [255, 0, 1]))),
            .lineQuantityChanged(changed(noon)), .lineTicketTypeChanged(changed(nil)),
            .bookingRescheduled(changed(nil)), .passengersReassigned(changed(nil)),
            .alternativeOffered(
                AlternativeOffered(
                    booking: id(50), mission: id(44), before: before, quote: after,
                    deadline: noon + .days(1), wasHeld: true)),
            .passengersScanned(
                PassengersScanned(
                    scan: id(52), booking: id(50), sailing: id(10), passengers: [1, 2],
                    scanner: "Dock 2", at: noon, isAboard: true)),
            .staffNoteWritten(
                StaffNoteWritten(
                    booking: id(50), customer: id(51), note: Sealed(bytes: [1, 2]))),
        ]
    }

    private static let staff: [Event] = [
        .staffAccountOpened(StaffAccountOpened(account: id(80), role: .dock)),
        .staffRoleSet(StaffRoleSet(account: id(80), role: .office)), .staffPasswordSet(id(80)),
        .staffAccountClosed(id(80)),
        .apiKeyIssued(
            APIKeyIssued(
                key: id(81), label: "Beach hotel", scopes: [.reseller, .reporting],
                commission: BasisPoints(1000))),
        .apiKeyRevoked(id(81)),
        .logEpochBegun(
            LogEpochBegun(
                log: id(90), epoch: 2, from: 1_900_201, publishedUpTo: 1_900_286,
                reason: "restored to 18:05")),
        .projectionEventSkipped(
            ProjectionEventSkipped(
                log: id(90), projection: "manifest", position: 17, reason: "written by hand")),
    ]

    private static let merchandise: [Event] = [
        .merchandiseAdded(MerchandiseAdded(merchandise: id(72), name: "Mission patch")),
        .variationAdded(
            VariationAdded(
                variation: id(71), merchandise: id(72), label: "blue",
                price: Money(minorUnits: 900))),
        .variationRepriced(VariationRepriced(variation: id(71), price: Money(minorUnits: 1000))),
        .stockReceived(StockReceived(variation: id(71), quantity: 100)),
        .stockAdjusted(StockAdjusted(variation: id(71), quantity: -3, reason: "wet")),
        .merchandiseOffered(
            MerchandiseOffered(offer: id(70), trip: id(20), variation: id(71), allotment: nil)),
        .offerAllotmentSet(OfferAllotmentSet(offer: id(70), allotment: 40)),
        .merchandiseFulfilled(MerchandiseFulfilled(booking: id(50), merchandise: patches)),
    ]
}

public import Domain
internal import JSON

extension EventCodec {
    static func write(_ event: Event, to json: inout JSONWriter) {
        switch event {
        case .locationAdded(let fact): write(fact, to: &json)
        case .jurisdictionAdded(let fact): write(fact, to: &json)
        case .taxRateSet(let fact): write(fact, to: &json)
        case .providerAdded(let fact): write(fact, to: &json)
        case .boatRegistered(let fact): write(fact, to: &json)
        case .boatCapacityChanged(let fact):
            json.field("boat", fact.boat)
            json.field("capacity", fact.capacity)
        case .boatTicketTypesSet(let fact):
            json.field("boat", fact.boat)
            write(fact.ticketTypes, to: &json)
        case .launchAnnounced(let fact): write(fact, to: &json)
        case .launchArchived(let launch), .launchUnarchived(let launch):
            json.field("launch", launch)
        case .missionPlanned(let fact): write(fact, to: &json)
        case .missionActivated(let mission), .missionDeactivated(let mission),
            .missionArchived(let mission), .missionUnarchived(let mission):
            json.field("mission", mission)
        case .refundCutoffSet(let fact):
            json.field("mission", fact.mission)
            json.field("hours", fact.hours)
        case .tripScheduled(let fact): write(fact, to: &json)
        case .saleModeSet(let fact):
            json.field("trip", fact.trip)
            json.field("saleMode", fact.saleMode.rawValue)
        case .salesOpeningSet(let fact):
            json.field("trip", fact.trip)
            json.field("salesOpenAt", fact.salesOpenAt)
        case .tripListed(let trip), .tripUnlisted(let trip), .tripActivated(let trip),
            .tripDeactivated(let trip), .tripArchived(let trip), .tripUnarchived(let trip):
            json.field("trip", trip)
        case .boatAssigned(let fact): write(fact, to: &json)
        case .sailingLimitSet(let fact):
            json.field("sailing", fact.sailing)
            json.field("limit", fact.limit)
        case .salesPaused(let sailing), .salesResumed(let sailing):
            json.field("sailing", sailing)
        case .bookingPlaced(let fact): write(fact, to: &json)
        case .holdExtended(let fact):
            json.field("booking", fact.booking)
            write(fact.sailings, to: &json)
            json.field("codes", fact.codes) { json, code in json.object { write(code, to: &$0) } }
            write(fact.merchandise, to: &json)
            json.field("deadline", fact.deadline)
        case .holdExpired(let fact), .bookingAbandoned(let fact):
            json.field("booking", fact.booking)
            write(fact.holdings, to: &json)
        case .bookingConfirmed(let fact):
            json.field("booking", fact.booking)
            write(fact.holdings, to: &json)
            json.field("basis", fact.basis.rawValue)
            json.field("wasHeld", fact.wasHeld)
        case .bookingCancelled(let fact):
            json.field("booking", fact.booking)
            write(fact.holdings, to: &json)
            json.field("wasHeld", fact.wasHeld)
            json.field("reason", fact.reason)
        case .passengerCheckedIn(let fact), .checkInReverted(let fact):
            json.field("booking", fact.booking)
            json.field("sailing", fact.sailing)
            json.field("passengers", fact.passengers) { $0.value($1) }
            if let at = fact.at { json.field("at", at) }
        case .bookingCompleted(let fact):
            json.field("booking", fact.booking)
            write(fact.sailings, to: &json)
        case .discountCodeIssued(let fact): write(fact, to: &json)
        case .accessCodeIssued(let fact): write(fact, to: &json)
        case .codeRevoked(let code): write(code, to: &json)
        case .boatUnassigned, .ticketTypeDefined, .ticketTypeRepriced, .ticketTypeCapped,
            .ticketTypeRelabelled, .ticketTypeWithdrawn, .oversaleAuthorised:
            writeSeats(event, to: &json)
        case .paymentStarted, .paymentDeclined, .paymentSucceeded, .paymentArrivedLate,
            .refundRequested, .refundSucceeded, .refundFailed, .chargeDisputed:
            writeMoney(event, to: &json)
        case .merchandiseAdded, .variationAdded, .variationRepriced, .stockReceived,
            .stockAdjusted, .merchandiseOffered, .offerAllotmentSet, .merchandiseFulfilled:
            writeMerchandise(event, to: &json)
        case .contactChanged, .lineQuantityChanged, .lineTicketTypeChanged, .bookingRescheduled,
            .passengersReassigned, .alternativeOffered, .passengersScanned, .staffNoteWritten:
            writeChange(event, to: &json)
        case .logEpochBegun(let fact): write(fact, to: &json)
        case .projectionEventSkipped(let fact): write(fact, to: &json)
        case .staffAccountOpened, .staffRoleSet, .staffPasswordSet, .staffAccountClosed,
            .apiKeyIssued, .apiKeyRevoked:
            writeStaff(event, to: &json)
        }
    }

    private static func write(_ fact: LocationAdded, to json: inout JSONWriter) {
        json.field("location", fact.location)
        json.field("name", fact.name)
        json.field("region", fact.region)
        json.field("timeZone", fact.timeZone)
        json.field("country", fact.country.code)
    }

    private static func write(_ fact: JurisdictionAdded, to json: inout JSONWriter) {
        json.field("jurisdiction", fact.jurisdiction)
        json.field("location", fact.location)
        json.field("name", fact.name)
    }

    private static func write(_ fact: TaxRateSet, to json: inout JSONWriter) {
        json.field("jurisdiction", fact.jurisdiction)
        json.field("rateBasisPoints", fact.rate.count)
        json.field("effectiveFrom", fact.effectiveFrom)
    }

    private static func write(_ fact: ProviderAdded, to json: inout JSONWriter) {
        json.field("provider", fact.provider)
        json.field("jurisdiction", fact.jurisdiction)
        json.field("name", fact.name)
        json.field("dock", fact.dock)
        json.field("address", fact.address)
        json.field("mapLink", fact.mapLink)
    }

    private static func write(_ fact: BoatRegistered, to json: inout JSONWriter) {
        json.field("boat", fact.boat)
        json.field("provider", fact.provider)
        json.field("jurisdiction", fact.jurisdiction)
        json.field("name", fact.name)
        json.field("slug", fact.slug)
        json.field("capacity", fact.capacity)
        write(fact.ticketTypes, to: &json)
    }

    private static func write(_ fact: LaunchAnnounced, to json: inout JSONWriter) {
        json.field("launch", fact.launch)
        json.field("location", fact.location)
        json.field("name", fact.name)
        json.field("summary", fact.summary)
        json.field("liftOff", fact.liftOff)
        json.field("confidence", fact.confidence.rawValue)
    }

    private static func write(_ fact: MissionPlanned, to json: inout JSONWriter) {
        json.field("mission", fact.mission)
        json.field("launch", fact.launch)
        json.field("name", fact.name)
        json.field("refundCutoffHours", fact.refundCutoffHours)
    }

    private static func write(_ fact: TripScheduled, to json: inout JSONWriter) {
        json.field("trip", fact.trip)
        json.field("mission", fact.mission)
        json.field("launch", fact.launch)
        json.field("location", fact.location)
        json.field("kind", fact.kind.rawValue)
        json.field("label", fact.label)
        json.field("checkIn", fact.times.checkIn)
        json.field("boarding", fact.times.boarding)
        json.field("departure", fact.times.departure)
        json.field("saleMode", fact.saleMode.rawValue)
        json.field("salesOpenAt", fact.salesOpenAt)
        json.field("isListed", fact.isListed)
    }

    private static func write(_ fact: BoatAssigned, to json: inout JSONWriter) {
        json.field("sailing", fact.sailing)
        json.field("trip", fact.trip)
        json.field("mission", fact.mission)
        json.field("launch", fact.launch)
        json.field("boat", fact.boat)
        json.field("jurisdiction", fact.jurisdiction)
        json.field("limit", fact.limit)
        write(fact.ticketTypes, to: &json)
    }

    private static func write(_ fact: BookingPlaced, to json: inout JSONWriter) {
        json.field("booking", fact.booking)
        json.field("customer", fact.customer)
        json.field("code", fact.code.description)
        json.field("mission", fact.mission)
        json.field("quote") { write(fact.quote, to: &$0) }
        json.field("deadline", fact.deadline)
        write(fact.contact, "contact", to: &json)
        json.field("wantsUpdates", fact.wantsUpdates)
        if let reseller = fact.reseller { json.field("reseller", reseller) }
    }

    static func write(_ text: Sealed, _ name: StaticString, to json: inout JSONWriter) {
        // Longer than base64, but without a library, and read back at the speed of memory.
        json.field(name, plain: Hexadecimal.digits(of: text.bytes))
    }

    private static func write(_ ticketTypes: [TicketType], to json: inout JSONWriter) {
        json.field("ticketTypes", ticketTypes) { json, type in
            json.object { write(type, to: &$0) }
        }
    }

    static func write(_ holdings: Holdings, to json: inout JSONWriter) {
        json.field("seats", holdings.seats) { json, line in
            json.object { json in
                json.field("sailing", line.sailing)
                json.field("ticketType", line.ticketType)
                json.field("quantity", line.quantity)
            }
        }
        write(holdings.codes, to: &json)
        write(holdings.merchandise, to: &json)
    }

    static func write(_ uses: [CodeUse], to json: inout JSONWriter) {
        json.field("codes", uses) { json, use in
            json.object { json in
                write(use.code, to: &json)
                json.field("discount", use.discount.minorUnits)
                json.field("currency", use.discount.currency.rawValue)
            }
        }
    }

    private static func write(_ sailings: [SailingID], to json: inout JSONWriter) {
        json.field("sailings", sailings) { $0.value($1) }
    }
}

extension TicketType.Cap {
    /// nil for a shared cap.
    public var fixedCount: Int? {
        switch self {
        case .shared: nil
        case .fixed(let count): count
        }
    }
}

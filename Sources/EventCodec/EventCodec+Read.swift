internal import Domain
internal import JSON

extension EventCodec {
    static func read(_ type: EventType, from json: JSONObject) throws(JSONError) -> Event {
        switch type {
        case .locationAdded: .locationAdded(try location(json))
        case .jurisdictionAdded: .jurisdictionAdded(try jurisdiction(json))
        case .taxRateSet: .taxRateSet(try taxRate(json))
        case .providerAdded: .providerAdded(try provider(json))
        case .boatRegistered: .boatRegistered(try boat(json))
        case .boatCapacityChanged:
            .boatCapacityChanged(
                BoatCapacityChanged(
                    boat: try json["boat"].id(), capacity: try json["capacity"].integer()))
        case .boatTicketTypesSet:
            .boatTicketTypesSet(
                BoatTicketTypesSet(
                    boat: try json["boat"].id(),
                    ticketTypes: try json["ticketTypes"].list(ticketType)))
        case .launchAnnounced: .launchAnnounced(try launch(json))
        case .launchArchived: .launchArchived(try json["launch"].id())
        case .launchUnarchived: .launchUnarchived(try json["launch"].id())
        case .missionPlanned: .missionPlanned(try mission(json))
        case .missionActivated: .missionActivated(try json["mission"].id())
        case .missionDeactivated: .missionDeactivated(try json["mission"].id())
        case .missionArchived: .missionArchived(try json["mission"].id())
        case .missionUnarchived: .missionUnarchived(try json["mission"].id())
        case .refundCutoffSet:
            .refundCutoffSet(
                RefundCutoffSet(
                    mission: try json["mission"].id(), hours: try json["hours"].integer()))
        case .tripScheduled: .tripScheduled(try trip(json))
        case .saleModeSet:
            .saleModeSet(
                SaleModeSet(trip: try json["trip"].id(), saleMode: try json["saleMode"].choice()))
        case .salesOpeningSet:
            .salesOpeningSet(
                SalesOpeningSet(
                    trip: try json["trip"].id(),
                    salesOpenAt: try instant(json.optional("salesOpenAt"))))
        case .tripListed: .tripListed(try json["trip"].id())
        case .tripUnlisted: .tripUnlisted(try json["trip"].id())
        case .tripActivated: .tripActivated(try json["trip"].id())
        case .tripDeactivated: .tripDeactivated(try json["trip"].id())
        case .tripArchived: .tripArchived(try json["trip"].id())
        case .tripUnarchived: .tripUnarchived(try json["trip"].id())
        case .boatAssigned: .boatAssigned(try sailing(json))
        case .sailingLimitSet:
            .sailingLimitSet(
                SailingLimitSet(
                    sailing: try json["sailing"].id(),
                    limit: try json.optional("limit")?.integer()))
        case .salesPaused: .salesPaused(try json["sailing"].id())
        case .salesResumed: .salesResumed(try json["sailing"].id())
        case .bookingPlaced: .bookingPlaced(try placed(json))
        case .holdExtended: .holdExtended(try extended(json))
        case .holdExpired: .holdExpired(try holdEnded(json))
        case .bookingAbandoned: .bookingAbandoned(try holdEnded(json))
        case .bookingConfirmed: .bookingConfirmed(try confirmed(json))
        case .bookingCancelled: .bookingCancelled(try cancelled(json))
        case .passengerCheckedIn: .passengerCheckedIn(try passengers(json))
        case .checkInReverted: .checkInReverted(try passengers(json))
        case .bookingCompleted:
            .bookingCompleted(
                BookingCompleted(booking: try json["booking"].id(), sailings: try sailings(json)))
        case .discountCodeIssued: .discountCodeIssued(try discountCode(json))
        case .accessCodeIssued: .accessCodeIssued(try accessCode(json))
        case .codeRevoked: .codeRevoked(try code(json))
        case .boatUnassigned, .ticketTypeDefined, .ticketTypeRepriced, .ticketTypeCapped,
            .ticketTypeRelabelled, .ticketTypeWithdrawn, .oversaleAuthorised:
            try readSeats(type, from: json)
        case .paymentStarted, .paymentDeclined, .paymentSucceeded, .paymentArrivedLate,
            .refundRequested, .refundSucceeded, .refundFailed, .chargeDisputed:
            try readMoney(type, from: json)
        case .merchandiseAdded, .variationAdded, .variationRepriced, .stockReceived,
            .stockAdjusted, .merchandiseOffered, .offerAllotmentSet, .merchandiseFulfilled:
            try readMerchandise(type, from: json)
        case .contactChanged, .lineQuantityChanged, .lineTicketTypeChanged, .bookingRescheduled,
            .passengersReassigned, .alternativeOffered, .passengersScanned, .staffNoteWritten:
            try readChange(type, from: json)
        case .logEpochBegun: .logEpochBegun(try epoch(json))
        case .projectionEventSkipped: .projectionEventSkipped(try skip(json))
        case .staffAccountOpened, .staffRoleSet, .staffPasswordSet, .staffAccountClosed,
            .apiKeyIssued, .apiKeyRevoked:
            try readStaff(type, from: json)
        }
    }

    private static func location(_ json: JSONObject) throws(JSONError) -> LocationAdded {
        LocationAdded(
            location: try json["location"].id(), name: try json["name"].string(),
            region: try json["region"].string(), country: try country(json["country"]),
            timeZone: try json["timeZone"].string())
    }

    private static func country(_ value: JSONValue) throws(JSONError) -> Country {
        guard let country = Country(try value.string()) else {
            throw value.fault("must be two letters such as US")
        }
        return country
    }

    private static func jurisdiction(_ json: JSONObject) throws(JSONError) -> JurisdictionAdded {
        JurisdictionAdded(
            jurisdiction: try json["jurisdiction"].id(), location: try json["location"].id(),
            name: try json["name"].string())
    }

    private static func taxRate(_ json: JSONObject) throws(JSONError) -> TaxRateSet {
        TaxRateSet(
            jurisdiction: try json["jurisdiction"].id(),
            rate: try json["rateBasisPoints"].basisPoints(),
            effectiveFrom: try json["effectiveFrom"].instant())
    }

    private static func provider(_ json: JSONObject) throws(JSONError) -> ProviderAdded {
        ProviderAdded(
            provider: try json["provider"].id(), jurisdiction: try json["jurisdiction"].id(),
            name: try json["name"].string(), dock: try json["dock"].string(),
            address: try json["address"].string(),
            mapLink: try json.optional("mapLink")?.string())
    }

    private static func boat(_ json: JSONObject) throws(JSONError) -> BoatRegistered {
        BoatRegistered(
            boat: try json["boat"].id(), provider: try json["provider"].id(),
            jurisdiction: try json["jurisdiction"].id(), name: try json["name"].string(),
            slug: try json["slug"].string(), capacity: try json["capacity"].integer(),
            ticketTypes: try json["ticketTypes"].list(ticketType))
    }

    private static func launch(_ json: JSONObject) throws(JSONError) -> LaunchAnnounced {
        LaunchAnnounced(
            launch: try json["launch"].id(), location: try json["location"].id(),
            name: try json["name"].string(), summary: try json.optional("summary")?.string(),
            liftOff: try json["liftOff"].instant(), confidence: try json["confidence"].choice())
    }

    private static func mission(_ json: JSONObject) throws(JSONError) -> MissionPlanned {
        MissionPlanned(
            mission: try json["mission"].id(), launch: try json["launch"].id(),
            name: try json["name"].string(),
            refundCutoffHours: try json["refundCutoffHours"].integer())
    }

    private static func trip(_ json: JSONObject) throws(JSONError) -> TripScheduled {
        TripScheduled(
            trip: try json["trip"].id(), mission: try json["mission"].id(),
            launch: try json["launch"].id(), location: try json["location"].id(),
            kind: try json["kind"].choice(), label: try json.optional("label")?.string(),
            times: TripTimes(
                checkIn: try json["checkIn"].instant(), boarding: try json["boarding"].instant(),
                departure: try json["departure"].instant()),
            saleMode: try json["saleMode"].choice(),
            salesOpenAt: try instant(json.optional("salesOpenAt")),
            isListed: try json["isListed"].bool())
    }

    private static func sailing(_ json: JSONObject) throws(JSONError) -> BoatAssigned {
        BoatAssigned(
            sailing: try json["sailing"].id(), trip: try json["trip"].id(),
            mission: try json["mission"].id(), launch: try json["launch"].id(),
            boat: try json["boat"].id(), jurisdiction: try json["jurisdiction"].id(),
            limit: try json.optional("limit")?.integer(),
            ticketTypes: try json["ticketTypes"].list(ticketType))
    }

    static func ticketType(_ value: JSONValue) throws(JSONError) -> TicketType {
        let json = try value.object()
        let fixedCap = try json.optional("fixedCap")?.integer()
        return TicketType(
            id: try json["id"].id(), label: try json["label"].string(),
            price: Money(
                minorUnits: try json["price"].integer(), currency: try json["currency"].choice()),
            cap: fixedCap.map { .fixed($0) } ?? .shared)
    }

    private static func placed(_ json: JSONObject) throws(JSONError) -> BookingPlaced {
        guard let code = try json["code"].withPlainString(ConfirmationCode.init(utf8:)) ?? nil
        else {
            throw try json["code"].fault("must be a confirmation code")
        }
        return BookingPlaced(
            booking: try json["booking"].id(), customer: try json["customer"].id(), code: code,
            mission: try json["mission"].id(), quote: try quote(json["quote"].object()),
            deadline: try json["deadline"].instant(), contact: try sealed(json["contact"]),
            wantsUpdates: try json["wantsUpdates"].bool(),
            reseller: try json.optional("reseller")?.id())
    }

    static func sealed(_ value: JSONValue) throws(JSONError) -> Sealed {
        guard let bytes = value.withPlainString(Hexadecimal.bytes(of:)) ?? nil else {
            throw value.fault("must be hexadecimal")
        }
        return Sealed(bytes: bytes)
    }

    private static func extended(_ json: JSONObject) throws(JSONError) -> HoldExtended {
        HoldExtended(
            booking: try json["booking"].id(), sailings: try sailings(json),
            codes: try codes(json.optional("codes")),
            merchandise: try merchandise(json.optional("merchandise")),
            deadline: try json["deadline"].instant())
    }

    private static func holdEnded(_ json: JSONObject) throws(JSONError) -> HoldEnded {
        HoldEnded(booking: try json["booking"].id(), holdings: try holdings(json))
    }

    private static func confirmed(_ json: JSONObject) throws(JSONError) -> BookingConfirmed {
        BookingConfirmed(
            booking: try json["booking"].id(), holdings: try holdings(json),
            basis: try json["basis"].choice(),
            wasHeld: try json.optional("wasHeld")?.bool() ?? true)
    }

    private static func cancelled(_ json: JSONObject) throws(JSONError) -> BookingCancelled {
        BookingCancelled(
            booking: try json["booking"].id(), holdings: try holdings(json),
            wasHeld: try json["wasHeld"].bool(), reason: try json["reason"].string())
    }

    private static func passengers(_ json: JSONObject) throws(JSONError) -> PassengersChecked {
        PassengersChecked(
            booking: try json["booking"].id(), sailing: try json["sailing"].id(),
            passengers: try numbers(json), at: try instant(json.optional("at")))
    }

    static func numbers(_ json: JSONObject) throws(JSONError) -> [Int] {
        try json["passengers"].list { value throws(JSONError) in try value.integer() }
    }

    static func holdings(_ json: JSONObject) throws(JSONError) -> Holdings {
        Holdings(
            seats: try json["seats"].list(seatLine), codes: try codeUses(json.optional("codes")),
            merchandise: try merchandise(json.optional("merchandise")))
    }

    private static func seatLine(_ value: JSONValue) throws(JSONError) -> SeatLine {
        let json = try value.object()
        return SeatLine(
            sailing: try json["sailing"].id(), ticketType: try json["ticketType"].id(),
            quantity: try json["quantity"].integer())
    }

    private static func sailings(_ json: JSONObject) throws(JSONError) -> [SailingID] {
        try json["sailings"].list { value throws(JSONError) in try value.id() }
    }

    private static func instant(_ value: JSONValue?) throws(JSONError) -> Instant? {
        try value?.instant()
    }
}

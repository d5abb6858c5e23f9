public import Domain

extension Event {
    /// The entities that the event concerns, each once: what it is found by.
    ///
    /// An entity that an event only mentions is no tag of it: a booking names its trip and mission,
    /// but it is found by itself, its sailings, its customer, its confirmation code and
    /// the codes it uses.
    public var tags: [EntityID] { entities.unique }

    private var entities: [EntityID] {
        switch self {
        case .locationAdded(let fact): [fact.location.entity]
        case .jurisdictionAdded(let fact): [fact.jurisdiction.entity, fact.location.entity]
        case .taxRateSet(let fact): [fact.jurisdiction.entity]
        case .providerAdded(let fact): [fact.provider.entity, fact.jurisdiction.entity]
        case .boatRegistered(let fact): [fact.boat.entity, fact.provider.entity]
        case .boatCapacityChanged(let fact): [fact.boat.entity]
        case .boatTicketTypesSet(let fact): [fact.boat.entity]
        case .launchAnnounced(let fact): [fact.launch.entity, fact.location.entity]
        case .launchArchived(let launch), .launchUnarchived(let launch): [launch.entity]
        case .missionPlanned(let fact): [fact.mission.entity, fact.launch.entity]
        case .missionActivated(let mission), .missionDeactivated(let mission),
            .missionArchived(let mission), .missionUnarchived(let mission):
            [mission.entity]
        case .refundCutoffSet(let fact): [fact.mission.entity]
        case .tripScheduled(let fact): [fact.trip.entity, fact.mission.entity]
        case .saleModeSet(let fact): [fact.trip.entity]
        case .salesOpeningSet(let fact): [fact.trip.entity]
        case .tripListed(let trip), .tripUnlisted(let trip), .tripActivated(let trip),
            .tripDeactivated(let trip), .tripArchived(let trip), .tripUnarchived(let trip):
            [trip.entity]
        case .boatAssigned(let fact): [fact.sailing.entity, fact.trip.entity, fact.boat.entity]
        case .sailingLimitSet(let fact): [fact.sailing.entity]
        case .salesPaused(let sailing), .salesResumed(let sailing): [sailing.entity]
        case .bookingPlaced(let fact):
            [fact.booking.entity, fact.customer.entity, fact.code.entity]
                + fact.quote.holdings.entities + [fact.reseller?.entity].compactMap { $0 }
        case .holdExtended(let fact):
            [fact.booking.entity] + fact.sailings.map(\.entity) + fact.codes.map(\.entity)
                + fact.merchandise.entities
        case .holdExpired(let fact), .bookingAbandoned(let fact):
            [fact.booking.entity] + fact.holdings.entities
        case .bookingConfirmed(let fact): [fact.booking.entity] + fact.holdings.entities
        case .bookingCancelled(let fact): [fact.booking.entity] + fact.holdings.entities
        case .passengerCheckedIn(let fact), .checkInReverted(let fact):
            [fact.booking.entity, fact.sailing.entity]
        case .bookingCompleted(let fact): [fact.booking.entity] + fact.sailings.map(\.entity)
        case .discountCodeIssued(let fact): [fact.code.entity]
        case .accessCodeIssued(let fact): [fact.code.entity]
        case .codeRevoked(let code): [code.entity]
        case .boatUnassigned(let fact): [fact.sailing.entity, fact.trip.entity, fact.boat.entity]
        case .ticketTypeDefined(let fact): [fact.sailing.entity]
        case .ticketTypeRepriced(let fact): [fact.sailing.entity]
        case .ticketTypeCapped(let fact): [fact.sailing.entity]
        case .ticketTypeRelabelled(let fact): [fact.sailing.entity]
        case .ticketTypeWithdrawn(let fact): [fact.sailing.entity]
        case .oversaleAuthorised(let fact): [fact.sailing.entity, fact.booking.entity]
        case .paymentStarted(let fact): [fact.payment.entity, fact.booking.entity]
        case .paymentDeclined(let fact): [fact.payment.entity, fact.booking.entity]
        case .paymentSucceeded(let fact), .paymentArrivedLate(let fact), .chargeDisputed(let fact):
            [fact.payment.entity, fact.booking.entity]
        case .merchandiseAdded(let fact): [fact.merchandise.entity]
        case .variationAdded(let fact): [fact.variation.entity, fact.merchandise.entity]
        case .variationRepriced(let fact): [fact.variation.entity]
        case .stockReceived(let fact): [fact.variation.entity]
        case .stockAdjusted(let fact): [fact.variation.entity]
        case .merchandiseOffered(let fact):
            [fact.offer.entity, fact.trip.entity, fact.variation.entity]
        case .offerAllotmentSet(let fact): [fact.offer.entity]
        case .merchandiseFulfilled(let fact): [fact.booking.entity] + fact.merchandise.entities
        case .refundRequested(let fact):
            [fact.refund.entity, fact.payment.entity, fact.booking.entity]
        case .refundSucceeded(let fact):
            [fact.refund.entity, fact.payment.entity, fact.booking.entity]
        case .refundFailed(let fact):
            [fact.refund.entity, fact.payment.entity, fact.booking.entity]
        case .passengersScanned(let fact): [fact.booking.entity, fact.sailing.entity]
        case .staffNoteWritten(let fact): [fact.booking.entity, fact.customer.entity]
        case .staffAccountOpened(let fact): [fact.account.entity]
        case .staffRoleSet(let fact): [fact.account.entity]
        case .staffPasswordSet(let account): [account.entity]
        case .staffAccountClosed(let account): [account.entity]
        case .apiKeyIssued(let fact): [fact.key.entity]
        case .apiKeyRevoked(let key): [key.entity]
        case .logEpochBegun(let fact): [fact.log.entity]
        case .projectionEventSkipped(let fact): [fact.log.entity]
        case .contactChanged(let fact): [fact.booking.entity, fact.customer.entity]
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            [fact.booking.entity] + fact.before.entities + fact.quote.holdings.entities
        case .alternativeOffered(let fact):
            [fact.booking.entity] + fact.before.entities + fact.quote.holdings.entities
        }
    }
}

extension Holdings {
    fileprivate var entities: [EntityID] {
        seats.sailings.map(\.entity) + codes.map(\.code.entity) + merchandise.entities
    }
}

extension [MerchandiseLine] {
    fileprivate var entities: [EntityID] {
        map(\.offer.entity) + map(\.variation.entity)
    }
}

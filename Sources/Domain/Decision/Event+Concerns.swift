/// What an event is about, for those who keep something of each: models, read models, audits.
extension Event {
    /// The booking whose life or money the event is about.
    public var concernedBooking: BookingID? {
        switch self {
        case .bookingPlaced(let fact): fact.booking
        case .holdExtended(let fact): fact.booking
        case .holdExpired(let fact), .bookingAbandoned(let fact): fact.booking
        case .bookingConfirmed(let fact): fact.booking
        case .bookingCancelled(let fact): fact.booking
        case .bookingCompleted(let fact): fact.booking
        case .lineQuantityChanged(let fact), .lineTicketTypeChanged(let fact),
            .bookingRescheduled(let fact), .passengersReassigned(let fact):
            fact.booking
        case .alternativeOffered(let fact): fact.booking
        case .contactChanged(let fact): fact.booking
        case .staffNoteWritten(let fact): fact.booking
        case .merchandiseFulfilled(let fact): fact.booking
        case .passengersScanned(let fact): fact.booking
        case .passengerCheckedIn(let fact), .checkInReverted(let fact): fact.booking
        case .paymentStarted(let fact): fact.booking
        case .paymentDeclined(let fact): fact.booking
        case .paymentSucceeded(let fact), .paymentArrivedLate(let fact), .chargeDisputed(let fact):
            fact.booking
        case .refundRequested(let fact): fact.booking
        case .refundSucceeded(let fact): fact.booking
        case .refundFailed(let fact): fact.booking
        default: nil
        }
    }

    /// The sailings whose seats, types or terms of sale the event is about, each once.
    public var concernedSailings: [SailingID] {
        switch self {
        case .boatAssigned(let fact): [fact.sailing]
        case .boatUnassigned(let fact): [fact.sailing]
        case .sailingLimitSet(let fact): [fact.sailing]
        case .salesPaused(let sailing), .salesResumed(let sailing): [sailing]
        case .ticketTypeDefined(let fact): [fact.sailing]
        case .ticketTypeRepriced(let fact): [fact.sailing]
        case .ticketTypeCapped(let fact): [fact.sailing]
        case .ticketTypeRelabelled(let fact): [fact.sailing]
        case .ticketTypeWithdrawn(let fact): [fact.sailing]
        case .oversaleAuthorised(let fact): [fact.sailing]
        case .holdExtended(let fact): fact.sailings
        default: commitmentChanges.flatMap(\.holdings.seats.sailings).unique
        }
    }

    /// The codes that are issued, revoked, used or given back.
    public var concernedCodes: [EntityID] {
        switch self {
        case .discountCodeIssued(let fact): [fact.code.entity]
        case .accessCodeIssued(let fact): [fact.code.entity]
        case .codeRevoked(let code): [code.entity]
        case .holdExtended(let fact): fact.codes.map(\.entity)
        default: commitmentChanges.flatMap { $0.holdings.codes.map(\.code.entity) }.unique
        }
    }

    /// The variations whose stock or price the event is about.
    public var concernedVariations: [VariationID] {
        switch self {
        case .variationAdded(let fact): [fact.variation]
        case .variationRepriced(let fact): [fact.variation]
        case .stockReceived(let fact): [fact.variation]
        case .stockAdjusted(let fact): [fact.variation]
        case .merchandiseFulfilled(let fact): fact.merchandise.map(\.variation).unique
        case .holdExtended(let fact): fact.merchandise.map(\.variation).unique
        default: commitmentChanges.flatMap { $0.holdings.merchandise.map(\.variation) }.unique
        }
    }

    /// The offers that something is sold of, or whose terms the event is about.
    public var concernedOffers: [OfferID] {
        switch self {
        case .merchandiseOffered(let fact): [fact.offer]
        case .offerAllotmentSet(let fact): [fact.offer]
        case .holdExtended(let fact): fact.merchandise.map(\.offer).unique
        default: commitmentChanges.flatMap { $0.holdings.merchandise.map(\.offer) }.unique
        }
    }
}

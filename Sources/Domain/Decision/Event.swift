/// A fact. Once appended it is never changed.
///
/// Its facts are boxed, because it stands in many lists on its way, and each of them is a copy.
/// What an event is called on disk, and which of its ids are tags, is the business of `EventCodec`.
public indirect enum Event: Hashable, Sendable {
    case locationAdded(LocationAdded)
    case jurisdictionAdded(JurisdictionAdded)
    case taxRateSet(TaxRateSet)
    case providerAdded(ProviderAdded)
    case boatRegistered(BoatRegistered)
    case boatCapacityChanged(BoatCapacityChanged)
    case boatTicketTypesSet(BoatTicketTypesSet)
    case launchAnnounced(LaunchAnnounced)
    case launchArchived(LaunchID)
    case launchUnarchived(LaunchID)
    case missionPlanned(MissionPlanned)
    case missionActivated(MissionID)
    case missionDeactivated(MissionID)
    case missionArchived(MissionID)
    case missionUnarchived(MissionID)
    case refundCutoffSet(RefundCutoffSet)
    case tripScheduled(TripScheduled)
    case saleModeSet(SaleModeSet)
    case salesOpeningSet(SalesOpeningSet)
    case tripListed(TripID)
    case tripUnlisted(TripID)
    case tripActivated(TripID)
    case tripDeactivated(TripID)
    case tripArchived(TripID)
    case tripUnarchived(TripID)
    case boatAssigned(BoatAssigned)
    case sailingLimitSet(SailingLimitSet)
    case salesPaused(SailingID)
    case salesResumed(SailingID)
    case bookingPlaced(BookingPlaced)
    case holdExtended(HoldExtended)
    case holdExpired(HoldEnded)
    case bookingAbandoned(HoldEnded)
    case bookingConfirmed(BookingConfirmed)
    case bookingCancelled(BookingCancelled)
    case passengerCheckedIn(PassengersChecked)
    case checkInReverted(PassengersChecked)
    case bookingCompleted(BookingCompleted)
    case discountCodeIssued(DiscountCodeIssued)
    case accessCodeIssued(AccessCodeIssued)
    case codeRevoked(SalesCode)
    case boatUnassigned(BoatUnassigned)
    case ticketTypeDefined(TicketTypeDefined)
    case ticketTypeRepriced(TicketTypeChanged<Money>)
    case ticketTypeCapped(TicketTypeChanged<TicketType.Cap>)
    case ticketTypeRelabelled(TicketTypeChanged<String>)
    case ticketTypeWithdrawn(TicketTypeWithdrawn)
    case oversaleAuthorised(OversaleAuthorised)
    case paymentStarted(PaymentStarted)
    case paymentDeclined(PaymentDeclined)
    case paymentSucceeded(ChargeMade)
    case paymentArrivedLate(ChargeMade)
    case refundRequested(RefundRequested)
    case refundSucceeded(RefundSucceeded)
    case refundFailed(RefundFailed)
    case chargeDisputed(ChargeMade)
    case merchandiseAdded(MerchandiseAdded)
    case variationAdded(VariationAdded)
    case variationRepriced(VariationRepriced)
    case stockReceived(StockReceived)
    case stockAdjusted(StockAdjusted)
    case merchandiseOffered(MerchandiseOffered)
    case offerAllotmentSet(OfferAllotmentSet)
    case merchandiseFulfilled(MerchandiseFulfilled)
    case contactChanged(ContactChanged)
    case lineQuantityChanged(OrderChanged)
    case lineTicketTypeChanged(OrderChanged)
    case bookingRescheduled(OrderChanged)
    case passengersReassigned(OrderChanged)
    case alternativeOffered(AlternativeOffered)
    case passengersScanned(PassengersScanned)
    case staffNoteWritten(StaffNoteWritten)
    case staffAccountOpened(StaffAccountOpened)
    case staffRoleSet(StaffRoleSet)
    case staffPasswordSet(AccountID)
    case staffAccountClosed(AccountID)
    case apiKeyIssued(APIKeyIssued)
    case apiKeyRevoked(APIKeyID)
    case logEpochBegun(LogEpochBegun)
    case projectionEventSkipped(ProjectionEventSkipped)
}

/// The kind of an event. The number is its name on disk: add at the end, never reuse.
public enum EventType: Int16, Sendable, CaseIterable {
    case locationAdded = 1
    case jurisdictionAdded = 2
    case taxRateSet = 3
    case providerAdded = 4
    case boatRegistered = 5
    case boatCapacityChanged = 6
    case launchAnnounced = 7
    case launchArchived = 8
    case launchUnarchived = 9
    case missionPlanned = 10
    case missionActivated = 11
    case missionDeactivated = 12
    case missionArchived = 13
    case missionUnarchived = 14
    case tripScheduled = 15
    case saleModeSet = 16
    case salesOpeningSet = 17
    case tripListed = 18
    case tripUnlisted = 19
    case tripActivated = 20
    case tripDeactivated = 21
    case tripArchived = 22
    case tripUnarchived = 23
    case boatAssigned = 24
    case sailingLimitSet = 25
    case salesPaused = 26
    case salesResumed = 27
    case bookingPlaced = 28
    case holdExtended = 29
    case holdExpired = 30
    case bookingAbandoned = 31
    case bookingConfirmed = 32
    case bookingCancelled = 33
    case passengerCheckedIn = 34
    case checkInReverted = 35
    case bookingCompleted = 36
    case discountCodeIssued = 37
    case accessCodeIssued = 38
    case codeRevoked = 39
    case boatUnassigned = 40
    case ticketTypeDefined = 41
    case ticketTypeRepriced = 42
    case ticketTypeCapped = 43
    case ticketTypeRelabelled = 44
    case ticketTypeWithdrawn = 45
    case oversaleAuthorised = 46
    case paymentStarted = 47
    case paymentDeclined = 48
    case paymentSucceeded = 49
    case paymentArrivedLate = 50
    case refundRequested = 51
    case refundSucceeded = 52
    case refundFailed = 53
    case chargeDisputed = 54
    case merchandiseAdded = 55
    case variationAdded = 56
    case variationRepriced = 57
    case stockReceived = 58
    case stockAdjusted = 59
    case merchandiseOffered = 60
    case offerAllotmentSet = 61
    case merchandiseFulfilled = 62
    case contactChanged = 63
    case lineQuantityChanged = 64
    case lineTicketTypeChanged = 65
    case bookingRescheduled = 66
    case passengersReassigned = 67
    case alternativeOffered = 68
    case passengersScanned = 69
    case staffNoteWritten = 70
    case staffAccountOpened = 71
    case staffRoleSet = 72
    case staffAccountClosed = 73
    case apiKeyIssued = 74
    case apiKeyRevoked = 75
    case boatTicketTypesSet = 76
    case logEpochBegun = 77
    case projectionEventSkipped = 78
    case refundCutoffSet = 79
    case staffPasswordSet = 80
}

/// An event with its place in the log.
public struct RecordedEvent: Hashable, Sendable {
    public var position: Int64
    public var recordedAt: Instant
    public var event: Event

    public init(position: Int64, recordedAt: Instant, event: Event) {
        self.position = position
        self.recordedAt = recordedAt
        self.event = event
    }
}

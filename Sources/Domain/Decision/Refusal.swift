/// A business "no", with the figures that its reader needs.
public enum Refusal: Error, Hashable, Sendable {
    /// There is no such thing: its kind in the trade's word, and its id.
    case unknown(kind: String, id: EntityID)
    /// The id is taken by a thing that reads differently.
    case alreadyExists(kind: String, id: EntityID)
    /// A field is not acceptable, and why.
    case invalid(field: String, reason: String)

    case notEnoughSeats(sailing: SailingID, ticketType: TicketTypeID?, available: Int, wanted: Int)
    case orderTooLarge(wanted: Int, limit: Int)
    case sailingNotOfTrip(sailing: SailingID, trip: TripID)
    case severalMissions
    case notOnSale(trip: TripID, because: NotOnSale)
    case salesPaused(sailing: SailingID)
    case totalChanged(named: Money, current: Money)
    case codeTaken(SalesCode)
    case codeNotAccepted(SalesCode, because: CodeObstacle)

    case limitAboveCapacity(limit: Int, capacity: Int)
    case limitBelowUse(limit: Int, used: Int)
    case capBelowUse(ticketType: TicketTypeID, cap: Int, used: Int)
    case ticketTypeInUse(ticketType: TicketTypeID, used: Int)
    case sailingInUse(sailing: SailingID, committed: Int, held: Int)
    /// More people than the law lets aboard: nobody may authorise that.
    case aboveCapacity(sailing: SailingID, capacity: Int, used: Int, wanted: Int)

    case notEnoughStock(offer: OfferID, available: Int, wanted: Int)
    case merchandiseWithoutSeats(offer: OfferID, trip: TripID)
    /// The customer has it in his hands, and would get its price back.
    case merchandiseHandedOver(offer: OfferID, quantity: Int)
    case stockBelowUse(variation: VariationID, stock: Int, used: Int)
    case allotmentBelowUse(offer: OfferID, allotment: Int, used: Int)

    case holdOver(deadline: Instant)
    case extensionLimitReached(limit: Int)
    case holdEndsAtDeparture(Instant)
    case notInThatState(status: BookingStatus, wanted: String)
    case paymentDue(total: Money)
    case nothingDue
    case tooManyPayments(limit: Int)
    /// No one payment has so much left to give back.
    case refundTooLarge(wanted: Money, refundable: Money)
    /// Customers help themselves until then; staff may go past it.
    case refundCutoffPassed(cutoff: Instant)
    /// Who is aboard is neither moved nor taken off the booking.
    case passengersAboard(aboard: Int, wanted: Int)
    case tripNotDeparted(departure: Instant)
    case holdNotOver(deadline: Instant)
    /// The booking goes with another boat about this time.
    case wrongSailing(theirs: SailingID)
    /// The booking goes at another time.
    case wrongDay(departure: Instant)
    case unknownCode(ConfirmationCode)
    case unknownPassengers(numbers: [Int], passengerCount: Int)
    case versionMismatch(expected: Int64, current: Int64)

    public enum NotOnSale: String, Hashable, Sendable {
        case departed
        case archived
        case inactive
        case staffOnly
        case accessCodeNeeded
    }
}

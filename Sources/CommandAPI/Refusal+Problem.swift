public import Commands
internal import Domain
internal import HTTPTypes
internal import JSON
public import Web

/// The one place where a refusal becomes a status code.
func problem(for refusal: Refusal) -> Problem {
    switch refusal {
    case .unknown(let kind, let id):
        Problem(
            "unknown-\(kind.replacing(" ", with: "-"))", .notFound, "Not found",
            detail: "there is no \(kind) \(id)", figures: [("id", .text(id.description))])
    case .alreadyExists(let kind, let id):
        Problem(
            "already-exists", .conflict, "Already there",
            detail: "there is a \(kind) \(id) already: change that one, or ask for another",
            figures: [("id", .text(id.description))])
    case .invalid(let field, let reason): .malformed(field: field, reason)
    case .notEnoughSeats(let sailing, let ticketType, let available, let wanted):
        Problem(
            "sold-out", .conflict, "Not enough seats",
            detail: "\(wanted) seats were asked for and \(available) are left",
            figures: [
                ("sailing", .text(sailing.description)),
                ("ticketType", ticketType.map { .text($0.description) } ?? .nothing),
                ("available", .number(available)), ("wanted", .number(wanted)),
            ])
    case .orderTooLarge(let wanted, let limit):
        Problem(
            "order-too-large", .badRequest, "The order is too large",
            detail: "one order may have \(limit) seats, and this one has \(wanted)",
            figures: [("wanted", .number(wanted)), ("limit", .number(limit))])
    case .sailingNotOfTrip(let sailing, let trip):
        Problem(
            "sailing-not-of-trip", .badRequest, "The sailing belongs to another trip",
            detail: "sailing \(sailing) is not one of trip \(trip)",
            figures: [
                ("sailing", .text(sailing.description)), ("trip", .text(trip.description)),
            ])
    case .severalMissions:
        Problem(
            "several-missions", .badRequest, "Sailings of several missions",
            detail: "all sailings of an order belong to one mission")
    case .notOnSale(let trip, let because):
        Problem(
            "not-on-sale", .conflict, "Not on sale", detail: detail(of: because),
            figures: [("trip", .text(trip.description)), ("because", .text(because.rawValue))])
    case .salesPaused(let sailing):
        Problem(
            "sales-paused", .conflict, "Sales are paused",
            detail: "seats of this sailing are not sold at the moment",
            figures: [("sailing", .text(sailing.description))])
    case .totalChanged(let named, let current):
        Problem(
            "total-changed", .conflict, "The total is another",
            detail: "you named \(named), and the order comes to \(current)",
            figures: [("named", .money(named)), ("current", .money(current))])
    case .codeTaken(let code):
        Problem(
            "code-taken", .conflict, "The code is taken",
            detail: "there is a code \(code) already, and its terms are others",
            figures: [("code", .text(code.text))])
    case .codeNotAccepted(let code, .unknown):
        Problem(
            "unknown-code", .notFound, "Not found", detail: "there is no code \(code)",
            figures: [("code", .text(code.text))])
    case .codeNotAccepted(let code, let because):
        Problem(
            "code-not-accepted", .conflict, "The code does not help",
            detail: because.detail,
            figures: [("code", .text(code.text)), ("because", .text(because.name))])
    case .limitAboveCapacity(let limit, let capacity):
        Problem(
            "limit-above-capacity", .conflict, "The law allows fewer passengers",
            detail: "the limit may be at most the boat's capacity of \(capacity), not \(limit)",
            figures: [("limit", .number(limit)), ("capacity", .number(capacity))])
    case .limitBelowUse(let limit, let used):
        Problem(
            "limit-below-use", .conflict, "More seats are taken",
            detail: "\(used) seats are sold or held, so the limit can't be \(limit)",
            figures: [("limit", .number(limit)), ("used", .number(used))])
    case .capBelowUse(let ticketType, let cap, let used):
        Problem(
            "cap-below-use", .conflict, "More seats are taken",
            detail: "\(used) seats of this type are sold or held, so its cap can't be \(cap)",
            figures: [
                ("ticketType", .text(ticketType.description)), ("cap", .number(cap)),
                ("used", .number(used)),
            ])
    case .ticketTypeInUse(let ticketType, let used):
        Problem(
            "ticket-type-in-use", .conflict, "The type is in use",
            detail: "\(used) seats of this type are sold or held",
            figures: [
                ("ticketType", .text(ticketType.description)), ("used", .number(used)),
            ])
    case .sailingInUse(let sailing, let committed, let held):
        Problem(
            "sailing-in-use", .conflict, "The sailing is in use",
            detail: "\(committed) of its seats are sold and \(held) are held",
            figures: [
                ("sailing", .text(sailing.description)), ("committed", .number(committed)),
                ("held", .number(held)),
            ])
    case .aboveCapacity(let sailing, let capacity, let used, let wanted):
        Problem(
            "above-capacity", .conflict, "The law allows fewer passengers",
            detail: "the boat may carry \(capacity), \(used) seats are taken and \(wanted) wanted",
            figures: [
                ("sailing", .text(sailing.description)), ("capacity", .number(capacity)),
                ("used", .number(used)), ("wanted", .number(wanted)),
            ])
    case .notEnoughStock(let offer, let available, let wanted):
        Problem(
            "out-of-stock", .conflict, "Not enough of it",
            detail: "\(wanted) were asked for and \(available) are left",
            figures: [
                ("offer", .text(offer.description)), ("available", .number(available)),
                ("wanted", .number(wanted)),
            ])
    case .merchandiseWithoutSeats(let offer, let trip):
        Problem(
            "merchandise-without-seats", .badRequest, "Sold with seats only",
            detail: "this is sold with seats on its trip, and the order has none",
            figures: [("offer", .text(offer.description)), ("trip", .text(trip.description))])
    case .merchandiseHandedOver(let offer, let quantity):
        Problem(
            "merchandise-handed-over", .conflict, "The customer has it",
            detail: "\(quantity) of it were handed over: name as many that were brought back",
            figures: [("offer", .text(offer.description)), ("quantity", .number(quantity))])
    case .stockBelowUse(let variation, let stock, let used):
        Problem(
            "stock-below-use", .conflict, "More is promised",
            detail: "\(used) are sold or reserved, so there can't be \(stock)",
            figures: [
                ("variation", .text(variation.description)), ("stock", .number(stock)),
                ("used", .number(used)),
            ])
    case .allotmentBelowUse(let offer, let allotment, let used):
        Problem(
            "allotment-below-use", .conflict, "More is promised",
            detail: "\(used) are sold or reserved, so the allotment can't be \(allotment)",
            figures: [
                ("offer", .text(offer.description)), ("allotment", .number(allotment)),
                ("used", .number(used)),
            ])
    case .holdOver(let deadline):
        Problem(
            "hold-over", .gone, "The hold is over",
            detail: "the seats were set aside until \(deadline)",
            figures: [("deadline", .text(deadline.description))])
    case .extensionLimitReached(let limit):
        Problem(
            "extension-limit-reached", .conflict, "Extended often enough",
            detail: "a hold may be extended \(limit) times",
            figures: [("limit", .number(limit))])
    case .holdEndsAtDeparture(let departure):
        Problem(
            "hold-ends-at-departure", .conflict, "The trip departs then",
            detail: "the seats are set aside until the trip departs at \(departure), and no longer",
            figures: [("departure", .text(departure.description))])
    case .notInThatState(let status, let wanted):
        Problem(
            "not-in-that-state", .conflict, "Not in that state",
            detail: "the booking is \(status.rawValue), and would have to be \(wanted)",
            figures: [("bookingStatus", .text(status.rawValue)), ("wanted", .text(wanted))])
    case .paymentDue(let total):
        Problem(
            "payment-due", .conflict, "There is something to pay",
            detail: "\(total) has to be paid first",
            figures: [("total", .money(total))])
    case .nothingDue:
        Problem(
            "nothing-due", .conflict, "Nothing to pay",
            detail: "nothing is left to pay; a hold that costs nothing is confirmed as free")
    case .tooManyPayments(let limit):
        Problem(
            "too-many-payments", .conflict, "Tried often enough",
            detail: "one booking may have \(limit) payments",
            figures: [("limit", .number(limit))])
    case .refundTooLarge(let wanted, let refundable):
        Problem(
            "refund-too-large", .conflict, "More than was paid",
            detail: "\(wanted) was to be given back, and at most \(refundable) can be",
            figures: [("wanted", .money(wanted)), ("refundable", .money(refundable))])
    case .refundCutoffPassed(let cutoff):
        Problem(
            "refund-cutoff-passed", .conflict, "Too late to help yourself",
            detail: "until \(cutoff) you could have it back yourself; now the office decides",
            figures: [("cutoff", .text(cutoff.description))])
    case .passengersAboard(let aboard, let wanted):
        Problem(
            "passengers-aboard", .conflict, "Somebody is aboard",
            detail: "\(aboard) of them are aboard, so \(wanted) can't be taken off or moved",
            figures: [("aboard", .number(aboard)), ("wanted", .number(wanted))])
    case .tripNotDeparted(let departure):
        Problem(
            "trip-not-departed", .conflict, "The trip has not departed",
            detail: "it departs at \(departure)",
            figures: [("departure", .text(departure.description))])
    case .holdNotOver(let deadline):
        Problem(
            "hold-not-over", .conflict, "The hold is not over",
            detail: "the seats are set aside until \(deadline)",
            figures: [("deadline", .text(deadline.description))])
    case .wrongSailing(let sailing):
        Problem(
            "wrong-sailing", .conflict, "Wrong boat",
            detail: "this booking goes with another boat",
            figures: [("sailing", .text(sailing.description))])
    case .wrongDay(let departure):
        Problem(
            "wrong-day", .conflict, "Another day",
            detail: "this booking departs at \(departure)",
            figures: [("departure", .text(departure.description))])
    case .unknownCode(let code):
        Problem(
            "unknown-booking", .notFound, "Not found", detail: "there is no booking \(code)",
            figures: [("code", .text(code.description))])
    case .unknownPassengers(let numbers, let count):
        Problem(
            "unknown-passengers", .badRequest, "No such passengers",
            detail: "the booking has \(count) passengers, of whom not all are on this sailing",
            figures: [("passengers", .numbers(numbers)), ("passengerCount", .number(count))])
    case .versionMismatch(let expected, let current):
        Problem(
            "version-mismatch", .preconditionFailed, "The booking has changed",
            detail: "you looked at version \(expected), and it is at \(current): look again",
            figures: [("expected", .number(Int(expected))), ("current", .number(Int(current)))])
    }
}

private func detail(of reason: Refusal.NotOnSale) -> String {
    switch reason {
    case .departed: "the trip has departed"
    case .archived: "the trip is no longer offered"
    case .inactive: "the trip is not offered at the moment"
    case .staffOnly: "the trip is not open to the public"
    case .accessCodeNeeded: "the trip is open to holders of an access code only"
    }
}

extension Problem.Figure {
    static func money(_ money: Money) -> Self {
        .amount(minorUnits: money.minorUnits, currency: money.currency.rawValue)
    }
}

/// The one place where a failure to carry out a command becomes a problem.
public func problem(for error: CommandError) -> Problem {
    switch error {
    case .refused(let refusal, let position): problem(for: refusal).at(position)
    case .keyReused:
        Problem(
            "key-reused", .unprocessableContent, "The key was used before",
            detail: "this Idempotency-Key was used for another request: draw a new one")
    case .overloaded:
        Problem(
            "overloaded", .serviceUnavailable, "Too much at once",
            detail: "too many orders are waiting: try again, with the same Idempotency-Key",
            retryAfterSeconds: 1)
    case .conflicting, .claimTaken:
        Problem(
            "conflicting", .serviceUnavailable, "Others were faster",
            detail: "try again, with the same Idempotency-Key", retryAfterSeconds: 1)
    case .unavailable(let isOutcomeUnknown):
        .unavailable(
            isOutcomeUnknown
                ? "it is not known whether this took effect: repeat it with the same Idempotency-Key"
                : "nothing was written: try again, with the same Idempotency-Key")
    case .fault:
        Problem(
            "internal", .internalServerError, "Something is broken here",
            detail: "nothing was written; the log of the server says why")
    }
}

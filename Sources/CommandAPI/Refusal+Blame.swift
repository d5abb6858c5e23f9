internal import Commands
internal import Domain
internal import JSON
internal import Web

/// What anybody is told of a failure, with the field of his request that is to blame, where it is one and no other.
func problem(for error: CommandError, saidIn body: Body?) -> Problem {
    let problem = problem(for: error)
    guard case .refused(let refusal, _) = error, let json = body?.json,
        let field = refusal.blame.field(in: json)
    else { return problem }
    return problem.naming(field: field)
}

/// How a request says what can't be had.
private enum Blame {
    /// The first of these members that it has.
    case member([StaticString])
    /// An id, wherever it stands.
    case id(EntityID)
    /// Nothing that the request says, or more than one thing.
    case nobody

    func field(in json: JSONObject) -> String? {
        switch self {
        case .member(let names): names.first { json.optional($0) != nil }.map { "\($0)" }
        case .id(let id): json.onlyPath(toText: id.description)
        case .nobody: nil
        }
    }
}

extension Refusal {
    fileprivate var blame: Blame {
        switch self {
        case .unknown(_, let id), .alreadyExists(_, let id): .id(id)
        case .notEnoughSeats(let sailing, let ticketType, _, _):
            .id(ticketType?.entity ?? sailing.entity)
        case .sailingNotOfTrip(let sailing, _), .salesPaused(let sailing),
            .aboveCapacity(let sailing, _, _, _), .sailingInUse(let sailing, _, _):
            .id(sailing.entity)
        case .notOnSale(let trip, _): .id(trip.entity)
        case .notEnoughStock(let offer, _, _), .merchandiseWithoutSeats(let offer, _),
            .merchandiseHandedOver(let offer, _):
            .id(offer.entity)
        case .orderTooLarge, .severalMissions: .member(["lines", "seats"])
        case .totalChanged: .member(["total"])
        case .codeTaken(let code), .codeNotAccepted(let code, _):
            .member(code.kind == .discount ? ["discountCode", "code"] : ["accessCode", "code"])
        case .limitAboveCapacity, .limitBelowUse: .member(["limit"])
        case .capBelowUse: .member(["fixedCap"])
        case .allotmentBelowUse: .member(["allotment"])
        case .stockBelowUse: .member(["quantity"])
        case .refundTooLarge: .member(["amount"])
        case .unknownPassengers: .member(["passengers"])
        case .invalid, .ticketTypeInUse, .holdOver, .extensionLimitReached, .holdEndsAtDeparture,
            .notInThatState, .paymentDue, .nothingDue, .tooManyPayments, .refundCutoffPassed,
            .passengersAboard, .tripNotDeparted, .holdNotOver, .wrongSailing, .wrongDay,
            .unknownCode, .versionMismatch:
            .nobody
        }
    }
}

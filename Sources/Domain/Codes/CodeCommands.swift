/// Makes a discount code. The same once more changes nothing; the text with other terms is refused.
public struct IssueDiscountCode: Command {
    public var fact: DiscountCodeIssued

    public init(_ fact: DiscountCodeIssued) {
        self.fact = fact
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let known = world.look(at: CodeUses.self, of: fact.code.id).issued
        if known == .discount(fact) { return [] }
        guard known == nil else { throw .codeTaken(fact.code) }
        try checkTerms(fact.useLimit, fact.validity)
        if case .amount(let amount) = fact.reduction, amount.minorUnits < 1 {
            throw .invalid(field: "reduction.amount", reason: "must be more than nothing")
        }
        if case .share(let rate, _) = fact.reduction, rate.count < 1 {
            throw .invalid(field: "reduction.basisPoints", reason: "must be at least 1")
        }
        try checkScope(in: world)
        return [.discountCodeIssued(fact)]
    }

    private func checkScope(in world: borrowing World) throws(Refusal) {
        if let launch = fact.scope.launch,
            world.look(at: LaunchTerms.self, of: launch).announced == nil
        {
            throw .unknown(kind: "launch", id: launch.entity)
        }
        if let mission = fact.scope.mission,
            world.look(at: MissionTerms.self, of: mission).planned == nil
        {
            throw .unknown(kind: "mission", id: mission.entity)
        }
        if let trip = fact.scope.trip, world.look(at: TripTerms.self, of: trip).scheduled == nil {
            throw .unknown(kind: "trip", id: trip.entity)
        }
    }
}

/// Makes an access code. The same once more changes nothing; the text with other terms is refused.
public struct IssueAccessCode: Command {
    public var fact: AccessCodeIssued

    public init(_ fact: AccessCodeIssued) {
        self.fact = fact
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let known = world.look(at: CodeUses.self, of: fact.code.id).issued
        if known == .access(fact) { return [] }
        guard known == nil else { throw .codeTaken(fact.code) }
        try checkTerms(fact.useLimit, fact.validity)
        guard world.look(at: MissionTerms.self, of: fact.mission).planned != nil else {
            throw .unknown(kind: "mission", id: fact.mission.entity)
        }
        return [.accessCodeIssued(fact)]
    }
}

/// Takes a code out of use; bookings that used it keep what it gave them.
public struct RevokeCode: Command {
    public var code: SalesCode

    public init(code: SalesCode) {
        self.code = code
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        let uses = world.look(at: CodeUses.self, of: code.id)
        guard uses.issued != nil else { throw .codeNotAccepted(code, because: .unknown) }
        return uses.isRevoked ? [] : [.codeRevoked(code)]
    }
}

private func checkTerms(_ useLimit: Int?, _ validity: Validity) throws(Refusal) {
    if let useLimit, useLimit < 1 {
        throw .invalid(field: "useLimit", reason: "must be at least 1")
    }
    if let from = validity.from, let until = validity.until, from >= until {
        throw .invalid(field: "validUntil", reason: "must be after validFrom")
    }
}

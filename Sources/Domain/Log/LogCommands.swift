/// What operators have decided about a log.
public struct LogTerms: DecisionModel {
    public static let types: Set<EventType> = [.logEpochBegun, .projectionEventSkipped]
    public private(set) var epoch = 1
    public private(set) var skipped: Set<Skip> = []

    public struct Skip: Hashable, Sendable {
        public var projection: String
        public var position: Int64
    }

    public init(of entity: EntityID) {}

    public mutating func evolve(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .logEpochBegun(let fact): epoch = fact.epoch
        case .projectionEventSkipped(let fact):
            skipped.insert(Skip(projection: fact.projection, position: fact.position))
        default: break
        }
    }
}

/// Begins a new epoch, after history was lost that had been published.
public struct BeginLogEpoch: Command {
    public var log: LogID
    /// The epoch of what was published last: the log may have lost the event that began it.
    public var publishedEpoch: Int
    public var from: Int64
    public var publishedUpTo: Int64
    public var reason: String

    public init(
        log: LogID, publishedEpoch: Int, from: Int64, publishedUpTo: Int64, reason: String
    ) {
        self.log = log
        self.publishedEpoch = publishedEpoch
        self.from = from
        self.publishedUpTo = publishedUpTo
        self.reason = reason
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        try checkSays(reason)
        let epoch = max(world.look(at: LogTerms.self, of: log).epoch, publishedEpoch) + 1
        return [
            .logEpochBegun(
                LogEpochBegun(
                    log: log, epoch: epoch, from: from, publishedUpTo: publishedUpTo, reason: reason
                ))
        ]
    }
}

private func checkSays(_ reason: String) throws(Refusal) {
    guard reason.contains(where: { !$0.isWhitespace }) else {
        throw .invalid(field: "reason", reason: "must say why")
    }
}

/// Lets a read model do without an event. One that is skipped already is left alone.
public struct SkipProjectionEvent: Command {
    public var fact: ProjectionEventSkipped

    public init(_ fact: ProjectionEventSkipped) {
        self.fact = fact
    }

    public func decide(in world: borrowing World, at now: Instant) throws(Refusal) -> [Event] {
        try checkSays(fact.reason)
        let skip = LogTerms.Skip(projection: fact.projection, position: fact.position)
        let isSkipped = world.look(at: LogTerms.self, of: fact.log).skipped.contains(skip)
        return isSkipped ? [] : [.projectionEventSkipped(fact)]
    }
}

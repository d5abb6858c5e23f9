public import Domain
internal import EventCodec
public import EventLog
internal import Postgres

/// The decisions of one batch, in the order in which they were made.
struct Round {
    /// A command with facts to append.
    struct Decided {
        var pending: Pending
        var command: AppendCommand
        /// What of its conditions is to be its own: no other process's event mends it where somebody has that.
        var claims: [QueryItem]
        /// At the positions that they will get, unless another process appends in between.
        var events: [RecordedEvent]

        func recorded(at first: Int64, _ recordedAt: Int64) -> [RecordedEvent] {
            let instant = Instant(microseconds: recordedAt)
            return events.enumerated().map { index, event in
                RecordedEvent(
                    position: first + Int64(index), recordedAt: instant, event: event.event)
            }
        }
    }

    /// A request that appends nothing, to be answered when what it saw is committed.
    struct Answer {
        enum Reply {
            case refused(Refusal)
            case nothingToDo
            case told(@Sendable (Int64) -> Void)
        }

        var pending: Pending
        var reply: Reply
        /// How many commands were decided before it: it has seen what they do.
        var decidedBefore: Int
    }

    private(set) var decided: [Decided] = []
    private(set) var answers: [Answer] = []
    /// Requests whose models are not in memory, with those found missing so far.
    private(set) var waiting: [([MissingModel], Pending)] = []
    /// Requests that can't go into this batch, and are to be decided in the next.
    private(set) var postponed: [Pending] = []

    private let cache: ModelCache
    private let now: Instant
    private var next: Int64
    private var ids: Set<EntityID> = []
    private var claimed: Set<QueryItem> = []

    init(cache: ModelCache, now: Instant) {
        self.cache = cache
        self.now = now
        precondition(cache.knownTo <= cache.position, "a model is ahead of the others")
        next = cache.position + 1
    }

    mutating func decide(_ pending: Pending) {
        switch pending.work {
        case .command(let envelope, _): decide(envelope, pending)
        case .question(let question):
            cache.beginDecision()
            let tell = question.answer(in: World(source: cache), at: now)
            if !cache.notes.missing.isEmpty {
                waiting.append((cache.notes.missing, pending))
            } else {
                answer(pending, .told(tell))
            }
        }
    }

    private mutating func decide(_ envelope: Envelope, _ pending: Pending) {
        // Two of one key in one batch: the second waits, and is then found to be a repeat.
        guard !ids.contains(envelope.id), decided.count < EventLog.batchCommandLimit else {
            return postponed.append(pending)
        }
        var events: [RecordedEvent] = []
        var stored: [NewEvent] = []
        var conditions: [ConditionItem] = []
        var claims: [QueryItem] = []
        for command in envelope.commands {
            cache.beginDecision()
            var refusal: Refusal?
            var facts: [Event] = []
            do throws(Refusal) {
                facts = try command.decide(in: World(source: cache), at: now)
            } catch {
                refusal = error
            }
            let isOver =
                refusal != nil || !cache.notes.missing.isEmpty
                || !claimed.isDisjoint(with: cache.notes.claims)
            guard !isOver else { return giveUp(pending, refusal) }
            claims += cache.notes.claims
            claimed.formUnion(cache.notes.claims)
            conditions += cache.conditions()
            for fact in facts {
                let recorded = RecordedEvent(
                    position: next + Int64(events.count), recordedAt: now, event: fact)
                let encoded = EventCodec.encode(fact)
                events.append(recorded)
                stored.append(NewEvent(encoded))
                cache.anticipate(
                    recorded, tags: encoded.tags, keepingAll: pending.isAlone)
            }
        }
        guard !events.isEmpty else {
            return answer(pending, .nothingToDo)
        }
        ids.insert(envelope.id)
        next += Int64(events.count)
        decided.append(
            Decided(
                pending: pending, command: AppendCommand(envelope, stored, conditions),
                claims: claims, events: events))
    }

    private mutating func answer(_ pending: Pending, _ reply: Answer.Reply) {
        answers.append(Answer(pending: pending, reply: reply, decidedBefore: decided.count))
    }

    /// The request can't be decided now, or is refused.
    ///
    /// A request of several commands is a batch of its own, so the marks that its first commands
    /// left on the models are nobody else's.
    private mutating func giveUp(_ pending: Pending, _ refusal: Refusal?) {
        let missing = cache.notes.missing
        if pending.isAlone { cache.takeBack() }
        if !missing.isEmpty {
            waiting.append((missing, pending))
        } else if let refusal {
            answer(pending, .refused(refusal))
        } else {
            postponed.append(pending)
        }
    }
}

extension NewEvent {
    /// An event of the trade as it is written down today.
    public init(_ event: Event) {
        self.init(EventCodec.encode(event))
    }

    init(_ stored: StoredEvent) {
        self.init(
            type: stored.type, schemaVersion: stored.schemaVersion, data: stored.data,
            tags: stored.tags.map { PostgresUUID($0) })
    }
}

extension AppendCommand {
    init(_ envelope: Envelope, _ events: [NewEvent], _ conditions: [ConditionItem]) {
        self.init(
            id: PostgresUUID(envelope.id), requestHash: envelope.requestHash,
            correlationID: PostgresUUID(envelope.correlationID),
            causationPosition: envelope.causationPosition, actor: envelope.actor,
            events: events, conditions: conditions,
            customerKeys: envelope.customerKeys.map { (PostgresUUID($0.customer.entity), $0.key) })
    }
}

extension LoggedEvent {
    /// An event that was appended, as it would be read.
    init(_ event: NewEvent, of command: AppendCommand, _ recorded: RecordedEvent) {
        self.init(
            position: recorded.position, recordedAt: recorded.recordedAt.microseconds,
            commandID: command.id, correlationID: command.correlationID,
            causationPosition: command.causationPosition, type: event.type,
            schemaVersion: event.schemaVersion, actor: command.actor, data: event.data)
    }
}

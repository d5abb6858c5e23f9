public import Domain
public import EventLog
public import Logging
internal import Metrics
public import Postgres
public import ServiceLifecycle
internal import Synchronization

/// Decides commands one after the other in memory, and appends them in batches.
///
/// While one batch is being flushed to disk, the next gathers: no timer, no linger. Each decision
/// sees what those before it in the batch did, though nothing is committed yet; answers go out when
/// it is. A command whose models are not in memory waits aside while they are read.
public actor DecisionLoop: Service {
    public nonisolated let log: EventLog
    let limits: DecisionLimits
    let clock: @Sendable () -> Instant
    let logger: Logger
    let metrics = DecisionMetrics()

    /// Where requests arrive, without waiting for a decision under way.
    nonisolated let inbox = Inbox()
    private nonisolated let listening = Mutex(Listening())
    var queue: [Pending] = []
    /// Requests that wait for a model, by the model.
    var aside: [MissingModel.Key: [Pending]] = [:]
    var asideCount = 0
    /// Models to be read when others have been.
    var waitingLoads: [MissingModel] = []
    var loadCount = 0
    var cache: ModelCache?
    /// What was appended before this is known.
    var caughtUpAt = ContinuousClock.now
    var mustCatchUp = true
    /// When a batch last came out otherwise than was foreseen.
    private var disturbedAt: ContinuousClock.Instant?
    let wakeups = AsyncStream.makeStream(
        of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let errands = AsyncStream.makeStream(of: Errand.self)

    /// What is done beside the loop, so that it never waits.
    enum Errand: Sendable {
        case load(MissingModel)
        /// Refused or empty answers wait for whether their keys were accepted before.
        case lookUp(
            [(envelope: Envelope, pending: Pending, otherwise: Result<Receipt, CommandError>)])
        case replay(ClosedRange<Int64>, Pending)
        /// What conflicts may have claimed what somebody has.
        case lookUpClaims([QueryItem], Pending)
    }

    public init(
        _ log: EventLog, limits: DecisionLimits = DecisionLimits(),
        clock: @escaping @Sendable () -> Instant, logger: Logger
    ) {
        self.log = log
        self.limits = limits
        self.clock = clock
        self.logger = logger
    }

    /// Carries out the commands of an envelope, all or none; the answer is durable.
    public nonisolated func submit(_ envelope: Envelope) async throws(CommandError) -> Receipt {
        let result = await withCheckedContinuation { answer in
            enqueue(Pending(.command(envelope, answer)))
        }
        return try result.get()
    }

    /// Answers a question about the world as it is, and says for which position that holds. What other processes have
    /// appended within the last ``DecisionLimits/catchUpInterval`` may be missing, unless `isCurrent`.
    public nonisolated func ask<Asked: Question>(
        _ question: Asked, isCurrent: Bool = false
    ) async throws(CommandError) -> (answer: Asked.Answer, position: Int64) {
        let reply: AskedQuestion<Asked>.Reply = await withCheckedContinuation { continuation in
            enqueue(
                Pending(
                    .question(AskedQuestion(question: question, continuation: continuation)),
                    mustBeCurrent: isCurrent))
        }
        return try reply.get()
    }

    /// Has `listener` told of batches when they are appended, in order: of their events, and the keys of
    /// the customers who are new with them. It must not block, and a later listener takes its place.
    ///
    /// A batch that was not appended whole, or not where it was foreseen, is left to be read.
    public nonisolated func onAppend(_ listener: @escaping AppendListener) {
        self.listening.withLock { $0.listener = listener }
    }

    public typealias AppendListener =
        @Sendable (
            _ events: [(stored: LoggedEvent, event: Event)], _ keys: [PostgresUUID: [UInt8]]
        ) -> Void

    /// A function that stands alone in a generic container is wrapped once more whenever it is taken out
    /// and put back, and each call of it then goes through all the wrappings.
    private struct Listening {
        var listener: AppendListener?
    }

    /// Requests waiting now.
    public nonisolated var queueDepth: Int { inbox.depth }

    /// Decides until shutdown; what comes too late for the last batch is told so.
    public func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.decide() }
                for await errand in errands.stream {
                    group.addTask { await self.run(errand) }
                }
            }
            // What was looked up aside when the last batch was decided.
            endQueue()
        } onGracefulShutdown: {
            self.inbox.close()
            self.wakeups.continuation.finish()
        }
    }

    private nonisolated func enqueue(_ pending: Pending) {
        switch inbox.put(pending, limit: limits.queueLimit) {
        case .first: wakeups.continuation.yield()
        case .behindOthers: break
        case .full: pending.fail(.overloaded)
        case .closed: pending.fail(.unavailable(isOutcomeUnknown: false))
        }
    }

    private func decide() async {
        for await _ in wakeups.stream {
            takeArrivals()
            while !queue.isEmpty {
                await round()
                // Lets those in who bring models and answers from beside.
                await Task.yield()
                takeArrivals()
            }
        }
        inbox.close()
        takeArrivals()
        endQueue()
        errands.continuation.finish()
    }

    private func endQueue() {
        for pending in queue + aside.values.joined() {
            pending.fail(.unavailable(isOutcomeUnknown: pending.isOutcomeUnknown))
        }
        (queue, aside, asideCount) = ([], [:], 0)
    }

    private func takeArrivals() {
        queue += inbox.take(leaving: queue.count + asideCount)
    }

    // MARK: One round

    private func round() async {
        guard await catchUp() else { return }
        guard let cache else { return }
        cache.shrink(to: limits.modelLimit)
        cache.keepsBackups = disturbedAt.map { .now - $0 < limits.backupSpan } ?? false
        let batch = takeBatch()
        let now = clock()
        var round = Round(cache: cache, now: now)
        let decidedAt = ContinuousClock.now
        for pending in batch { round.decide(pending) }
        metrics.decisionTime.record(duration: .now - decidedAt)
        for (missing, pending) in round.waiting { wait(pending, for: missing) }
        queue.insert(contentsOf: round.postponed, at: 0)
        await append(&round, to: cache)
    }

    /// As many as a batch holds; one that must go alone does.
    private func takeBatch() -> [Pending] {
        var count = 0
        while count < queue.count, count < limits.batchLimit {
            if queue[count].isAlone {
                if count == 0 { count = 1 }
                break
            }
            count += 1
        }
        defer { queue.removeFirst(count) }
        return Array(queue[..<count])
    }

    private func append(_ round: inout Round, to cache: ModelCache) async {
        guard !round.decided.isEmpty else {
            answer(round.answers) { _ in cache.position }
            return
        }
        metrics.batchSize.record(round.decided.count)
        do throws(PostgresError) {
            let sentAt = ContinuousClock.now
            let result = try await log.append(round.decided.map(\.command))
            metrics.commitTime.record(duration: .now - sentAt)
            settle(round, result.outcomes, recordedAt: result.recordedAt, in: cache)
        } catch {
            beDisturbed(cache)
            retryOrFail(round, after: error)
        }
    }

    /// Answers everybody in a batch that reached the log.
    private func settle(
        _ round: Round, _ outcomes: [AppendOutcome], recordedAt: Int64, in cache: ModelCache
    ) {
        let before = cache.position
        var appended: [RecordedEvent] = []
        // Commands that are where they were foreseen, up to the first that is not.
        var sound = 0
        for (index, (decided, outcome)) in zip(round.decided, outcomes).enumerated() {
            guard case .appended(let positions) = outcome else { continue }
            if sound == index, positions.lowerBound == decided.events[0].position { sound += 1 }
            appended += decided.recorded(at: positions.lowerBound, recordedAt)
        }
        metrics.appended.increment(by: appended.count)
        if sound == outcomes.count {
            cache.settle(RecordedEvent.clamped(appended, to: clock()), recordedAt: recordedAt)
            tell(of: round.decided, appended)
        } else {
            beDisturbed(cache)
        }
        settle(round.decided, outcomes, appended)
        // What has seen events that did not come true, or not all that came before, is decided again first of all: then it has
        // seen none but the log's.
        queue.insert(
            contentsOf: round.answers.filter { $0.decidedBefore > sound }.map(\.pending), at: 0)
        answer(round.answers.filter { $0.decidedBefore <= sound }) { answer in
            round.decided[..<answer.decidedBefore].last?.events.last?.position ?? before
        }
        if !queue.isEmpty { wakeups.continuation.yield() }
    }

    private func settle(
        _ decided: [Round.Decided], _ outcomes: [AppendOutcome], _ appended: [RecordedEvent]
    ) {
        // Tags of events that commands before in the batch wanted, and did not get: what rests on those could not be
        // appended, and that is nobody's attempt.
        var missing: Set<PostgresUUID> = []
        var next = appended[...]
        for (decided, outcome) in zip(decided, outcomes) {
            let restsOnMissing = decided.command.conditions.contains {
                !missing.isDisjoint(with: $0.item.tags)
            }
            if !outcome.isAppended { missing.formUnion(decided.command.events.flatMap(\.tags)) }
            switch outcome {
            case .appended:
                let events = Array(next.prefix(decided.events.count))
                next = next.dropFirst(decided.events.count)
                decided.pending.succeed(
                    Receipt(position: events.last?.position ?? 0, events: events, isRepeat: false))
            case .duplicate(let positions):
                errands.continuation.yield(.replay(positions, decided.pending))
            case .keyReused: decided.pending.fail(.keyReused)
            case .conflict:
                metrics.conflicts.increment()
                if !restsOnMissing, !decided.claims.isEmpty {
                    errands.continuation.yield(.lookUpClaims(decided.claims, decided.pending))
                } else {
                    decideAgain(decided.pending, counting: !restsOnMissing)
                }
            }
        }
    }

    /// What was foreseen did not come true, or elsewhere in the log.
    private func beDisturbed(_ cache: ModelCache) {
        cache.takeBack()
        (mustCatchUp, disturbedAt) = (true, .now)
    }

    private func tell(of decided: [Round.Decided], _ events: [RecordedEvent]) {
        guard let listener = listening.withLock({ $0 }).listener else { return }
        var keys: [PostgresUUID: [UInt8]] = [:]
        var appended: [(stored: LoggedEvent, event: Event)] = []
        for command in decided.map(\.command) {
            for key in command.customerKeys { keys[key.customer] = key.key }
            for stored in command.events {
                let event = events[appended.count]
                appended.append((LoggedEvent(stored, of: command, event), event.event))
            }
        }
        listener(appended, keys)
    }

    /// Answers each for the position that it rests on.
    private func answer(_ answers: [Round.Answer], at position: (Round.Answer) -> Int64) {
        var unsure: [(Envelope, Pending, Result<Receipt, CommandError>)] = []
        for answer in answers {
            // No condition guards what appends nothing.
            if answer.pending.mustBeCurrent, answer.pending.arrivedAt > caughtUpAt {
                mustCatchUp = true
                queue.append(answer.pending)
                wakeups.continuation.yield()
                continue
            }
            let position = position(answer)
            switch (answer.pending.work, answer.reply) {
            case (_, .told(let tell)): tell(position)
            case (.command(let envelope, _), .refused(let refusal)):
                unsure.append((envelope, answer.pending, .failure(.refused(refusal, at: position))))
            case (.command(let envelope, _), .nothingToDo):
                let receipt = Receipt(position: position, events: [], isRepeat: false)
                unsure.append((envelope, answer.pending, .success(receipt)))
            case (.question, _): preconditionFailure("a question is told its answer")
            }
        }
        if !unsure.isEmpty { errands.continuation.yield(.lookUp(unsure)) }
    }

    func decideAgain(_ pending: Pending, counting: Bool) {
        var pending = pending
        if counting { pending.attemptCount += 1 }
        let failedFirst = pending.failedFirstAt ?? .now
        pending.failedFirstAt = failedFirst
        guard pending.attemptCount < limits.attemptLimit, .now - failedFirst < limits.attemptSpan
        else { return pending.fail(.conflicting) }
        queue.append(pending)
        wakeups.continuation.yield()
    }

    private func retryOrFail(_ round: Round, after error: PostgresError) {
        if error.isServersFault {
            logger.error("the log can't be written now", metadata: ["reason": "\(error)"])
        }
        let all = round.decided.map(\.pending) + round.answers.map(\.pending)
        for var pending in all {
            switch error.kind {
            case .connectionLost: pending.isOutcomeUnknown = true
            case .unreachable, .retryable, .timedOut: break
            case _ where error.isServersFault:
                pending.fail(.unavailable(isOutcomeUnknown: pending.isOutcomeUnknown))
                continue
            default:
                logger.error("the log refused a batch", metadata: ["reason": "\(error)"])
                guard !pending.isSuspect, all.count > 1 else {
                    pending.fail(.fault(error.description))
                    continue
                }
                pending.isSuspect = true
            }
            if error.kind == .unreachable && !pending.isOutcomeUnknown
                || .now - pending.arrivedAt > limits.patience
            {
                pending.fail(.unavailable(isOutcomeUnknown: pending.isOutcomeUnknown))
            } else {
                queue.append(pending)
                wakeups.continuation.yield()
            }
        }
    }
}

public import Domain
internal import EventLog
internal import Logging
internal import Metrics
internal import Postgres

/// What is done beside the loop, so that it never waits: reading models, and looking up repeats.
extension DecisionLoop {
    /// Has all the models read, and lets the request wait for the first.
    func wait(_ pending: Pending, for missing: [MissingModel]) {
        asideCount += 1
        for model in missing where aside[model.key] == nil {
            aside[model.key] = []
            waitingLoads.append(model)
        }
        aside[missing[0].key, default: []].append(pending)
        startLoads()
    }

    private func startLoads() {
        while loadCount < limits.loadLimit, !waitingLoads.isEmpty {
            loadCount += 1
            errands.continuation.yield(.load(waitingLoads.removeFirst()))
        }
    }

    func run(_ errand: Errand) async {
        switch errand {
        case .load(let missing): await load(missing)
        case .lookUp(let answers): await lookUp(answers)
        case .replay(let positions, let pending): await replay(positions, pending)
        case .lookUpClaims(let claims, let pending): await lookUpClaims(claims, pending)
        }
    }

    private func load(_ missing: MissingModel) async {
        metrics.modelLoads.increment()
        var failure: (any Error)?
        // A hot log may outrun a slow reading more than the cache remembers; then it is read again.
        for _ in 0..<3 {
            do {
                let (model, completeTo) = try await missing.load(from: log, at: clock())
                failure = nil
                if let cache, insert(model, missing.key.entity, completeTo, into: cache) { break }
            } catch {
                failure = error
                break
            }
        }
        loadCount -= 1
        startLoads()
        let waiting = aside.removeValue(forKey: missing.key) ?? []
        asideCount -= waiting.count
        for pending in waiting {
            if let failure = failure as? PostgresError, failure.isConnectionFault {
                pending.fail(.unavailable(isOutcomeUnknown: pending.isOutcomeUnknown))
            } else if let failure {
                logger.error("a model can't be read", metadata: ["reason": "\(failure)"])
                pending.fail(.fault("\(failure)"))
            } else {
                queue.append(pending)
            }
        }
        wakeups.continuation.yield()
    }

    private func insert(
        _ model: some DecisionModel, _ entity: EntityID, _ completeTo: Int64,
        into cache: ModelCache
    ) -> Bool {
        cache.insert(model, of: entity, completeTo: completeTo)
    }

    /// What somebody has will not be free when it is decided again; anything else may be.
    private func lookUpClaims(_ claims: [QueryItem], _ pending: Pending) async {
        for claim in claims {
            let found = try? await log.read(claim, limit: 1).events
            if found?.isEmpty == false { return pending.fail(.claimTaken) }
        }
        decideAgain(pending, counting: true)
    }

    private func lookUp(
        _ answers: [(
            envelope: Envelope, pending: Pending, otherwise: Result<Receipt, CommandError>
        )]
    ) async {
        do throws(PostgresError) {
            let known = try await log.commands(
                answers.map { PostgresUUID($0.envelope.id) },
                afterAppendsUnderWay: answers.contains { $0.pending.isOutcomeUnknown })
            for (envelope, pending, otherwise) in answers {
                if let command = known[PostgresUUID(envelope.id)] {
                    if command.requestHash == envelope.requestHash {
                        await replay(command.positions, pending)
                    } else {
                        pending.fail(.keyReused)
                    }
                } else {
                    pending.finish(otherwise)
                }
            }
        } catch {
            for answer in answers {
                answer.pending.fail(.unavailable(isOutcomeUnknown: answer.pending.isOutcomeUnknown))
            }
        }
    }

    /// The receipt of the first time, for one who has to know before he asks anything else whether he repeats himself; nil
    /// when the key is new.
    public nonisolated func repeated(
        _ id: EntityID, _ requestHash: [UInt8]
    ) async throws(CommandError) -> Receipt? {
        let id = PostgresUUID(id)
        do {
            guard let known = try await log.commands([id])[id] else { return nil }
            guard known.requestHash == requestHash else { throw CommandError.keyReused }
            metrics.repeats.increment()
            return try await receipt(of: known.positions)
        } catch let error as CommandError {
            throw error
        } catch {
            throw .unavailable(isOutcomeUnknown: true)
        }
    }

    /// The answer of the first time.
    private nonisolated func receipt(of positions: ClosedRange<Int64>) async throws -> Receipt {
        let events = try await log.read(positions).map { try RecordedEvent($0) }
        return Receipt(position: positions.upperBound, events: events, isRepeat: true)
    }

    /// Gives a repeated request the answer of the first time.
    private func replay(_ positions: ClosedRange<Int64>, _ pending: Pending) async {
        metrics.repeats.increment()
        do {
            pending.succeed(try await receipt(of: positions))
        } catch {
            pending.fail(.unavailable(isOutcomeUnknown: true))
        }
    }
}

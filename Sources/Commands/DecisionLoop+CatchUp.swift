internal import Domain
internal import EventLog
internal import Logging
internal import Postgres

/// Keeping up with what other processes append.
extension DecisionLoop {
    /// Brings the models up to the head when it is time. False when the log can't be read, and then
    /// those who have waited long enough have been told.
    func catchUp() async -> Bool {
        let isAhead = cache.map { $0.knownTo > $0.position } ?? true
        guard isAhead || mustCatchUp || .now - caughtUpAt > limits.catchUpInterval else {
            return true
        }
        do {
            let began = ContinuousClock.now
            // While this waits, another model may come in that is further still.
            repeat { try await followLog() } while cache.map { $0.knownTo > $0.position } ?? true
            (mustCatchUp, caughtUpAt) = (false, began)
            return true
        } catch {
            await failToCatchUp(because: error)
            return false
        }
    }

    private func failToCatchUp(because error: any Error) async {
        let isHopeless = !((error as? PostgresError)?.isConnectionFault ?? false)
        if isHopeless {
            logger.error("the log can't be followed", metadata: ["reason": "\(error)"])
        }
        let waiting = queue
        queue = []
        for pending in waiting {
            let isOver = .now - pending.arrivedAt > limits.patience
            if isOver || isHopeless || !pending.isOutcomeUnknown {
                pending.fail(.unavailable(isOutcomeUnknown: pending.isOutcomeUnknown))
            } else {
                queue.append(pending)
            }
        }
        mustCatchUp = true
        if !queue.isEmpty { try? await Task.sleep(for: .milliseconds(20)) }
    }

    private func followLog() async throws {
        if cache == nil { cache = ModelCache(position: try await log.head()) }
        guard let cache else { return }
        while true {
            let position = cache.position
            // The last that is known comes first, and shows whether it is the same log still.
            let events = try await log.read(
                after: max(0, position - 1), limit: ModelCache.recentLimit + 1)
            guard position == 0 || cache.recognises(events.first) else {
                try await heedRestore(cache)
                continue
            }
            let more = position == 0 ? events[...] : events.dropFirst()
            follow(more, in: cache)
            if more.isEmpty, cache.knownTo > position, try await log.head() < cache.knownTo {
                try await heedRestore(cache)
            }
            if more.count < ModelCache.recentLimit { return }
            // Far behind: what is in memory is not worth following for.
            cache.restart(at: try await log.head())
        }
    }

    /// Brings the models up to these events. Where one is of a type or version that only a newer program knows,
    /// whoever it concerns is not known here: all models are let go of, and read anew by those who need them.
    private func follow(_ events: ArraySlice<LoggedEvent>, in cache: ModelCache) {
        guard let last = events.last else { return }
        do {
            cache.apply(
                try events.map { try RecordedEvent($0, at: clock()) }, recordedAt: last.recordedAt)
        } catch {
            logger.warning("passed over what can't be read", metadata: ["reason": "\(error)"])
            cache.restart(at: last.position)
        }
    }

    /// A log that does not have what is known of it was restored to an earlier moment: what was known is not true any more.
    private func heedRestore(_ cache: ModelCache) async throws {
        let head = try await log.head()
        logger.error(
            "the log has lost events: it was restored",
            metadata: ["head": "\(head)", "known": "\(max(cache.position, cache.knownTo))"])
        cache.restart(at: head)
    }
}

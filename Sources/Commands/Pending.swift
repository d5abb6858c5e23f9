internal import Domain
internal import EventLog
internal import Synchronization

/// A request in the queue of the decision loop.
struct Pending: Sendable {
    enum Work: Sendable {
        case command(Envelope, CheckedContinuation<Result<Receipt, CommandError>, Never>)
        case question(any PendingQuestion)
    }

    let work: Work
    let arrivedAt: ContinuousClock.Instant
    /// Times that it was decided in vain, and when for the first time.
    var attemptCount = 0
    var failedFirstAt: ContinuousClock.Instant?
    /// Whether a batch with it in it may have been appended without our hearing of it.
    var isOutcomeUnknown = false
    /// Whether a batch with it in it failed for a reason that no repeat will mend.
    var isSuspect = false

    /// Whether it must know what other processes had appended when it was asked for. Of a command, where nothing that it
    /// appends is guarded by conditions; of a question, where it asks for that.
    let mustBeCurrent: Bool

    init(_ work: Work, mustBeCurrent: Bool = true) {
        self.work = work
        self.mustBeCurrent = mustBeCurrent
        arrivedAt = .now
    }

    /// Whether it makes up a batch of its own.
    var isAlone: Bool {
        guard case .command(let envelope, _) = work else { return isSuspect }
        return isSuspect || envelope.commands.count > 1
    }

    func fail(_ error: CommandError) {
        switch work {
        case .command(_, let answer): answer.resume(returning: .failure(error))
        case .question(let question): question.fail(error)
        }
    }
}

/// A question in the queue, whatever its answer.
protocol PendingQuestion: Sendable {
    /// Answers it, and returns how to tell the asker: not before what it saw is committed.
    func answer(in world: borrowing World, at now: Instant) -> @Sendable (Int64) -> Void
    func fail(_ error: CommandError)
}

struct AskedQuestion<Asked: Question>: PendingQuestion {
    typealias Reply = Result<(answer: Asked.Answer, position: Int64), CommandError>

    let question: Asked
    let continuation: CheckedContinuation<Reply, Never>

    func answer(in world: borrowing World, at now: Instant) -> @Sendable (Int64) -> Void {
        let continuation = continuation
        do throws(Refusal) {
            let answer = try question.answer(in: world, at: now)
            return { continuation.resume(returning: .success((answer, $0))) }
        } catch {
            return { continuation.resume(returning: .failure(.refused(error, at: $0))) }
        }
    }

    func fail(_ error: CommandError) {
        continuation.resume(returning: .failure(error))
    }
}

/// Where requests arrive. Behind a lock and not in the loop's actor, so that nobody who brings one
/// waits for a decision under way.
final class Inbox: Sendable {
    enum Placement {
        /// It was empty: the loop is to be woken.
        case first
        case behindOthers
        case full
        case closed
    }

    private struct State {
        var arrivals: [Pending] = []
        /// Requests that the loop has taken and not answered, as it last said.
        var taken = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    var depth: Int { state.withLock { $0.arrivals.count + $0.taken } }

    func put(_ pending: Pending, limit: Int) -> Placement {
        state.withLock { state in
            guard !state.isClosed else { return .closed }
            guard state.arrivals.count + state.taken < limit else { return .full }
            state.arrivals.append(pending)
            return state.arrivals.count == 1 ? .first : .behindOthers
        }
    }

    /// All that has arrived, for a loop that has so many already.
    func take(leaving count: Int) -> [Pending] {
        state.withLock { state in
            state.taken = count + state.arrivals.count
            defer { state.arrivals.removeAll() }
            return state.arrivals
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
    }
}

extension AppendOutcome {
    var isAppended: Bool {
        if case .appended = self { true } else { false }
    }
}

extension Pending {
    func succeed(_ receipt: Receipt) { finish(.success(receipt)) }

    func finish(_ result: Result<Receipt, CommandError>) {
        guard case .command(_, let answer) = work else { return }
        answer.resume(returning: result)
    }
}

public import Domain
internal import HTTPTypes
internal import Synchronization

/// Wrong answers to a question that only few should know: last names for a booking's code, passwords for a
/// login. Nobody tries all there are.
///
/// Each process counts for itself, and forgets when it ends.
public final class Attempts<Subject: Hashable & Sendable>: Sendable {
    /// Wrong answers for one subject, after which nobody is heard until ``span`` is over.
    public static var limit: Int { 10 }
    public static var span: TimeSpan { .minutes(10) }
    /// Subjects that are kept in mind; those whose time is over go first.
    static var subjectLimit: Int { 10_000 }

    private struct Count {
        var wrong = 0
        var until: Instant
    }

    private let what: String
    private let counts = Mutex<[Subject: Count]>([:])

    /// `what` is what was wrong, as in "the password".
    public init(of what: String) {
        self.what = what
    }

    /// Lets somebody try; his answer counts as wrong until `body` has found it right, so that no more are looked at at
    /// the same time than may be wrong. Nil when it was wrong; what `body` throws is nobody's fault.
    public func attempt<Answer>(
        _ subject: Subject, at now: Instant, _ body: () async throws -> Answer?
    ) async throws -> Answer? {
        try begin(subject, at: now)
        do {
            let answer = try await body()
            if answer != nil { takeBack(subject) }
            return answer
        } catch {
            takeBack(subject)
            throw error
        }
    }

    private func begin(_ subject: Subject, at now: Instant) throws(Problem) {
        let until = counts.withLock { counts -> Instant? in
            var count = counts[subject] ?? Count(until: now + Self.span)
            if now >= count.until { count = Count(until: now + Self.span) }
            guard count.wrong < Self.limit else { return count.until }
            count.wrong += 1
            if counts.count >= Self.subjectLimit, counts[subject] == nil {
                forgetSome(&counts, at: now)
            }
            counts[subject] = count
            return nil
        }
        guard let until else { return }
        let seconds = Int((until.microseconds - now.microseconds) / 1_000_000) + 1
        throw Problem(
            "too-many-attempts", .tooManyRequests, "Too many attempts",
            detail: "\(what) was wrong \(Self.limit) times: try again later, or ask the office",
            retryAfterSeconds: seconds)
    }

    private func takeBack(_ subject: Subject) {
        counts.withLock { counts in
            guard let count = counts[subject] else { return }
            counts[subject] =
                count.wrong > 1 ? Count(wrong: count.wrong - 1, until: count.until) : nil
        }
    }

    /// Those whose time is over, or else the tenth that has been there for longest.
    private func forgetSome(_ counts: inout [Subject: Count], at now: Instant) {
        counts = counts.filter { now < $0.value.until }
        guard counts.count >= Self.subjectLimit else { return }
        let oldest = counts.sorted { $0.value.until < $1.value.until }
        for (subject, _) in oldest.prefix(Self.subjectLimit / 10) { counts[subject] = nil }
    }
}

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

    /// Refuses when too many answers have been wrong.
    public func check(_ subject: Subject, at now: Instant) throws(Problem) {
        let count = counts.withLock { $0[subject] }
        guard let count, count.wrong >= Self.limit, now < count.until else { return }
        let seconds = Int((count.until.microseconds - now.microseconds) / 1_000_000) + 1
        throw Problem(
            "too-many-attempts", .tooManyRequests, "Too many attempts",
            detail: "\(what) was wrong \(Self.limit) times: try again later, or ask the office",
            retryAfterSeconds: seconds)
    }

    public func countWrong(_ subject: Subject, at now: Instant) {
        counts.withLock { counts in
            if counts.count >= Self.subjectLimit { counts = counts.filter { now < $0.value.until } }
            guard counts.count < Self.subjectLimit || counts[subject] != nil else { return }
            var count = counts[subject] ?? Count(until: now + Self.span)
            if now >= count.until { count = Count(until: now + Self.span) }
            count.wrong += 1
            counts[subject] = count
        }
    }
}

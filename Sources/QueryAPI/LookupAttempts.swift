internal import Domain
internal import HTTPTypes
internal import Synchronization
internal import Web

/// Wrong last names for a booking's code, so that nobody tries all there are.
///
/// Each process counts for itself, and forgets when it ends.
final class LookupAttempts: Sendable {
    /// Wrong names for one code, after which nobody is answered until ``span`` is over.
    static let limit = 10
    static let span = TimeSpan.minutes(10)
    /// Codes that are kept in mind; those whose time is over go first.
    static let codeLimit = 10_000

    private struct Count {
        var wrong = 0
        var until: Instant
    }

    private let counts = Mutex<[ConfirmationCode: Count]>([:])

    /// Refuses when too many wrong names have been tried for a code; staff is never refused.
    func check(_ code: ConfirmationCode, at now: Instant) throws(Problem) {
        let count = counts.withLock { $0[code] }
        guard let count, count.wrong >= Self.limit, now < count.until else { return }
        let seconds = Int((count.until.microseconds - now.microseconds) / 1_000_000) + 1
        throw Problem(
            "too-many-attempts", .tooManyRequests, "Too many attempts",
            detail:
                "the last name was wrong \(Self.limit) times: try again later, or ask the office",
            retryAfterSeconds: seconds)
    }

    func countWrongName(for code: ConfirmationCode, at now: Instant) {
        counts.withLock { counts in
            if counts.count >= Self.codeLimit { counts = counts.filter { now < $0.value.until } }
            guard counts.count < Self.codeLimit || counts[code] != nil else { return }
            var count = counts[code] ?? Count(until: now + Self.span)
            if now >= count.until { count = Count(until: now + Self.span) }
            count.wrong += 1
            counts[code] = count
        }
    }
}

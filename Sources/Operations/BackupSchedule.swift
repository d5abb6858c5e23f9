internal import Domain

/// When backups are made by themselves, and on which day of the month the last one is verified. In UTC.
public struct BackupSchedule: Hashable, Sendable {
    /// Minutes after midnight.
    let minute: Int
    /// 1 to 28; 0: never.
    let verifyDay: Int

    private static let minutesPerDay = 1440
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// `time` is of the form 03:15.
    public init?(at time: String, verifyDay: Int) {
        let parts = time.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }),
            let hour = Int(parts[0]), let minute = Int(parts[1]),
            (0..<24).contains(hour), (0..<60).contains(minute), (0...28).contains(verifyDay)
        else { return nil }
        self.minute = hour * 60 + minute
        self.verifyDay = verifyDay
    }

    /// Whether backups are verified by themselves.
    var verifies: Bool { verifyDay > 0 }

    /// The last time at which a backup was to be made, `now` at the latest.
    func lastDue(at now: Instant) -> Instant {
        let day = now.microseconds / Self.microsecondsPerDay * Self.microsecondsPerDay
        let due = Instant(microseconds: day) + .minutes(minute)
        return due <= now ? due : due - .minutes(Self.minutesPerDay)
    }

    /// Whether the month's verification is to be made, when the last one was made at `verifiedAt`: at once when there
    /// was none, and then when the day has come since.
    func isVerificationDue(verifiedAt: Instant?, at now: Instant) -> Bool {
        guard verifies else { return false }
        guard let verifiedAt else { return true }
        let today = now.microseconds / Self.microsecondsPerDay
        let days = (0..<31).lazy.map { today - $0 }
        let last = days.first { CivilDate(daysSince1970: $0).day == verifyDay }
        return last.map { verifiedAt.microseconds / Self.microsecondsPerDay < $0 } ?? false
    }
}

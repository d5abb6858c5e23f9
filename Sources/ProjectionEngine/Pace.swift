internal import EventLog

/// Lets who buys come first: while others append much, a rebuild rests between its pages.
struct Pace {
    /// How often it looks.
    private static let interval = Duration.milliseconds(100)

    private let log: EventLog
    private var head: Int64?
    private var lookedAt = ContinuousClock.now
    private(set) var isBusy = false
    private var worksSince = ContinuousClock.now

    init(of log: EventLog) {
        self.log = log
    }

    /// What was done before is no matter.
    mutating func begin() { worksSince = .now }

    /// Called after each page.
    mutating func rest() async throws {
        let spent = ContinuousClock.now - lookedAt
        if head == nil || spent >= Self.interval {
            let now = try await log.head()
            let parts = spent.components
            let seconds = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
            isBusy = Double(now - (head ?? now)) > Rebuild.busyRate * seconds
            (head, lookedAt) = (now, .now)
        }
        if isBusy {
            let worked = ContinuousClock.now - worksSince
            try await Task.sleep(for: worked * (1 / Rebuild.shareWhenBusy - 1))
        }
        worksSince = .now
    }
}

internal import EventLog

/// Lets who buys come first: while others append much, a rebuild rests between its pages.
struct Pace {
    /// How often it looks.
    private static let interval = Duration.milliseconds(100)

    /// How long what it has seen is good for.
    private static let patience = Duration.seconds(1)

    private let log: EventLog
    private var head: Int64?
    private var headAt = ContinuousClock.now
    private var measuredAt: ContinuousClock.Instant?
    private(set) var isBusy = false
    private var worksSince = ContinuousClock.now

    init(of log: EventLog) {
        self.log = log
    }

    /// What was done before is no matter.
    mutating func begin() { worksSince = .now }

    /// Finds out whether others append much, where that is not known.
    mutating func look() async throws {
        if let measuredAt, .now - measuredAt < Self.patience { return }
        (head, headAt) = (try await log.head(), .now)
        try await Task.sleep(for: Self.interval)
        try await measure()
    }

    /// Called after each page.
    mutating func rest() async throws {
        if head == nil || .now - headAt >= Self.interval { try await measure() }
        if isBusy {
            let worked = ContinuousClock.now - worksSince
            try await Task.sleep(for: worked * (1 / Rebuild.shareWhenBusy - 1))
        }
        worksSince = .now
    }

    private mutating func measure() async throws {
        let (now, spent) = (try await log.head(), (ContinuousClock.now - headAt).components)
        if let head {
            let seconds = Double(spent.seconds) + Double(spent.attoseconds) / 1e18
            isBusy = Double(now - head) > Rebuild.busyRate * seconds
            measuredAt = .now
        }
        (head, headAt) = (now, .now)
    }
}

/// History was published that the log does not have any more, and its positions are given out again: what stands at
/// those has other ids when it is published.
///
/// Before the first of these is epoch 1.
public struct LogEpochBegun: Hashable, Sendable {
    public var log: LogID
    public var epoch: Int
    /// The first position at which the log has something else than was published. Nil in events from before that was
    /// looked for: their own position.
    public var from: Int64?
    /// The last position that had been published; what stood from `from` up to there is lost.
    public var publishedUpTo: Int64
    public var reason: String

    public init(log: LogID, epoch: Int, from: Int64?, publishedUpTo: Int64, reason: String) {
        self.log = log
        self.epoch = epoch
        self.from = from
        self.publishedUpTo = publishedUpTo
        self.reason = reason
    }
}

/// Somebody has decided that a read model does without an event, for ever: whenever it is built.
public struct ProjectionEventSkipped: Hashable, Sendable {
    public var log: LogID
    public var projection: String
    public var position: Int64
    public var reason: String

    public init(log: LogID, projection: String, position: Int64, reason: String) {
        self.log = log
        self.projection = projection
        self.position = position
        self.reason = reason
    }
}

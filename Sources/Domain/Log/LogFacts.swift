/// History was published that the log does not have any more, and its positions are given out again: what is
/// published from here on has other ids.
///
/// Before the first of these is epoch 1.
public struct LogEpochBegun: Hashable, Sendable {
    public var log: LogID
    public var epoch: Int
    /// The last position that had been published; what stood after this event's own, up to there, is lost.
    public var publishedUpTo: Int64
    public var reason: String

    public init(log: LogID, epoch: Int, publishedUpTo: Int64, reason: String) {
        self.log = log
        self.epoch = epoch
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

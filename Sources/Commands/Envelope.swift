public import Domain

/// Commands to be carried out together, all or none, and who gave them under which key.
public struct Envelope: Sendable {
    /// The idempotency key: under one key, one request takes effect once.
    public var id: EntityID
    /// SHA-256 of the request, to tell a repeat from another request under the same key.
    public var requestHash: [UInt8]
    /// What this request belongs to; the same through everything that it causes.
    public var correlationID: EntityID
    /// The event that made a reaction give the commands; nil when people gave them.
    public var causationPosition: Int64?
    /// Who it was, by role or id: never a name.
    public var actor: String
    public var commands: [any Command]
    /// Keys of customers who are new with these commands, 32 bytes each.
    public var customerKeys: [(customer: CustomerID, key: [UInt8])]

    public init(
        id: EntityID, requestHash: [UInt8], correlationID: EntityID? = nil,
        causationPosition: Int64? = nil, actor: String, commands: [any Command],
        customerKeys: [(customer: CustomerID, key: [UInt8])] = []
    ) {
        self.id = id
        self.requestHash = requestHash
        self.correlationID = correlationID ?? id
        self.causationPosition = causationPosition
        self.actor = actor
        self.commands = commands
        self.customerKeys = customerKeys
    }
}

/// What an accepted request came to. A repeat of it gets the same.
public struct Receipt: Sendable {
    /// The position that reads must have reached to show the effect.
    public var position: Int64
    /// The events of the request; none when what it asked for was so already.
    public var events: [RecordedEvent]
    /// Whether the request had taken effect before.
    public var isRepeat: Bool
}

/// Why a request was not carried out.
public enum CommandError: Error, Sendable {
    /// By what the log had up to a position.
    case refused(Refusal, at: Int64)
    /// The idempotency key was used before, for another request.
    case keyReused
    /// Too many requests are waiting.
    case overloaded
    /// Others were faster, again and again.
    case conflicting
    /// What was drawn to be its own, such as a code, somebody has: draw again.
    case claimTaken
    /// The log can't be written now. When the outcome is unknown the request may have taken
    /// effect: repeated under the same key, it is answered for certain.
    case unavailable(isOutcomeUnknown: Bool)
    /// A bug: the log refused what no log should refuse.
    case fault(String)
}

/// How much the decision loop takes on.
public struct DecisionLimits: Sendable {
    /// Requests waiting, above which new ones are turned away.
    public var queueLimit = 4096
    /// Requests decided and appended together.
    public var batchLimit = 256
    /// Times that a request is decided again because others were faster.
    public var attemptLimit = 10
    /// How long it is, from the first time on, however few of its attempts counted.
    public var attemptSpan = Duration.seconds(30)
    /// How long a request outlives a broken link before it is answered as unknown.
    public var patience = Duration.seconds(3)
    /// Models kept in memory; the least recently used go first.
    public var modelLimit = 20_000
    /// Models read at a time; a long history is held a page at a time for each.
    public var loadLimit = 4
    /// Events of other processes are looked for this often while there is work.
    public var catchUpInterval = Duration.milliseconds(100)
    /// How long models are kept as they were before each batch, once others have appended in the middle of one.
    public var backupSpan = Duration.seconds(60)

    public init() {}
}

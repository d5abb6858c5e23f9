public import Commands
internal import Crypto
public import Domain
public import Logging
public import Postgres
internal import Projections
public import ServiceLifecycle

/// Records what time has made true: holds that ran out, bookings whose trips have departed.
///
/// It finds them in read models and orders them by the front door, under keys derived from what
/// made them due; so running twice, late or in two places changes nothing. No decision waits for it.
public actor Timekeeper: Service {
    public static let interval = Duration.seconds(1)
    /// Bookings taken care of in one go.
    public static let batchLimit = 200
    /// How often all trips are looked at that have departed, of whose bookings there are many and few are not
    /// complete; between, only those that have departed since.
    public static let wholeInterval = TimeSpan.minutes(1)
    static let actor = "timekeeper"

    private let loop: DecisionLoop
    private let client: PostgresClient
    private let clock: @Sendable () -> Instant
    private let logger: Logger
    private var lookedAtAll: Instant?

    public init(
        _ loop: DecisionLoop, reading client: PostgresClient,
        clock: @escaping @Sendable () -> Instant, logger: Logger
    ) {
        self.loop = loop
        self.client = client
        self.clock = clock
        self.logger = logger
    }

    public func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await self.tick()
                } catch {
                    self.logger.debug("not keeping time", metadata: ["reason": "\(error)"])
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Takes care of what is due now, as far as a batch goes; returns how many bookings that was.
    @discardableResult
    public func tick() async throws -> Int {
        let now = clock()
        let recent = lookedAtAll.flatMap { now < $0 + Self.wholeInterval ? $0 : nil }
        let rows = try await client.run([
            BookingByCode.overdue(at: now, limit: Self.batchLimit),
            Manifest.departed(at: now, since: recent, limit: Self.batchLimit),
        ])
        let overdue = BookingByCode.overdue(rows[0])
        let departed = Set(Manifest.departed(rows[1]))
        if recent == nil, rows[1].count < Self.batchLimit { lookedAtAll = now }
        await withDiscardingTaskGroup { group in
            for (booking, deadline) in overdue {
                group.addTask {
                    await self.order(ExpireHold(booking: booking), "expire \(booking) \(deadline)")
                }
            }
            for booking in departed {
                group.addTask {
                    await self.order(CompleteBooking(booking: booking), "complete \(booking)")
                }
            }
        }
        return overdue.count + departed.count
    }

    private func order(_ command: any Command, _ cause: String) async {
        let hash = Array(SHA256.hash(data: Array(cause.utf8)))
        let id = EntityID(ofDigest: hash)
        do throws(CommandError) {
            _ = try await loop.submit(
                Envelope(id: id, requestHash: hash, actor: Self.actor, commands: [command]))
        } catch {
            // A read model may lag: what is not due after all is refused, and that is right.
            logger.debug("not due", metadata: ["cause": "\(cause)", "reason": "\(error)"])
        }
    }
}

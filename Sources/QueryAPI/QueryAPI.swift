internal import Domain
internal import EventCodec
internal import HTTPTypes
public import Hummingbird
internal import JSON
public import Postgres
internal import ProjectionEngine
internal import Projections
public import Web

/// Answers from the read models, each answer good for a position of the log. It writes nothing but tables that it
/// throws away.
public struct QueryAPI: Sendable {
    /// How long a query waits for a read model to reach `min-position`.
    public static let waitLimit = Duration.seconds(3)
    public static let pageLimit = 100
    static let pageDefault = 20
    /// A projection this many events behind makes the query side not ready.
    public static let lagLimit: Int64 = 50_000

    let client: PostgresClient
    let watch: CheckpointWatch
    let gatekeeper: Gatekeeper
    let feed: AvailabilityFeed
    let links: BookingLink
    let exports: Exports
    /// For whole read models as of a moment, which are built before they are read.
    let building: PostgresConfiguration
    let attempts = Attempts<ConfirmationCode>(of: "the last name")
    let clock: @Sendable () -> Instant
    private let observer: RequestObserver
    /// Whether the process is about to end: then others should be asked.
    private let isToEnd: @Sendable () -> Bool

    public init(
        _ client: PostgresClient, gatekeeper: @escaping Gatekeeper, links: BookingLink,
        feed: AvailabilityFeed,
        exportingFrom configuration: PostgresConfiguration,
        buildingWith building: PostgresConfiguration,
        clock: @escaping @Sendable () -> Int64,
        isToEnd: @escaping @Sendable () -> Bool, observer: RequestObserver
    ) {
        self.client = client
        watch = CheckpointWatch(client)
        self.gatekeeper = gatekeeper
        self.links = links
        exports = Exports(configuration)
        self.building = building
        self.feed = feed
        self.observer = observer
        self.isToEnd = isToEnd
        self.clock = { Instant(microseconds: clock()) }
    }

    public var operations: [Operation] {
        tripOperations + catalogueOperations + bookingOperations + codeOperations + ledgerOperations
            + merchandiseOperations + staffOperations + revenueOperations + boardingOperations
            + timelineOperations + asOfOperations + readModelOperations + exportOperations + [
                OpenAPI.operation,
                Operation("liveness", .get, "/livez") { _, _ in
                    answer(position: 0) { $0.field("status", "alive") }
                },
                Operation("readiness", .get, "/readyz") { request, _ in
                    try await readiness(request)
                },
                Operation("listProjections", .get, "/v1/projections", for: .books) {
                    request, _ in
                    try request.allowQuery(only: "min-position")
                    _ = try await reached(request)
                    let (head, statuses) = try await projections()
                    return answer(position: head) { json in
                        json.field("head", head)
                        json.field("projections", statuses) { $0.write($1, head: head) }
                    }
                },
            ]
    }

    public var router: Router<APIContext> {
        .serving(operations, gatekeeper: gatekeeper, observer: observer)
    }

    /// Runs queries of some read models; the position is that of the one furthest behind.
    ///
    /// The checkpoints are read before the rows, so the rows may be newer than promised, never older.
    func read(
        _ request: Request, from models: [any ReadModel.Type], _ calls: [PostgresCall]
    ) async throws(Problem) -> (position: Int64, rows: [Rows]) {
        let wanted = try request.query("min-position", in: 0...Int(Int64.max)).map(Int64.init) ?? 0
        let names = models.map { $0.name }
        var answer = try await run(names, calls)
        if answer.position < wanted {
            try await checkIsWritten(wanted)
            for name in names {
                let isThere = await watch.wait(for: name, toReach: wanted, limit: Self.waitLimit)
                guard isThere else { throw behind(name, wanted) }
            }
            answer = try await run(names, calls)
        }
        return answer
    }

    private func run(
        _ names: [String], _ calls: [PostgresCall]
    ) async throws(Problem) -> (position: Int64, rows: [Rows]) {
        do throws(PostgresError) {
            let rows = try await client.run([ProjectionStatus.reached(by: names)] + calls)
            return (Int64(rows[0].integer(0, 0)), Array(rows.dropFirst()))
        } catch {
            throw .unavailable("the read models can't be reached now")
        }
    }

    /// The log's head, for what is answered from the log itself: there is no position to wait for that it has not.
    func reached(_ request: Request) async throws(Problem) -> Int64 {
        let wanted = try request.query("min-position", in: 0...Int(Int64.max)).map(Int64.init) ?? 0
        let head = try await head()
        guard wanted <= head else { throw notWritten(wanted, head) }
        return head
    }

    /// Nobody can have been told a position that the log has not reached.
    private func checkIsWritten(_ position: Int64) async throws(Problem) {
        let head = try await head()
        guard position <= head else { throw notWritten(position, head) }
    }

    private func notWritten(_ position: Int64, _ head: Int64) -> Problem {
        .malformed(field: "min-position", "is \(position), and the log has only come to \(head)")
    }

    private func head() async throws(Problem) -> Int64 {
        do throws(PostgresError) {
            let rows = try await client.run("SELECT coalesce(max(position), 0) FROM log.event")
            return Int64(rows.integer(0, 0))
        } catch {
            throw .unavailable("the log can't be read now")
        }
    }

    private func behind(_ name: String, _ wanted: Int64) -> Problem {
        Problem(
            "behind", .serviceUnavailable, "Not there yet",
            detail: "\(name) has not reached position \(wanted) in time",
            figures: [("projection", .text(name)), ("minPosition", .number(Int(wanted)))],
            retryAfterSeconds: 1)
    }

    // MARK: Health

    private func projections() async throws(Problem) -> (Int64, [ProjectionStatus]) {
        let head = try await head()
        do throws(PostgresError) {
            return (head, try await ProjectionStatus.all(client))
        } catch {
            throw .unavailable("the read models can't be reached now")
        }
    }

    private func readiness(_ request: Request) async throws(Problem) -> Response {
        let isLagExcluded = try request.excludedFromReadiness() == .lag
        if isToEnd() { throw .unavailable("this process is about to end") }
        let (head, statuses) = try await projections()
        let late = statuses.filter { !$0.isKept && head - $0.position > Self.lagLimit }
        guard late.isEmpty || isLagExcluded else {
            throw .unavailable("\(late.map(\.name).joined(separator: ", ")) lags far behind")
        }
        return answer(position: head) { json in
            json.field("status", "ready")
            json.field("projections", statuses) { $0.write($1, head: head) }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ status: ProjectionStatus, head: Int64) {
        object { json in
            json.field("name", status.name)
            json.field("version", status.version)
            json.field("position", status.position)
            json.field("lag", max(0, head - status.position))
            json.field("stoppedAtPosition", status.stoppedAtPosition)
            json.field("stoppedBecause", status.stoppedBecause)
            json.field("updatedAt", Instant(microseconds: status.updatedAt))
        }
    }
}

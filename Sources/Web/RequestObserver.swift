internal import Domain
internal import HTTPTypes
internal import Hummingbird
public import Logging
internal import Metrics
internal import Synchronization
internal import Trace
internal import Tracing

/// Tells the metrics of every request, and the log: one line each, at level `info`. Nothing in it is about a
/// person: who asks stands there by id, and neither path nor body does.
public struct RequestObserver: Sendable {
    private let logger: Logger

    public init(_ logger: Logger) {
        self.logger = logger
    }

    func record(of operation: String) -> Record { Record(operation, logger) }

    /// What was refused before it was known to be for an operation.
    var ofNoOperation: Record { record(of: "none") }

    /// What is kept of one operation.
    final class Record: Sendable {
        private let operation: String
        private let level: Logger.Level
        private let logger: Logger
        /// By status: to look one up by its labels takes longer than all else that is done with it.
        private let timers = Mutex<[Int: Metrics.Timer]>([:])

        init(_ operation: String, _ logger: Logger) {
            self.operation = operation
            self.logger = logger
            // A proxy asks every second.
            level = ["liveness", "readiness"].contains(operation) ? .debug : .info
        }

        func add(
            _ request: Request, of caller: Caller, _ response: Response, _ problem: Problem? = nil,
            since began: ContinuousClock.Instant
        ) {
            let time = ContinuousClock.now - began
            timer(for: response.status.code).record(duration: time)
            if Trace.isOn { tell(caller, response, problem, since: began) }
            if let problem, problem.status.code < 500 {
                Counter(
                    label: "quartermaster_refusals_total", dimensions: [("kind", problem.type)]
                ).increment()
            }
            guard logger.logLevel <= level else { return }
            let milliseconds = Double(time.components.attoseconds / 1_000_000_000_000) / 1000
            var metadata: Logger.Metadata = [
                "operation": "\(operation)", "status": "\(response.status.code)",
                "ms": "\(Double(time.components.seconds) * 1000 + milliseconds)",
                "actor": "\(caller.actor)",
            ]
            if let position = response.headers[.position] { metadata["position"] = "\(position)" }
            if let problem { metadata["problem"] = "\(problem.type)" }
            // As `traceparent` and other systems write it.
            metadata["trace"] =
                "\((caller.trace ?? request.ownTrace).description.filter { $0 != "-" })"
            logger.log(level: level, "request", metadata: metadata)
        }

        /// A command's span has the position of what it has appended for its id.
        private func tell(
            _ caller: Caller, _ response: Response, _ problem: Problem?,
            since began: ContinuousClock.Instant
        ) {
            var attributes: [String: SpanAttribute] = [
                "http.response.status_code": .int64(Int64(response.status.code)),
                "enduser.id": .string(caller.actor),
            ]
            if response.status == .created || response.status == .ok,
                caller.traceParent != nil,
                let position = response.headers[.position].flatMap({ Int64($0) })
            {
                attributes[Trace.position] = .int64(position)
            }
            if let problem { attributes["error.type"] = .string(problem.type) }
            Trace.record(
                operation, .server, following: caller.traceParent, since: began,
                attributes: attributes, isFailed: response.status.code >= 500)
        }

        private func timer(for status: Int) -> Metrics.Timer {
            timers.withLock { timers in
                if let timer = timers[status] { return timer }
                let timer = Metrics.Timer(
                    label: "quartermaster_http_request_seconds",
                    dimensions: [("operation", operation), ("status", "\(status)")])
                timers[status] = timer
                return timer
            }
        }
    }
}

extension HTTPField.Name {
    fileprivate static let traceparent = Self("traceparent")!
}

extension Request {
    /// Of one that names no trace: a command's key, as that of its events, or one of its own.
    fileprivate var ownTrace: EntityID {
        if let key = headers[.idempotencyKey].flatMap({ EntityID($0) }) { return key }
        var generator = SystemRandomNumberGenerator()
        return .random(using: &generator)
    }

    /// The span that the request belongs to, where it names one; while spans are told, a command that names none
    /// belongs to the trace of its own key, as its events do.
    var traceParent: TraceParent? {
        if let parent = headers[.traceparent].flatMap({ TraceParent($0) }) { return parent }
        guard Trace.isOn else { return nil }
        return headers[.idempotencyKey].flatMap { EntityID($0) }.map {
            TraceParent(trace: $0, span: 0)
        }
    }
}

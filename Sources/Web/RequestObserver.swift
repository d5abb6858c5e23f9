public import Domain
internal import HTTPTypes
internal import Hummingbird
public import Logging
internal import Metrics
internal import Synchronization

/// Tells the metrics of every request, and the log: one line each, at level `info`. Nothing in it is about a
/// person: who asks stands there by id, and neither path nor body does.
public struct RequestObserver: Sendable {
    private let logger: Logger

    public init(_ logger: Logger) {
        self.logger = logger
    }

    func record(of operation: String) -> Record { Record(operation, logger) }

    /// What is kept of one operation.
    final class Record: Sendable {
        private let operation: String
        private let logger: Logger
        /// By status: to look one up by its labels takes longer than all else that is done with it.
        private let timers = Mutex<[Int: Metrics.Timer]>([:])

        init(_ operation: String, _ logger: Logger) {
            self.operation = operation
            self.logger = logger
        }

        func add(
            _ caller: Caller, _ response: Response, _ problem: Problem? = nil,
            since began: ContinuousClock.Instant
        ) {
            let time = ContinuousClock.now - began
            timer(for: response.status.code).record(duration: time)
            if let problem, problem.status.code < 500 {
                Counter(
                    label: "quartermaster_refusals_total", dimensions: [("kind", problem.type)]
                ).increment()
            }
            guard logger.logLevel <= .info else { return }
            let milliseconds = Double(time.components.attoseconds / 1_000_000_000_000) / 1000
            var metadata: Logger.Metadata = [
                "operation": "\(operation)", "status": "\(response.status.code)",
                "ms": "\(Double(time.components.seconds) * 1000 + milliseconds)",
                "actor": "\(caller.actor)",
            ]
            if let position = response.headers[.position] { metadata["position"] = "\(position)" }
            if let problem { metadata["problem"] = "\(problem.type)" }
            if let trace = caller.trace { metadata["trace"] = "\(trace)" }
            logger.info("request", metadata: metadata)
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
    /// The trace that the request belongs to, where it names one.
    var trace: EntityID? { headers[.traceparent].flatMap { EntityID(traceparent: $0) } }
}

extension EntityID {
    /// The trace id of a `traceparent` header, which has the 128 bits of a UUID; nil for one that is malformed
    /// or of zeros. Source: W3C, "Trace Context", section 3.2.
    public init?(traceparent text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[0] != "ff",
            parts[1].utf8.count == 32, parts[2].utf8.count == 16,
            let high = UInt64(parts[1].prefix(16), radix: 16),
            let low = UInt64(parts[1].suffix(16), radix: 16), high != 0 || low != 0
        else { return nil }
        self.init(high: high, low: low)
    }
}

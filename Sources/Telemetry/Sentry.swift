internal import Domain
internal import Glibc
internal import JSON
public import Logging
internal import Synchronization

/// Where errors are reported to: a Sentry project, as its DSN names it.
///
/// Source: Sentry's developer documentation, "DSN" and "Envelopes".
public struct SentryAddress: Hashable, Sendable {
    let key: String
    let url: String

    /// Reads `https://KEY@HOST/PROJECT`; nil when it is none.
    public init?(dsn: String) {
        guard let scheme = dsn.firstRange(of: "://"), let at = dsn.firstIndex(of: "@"),
            let slash = dsn.lastIndex(of: "/"), scheme.upperBound < at, at < slash,
            ["http", "https"].contains(dsn[..<scheme.lowerBound])
        else { return nil }
        let (key, project) = (dsn[scheme.upperBound..<at], dsn[dsn.index(after: slash)...])
        let host = dsn[dsn.index(after: at)..<slash]
        guard !key.isEmpty, !host.isEmpty, !project.isEmpty, project.allSatisfy(\.isNumber) else {
            return nil
        }
        self.key = String(key.prefix { $0 != ":" })
        url = "\(dsn[..<scheme.upperBound])\(host)/api/\(project)/envelope/"
    }
}

/// Sends errors to Sentry, aside from whoever logs them: each with what was logged before it.
///
/// Nothing waits for it. Beyond ``queueLimit`` errors are dropped, the oldest first; what can't be sent is tried once
/// more and then dropped. Messages of the log have no personal data, and so has what is sent.
public final class SentryReporter: Sendable {
    public static let queueLimit = 100
    /// Lines of the log that go with an error.
    public static let breadcrumbLimit = 20

    private let outbox: Outbox
    private let release: String
    private let environment: String
    private let breadcrumbs = Mutex<[Line]>([])

    struct Line: Sendable {
        var at: Double
        var level: Logger.Level
        var logger: String
        var message: String
        var fields: [(name: String, value: String)]
    }

    public init(_ address: SentryAddress, release: String, environment: String) {
        outbox = Outbox(
            url: address.url,
            headers: [
                ("content-type", "application/x-sentry-envelope"),
                (
                    "x-sentry-auth",
                    "Sentry sentry_version=7, sentry_client=quartermaster/1, sentry_key=\(address.key)"
                ),
            ], limit: Self.queueLimit)
        self.release = release
        self.environment = environment
    }

    /// Sends what waits, for as long as a process may take to end.
    public func close() async { await outbox.close() }

    func hear(_ line: Line) {
        let before = breadcrumbs.withLock { lines in
            defer {
                lines.append(line)
                if lines.count > Self.breadcrumbLimit { lines.removeFirst() }
            }
            return lines
        }
        guard line.level >= .error else { return }
        outbox.put(envelope(line, after: before))
    }

    private func envelope(_ line: Line, after breadcrumbs: [Line]) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let id = EntityID.random(using: &generator).description.replacing("-", with: "")
        let payload = JSONWriter.write { json in
            json.object { json in
                json.field("event_id", id)
                json.name("timestamp")
                json.value(json: "\(line.at)".utf8)
                json.field("platform", "other")
                json.field("level", line.level == .critical ? "fatal" : "error")
                json.field("logger", line.logger)
                json.field("release", release)
                json.field("environment", environment)
                json.field("message") { $0.field("formatted", line.message) }
                json.field("extra") { json in
                    for (name, value) in line.fields {
                        json.name(name)
                        json.value(value)
                    }
                }
                if let trace = line.trace {
                    json.field("contexts") { json in
                        json.field("trace") { json in
                            json.field("trace_id", trace)
                            json.field("span_id", String(trace.suffix(16)))
                        }
                    }
                }
                json.field("breadcrumbs") { json in
                    json.field("values", breadcrumbs) { json, line in
                        json.object { json in
                            json.name("timestamp")
                            json.value(json: "\(line.at)".utf8)
                            json.field("level", "\(line.level)")
                            json.field("category", line.logger)
                            json.field("message", line.message)
                        }
                    }
                }
            }
        }
        let header = JSONWriter.write { $0.object { $0.field("event_id", id) } }
        let item = JSONWriter.write { json in
            json.object { json in
                json.field("type", "event")
                json.field("length", payload.count)
            }
        }
        return header + [0x0A] + item + [0x0A] + payload + [0x0A]
    }
}

extension SentryReporter.Line {
    /// The trace that the line belongs to: 32 hexadecimal digits.
    fileprivate var trace: String? {
        fields.first { $0.name == "trace" }.map { $0.value.replacing("-", with: "") }
    }
}

/// Hands what is logged to a ``SentryReporter``.
public struct SentryLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let reporter: SentryReporter

    public init(label: String, level: Logger.Level, reporter: SentryReporter) {
        self.label = label
        self.reporter = reporter
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        reporter.hear(
            SentryReporter.Line(
                at: Double(now.tv_sec) + Double(now.tv_nsec) / 1e9, level: event.level,
                logger: label, message: "\(event.message)",
                fields: event.fields(over: metadata)))
    }
}

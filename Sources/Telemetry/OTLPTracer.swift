internal import Domain
internal import JSON
internal import Synchronization
internal import Trace
public import Tracing

/// Sends spans to an OpenTelemetry collector: OTLP over HTTP, as JSON.
///
/// Spans gather for a second or until there are ``batchSize``. Nothing waits for them: beyond ``queueLimit`` batches
/// the oldest are dropped. A trace that its beginner does not sample is not sent.
///
/// Source: OpenTelemetry, "OTLP Specification", OTLP/HTTP, and its trace.proto.
public final class OTLPTracer: Tracer {
    public static let batchSize = 256
    public static let queueLimit = 64
    private static let interval = Duration.seconds(1)

    private struct State {
        var spans: [OTLPSpan.State] = []
        var isSendingDue = false
    }

    private let outbox: Outbox
    private let release: String
    private let environment: String
    private let state = Mutex(State())

    /// `endpoint` is a collector's, such as `http://127.0.0.1:4318`.
    public init(endpoint: String, release: String, environment: String) {
        let base = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        outbox = Outbox(
            url: base + "/v1/traces", headers: [("content-type", "application/json")],
            limit: Self.queueLimit)
        self.release = release
        self.environment = environment
    }

    public func startSpan<Moment: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind, at instant: @autoclosure () -> Moment, function: String,
        file fileID: String, line: UInt
    ) -> OTLPSpan {
        OTLPSpan(
            operationName, in: context(), kind, at: instant().nanosecondsSinceEpoch
        ) { [weak self] in self?.take($0) }
    }

    public func startAnySpan<Moment: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind, at instant: @autoclosure () -> Moment, function: String,
        file fileID: String, line: UInt
    ) -> any Span {
        startSpan(
            operationName, context: context(), ofKind: kind, at: instant(), function: function,
            file: fileID, line: line)
    }

    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.traceParent = extractor.extract(key: "traceparent", from: carrier)
            .flatMap(TraceParent.init)
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let parent = context.traceParent else { return }
        injector.inject(parent.description, forKey: "traceparent", into: &carrier)
    }

    public func forceFlush() {
        let spans = state.withLock { state in
            defer { state = State() }
            return state.spans
        }
        if !spans.isEmpty { outbox.put(body(of: spans)) }
    }

    /// Sends what waits, for as long as a process may take to end.
    public func close() async {
        forceFlush()
        await outbox.close()
    }

    private func take(_ span: OTLPSpan.State) {
        let (isFull, isFirst) = state.withLock { state in
            state.spans.append(span)
            defer { state.isSendingDue = true }
            return (state.spans.count >= Self.batchSize, !state.isSendingDue)
        }
        if isFull {
            forceFlush()
        } else if isFirst {
            Task.detached {
                try? await Task.sleep(for: Self.interval)
                self.forceFlush()
            }
        }
    }

    private func body(of spans: [OTLPSpan.State]) -> [UInt8] {
        JSONWriter.write { json in
            json.object { json in
                json.field("resourceSpans", [0]) { json, _ in
                    json.object { json in
                        json.field("resource") { json in
                            json.write([
                                ("service.name", .string("quartermaster")),
                                ("service.version", .string(release)),
                                ("deployment.environment", .string(environment)),
                            ])
                        }
                        json.field("scopeSpans", [0]) { json, _ in
                            json.object { json in
                                json.field("scope") { $0.field("name", "quartermaster") }
                                json.field("spans", spans) { $1.write(to: &$0) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A span of an ``OTLPTracer``.
public final class OTLPSpan: Span {
    struct State: Sendable {
        var name: String
        var kind: SpanKind
        var parent: TraceParent?
        var own: TraceParent
        var start: UInt64
        var end: UInt64 = 0
        var attributes: SpanAttributes = [:]
        var links: [TraceParent] = []
        var events: [(name: String, at: UInt64)] = []
        var status: SpanStatus?
    }

    private let state: Mutex<State>
    private let finish: @Sendable (State) -> Void
    public let context: ServiceContext
    public let isRecording: Bool

    init(
        _ name: String, in context: ServiceContext, _ kind: SpanKind, at start: UInt64,
        finish: @escaping @Sendable (State) -> Void
    ) {
        var generator = SystemRandomNumberGenerator()
        let parent = context.traceParent
        let own = TraceParent(
            trace: parent?.trace ?? .random(using: &generator),
            span: .random(in: 1 ... .max), isSampled: parent?.isSampled ?? true)
        var inner = context
        inner.traceParent = own
        self.context = inner
        isRecording = own.isSampled
        state = Mutex(State(name: name, kind: kind, parent: parent, own: own, start: start))
        self.finish = finish
    }

    public var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    public var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    public func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }

    public func addEvent(_ event: SpanEvent) {
        state.withLock { $0.events.append((event.name, event.nanosecondsSinceEpoch)) }
    }

    public func addLink(_ link: SpanLink) {
        guard let parent = link.context.traceParent else { return }
        state.withLock { $0.links.append(parent) }
    }

    public func recordError<Moment: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Moment
    ) {
        let at = instant().nanosecondsSinceEpoch
        state.withLock { $0.events.append(("exception: \(type(of: error))", at)) }
    }

    public func end<Moment: TracerInstant>(at instant: @autoclosure () -> Moment) {
        guard isRecording else { return }
        let at = instant().nanosecondsSinceEpoch
        let ended = state.withLock { state in
            state.end = at
            return state
        }
        finish(ended)
    }
}

extension OTLPSpan.State {
    fileprivate func write(to json: inout JSONWriter) {
        var own = own
        // Who has appended an event is known by its position.
        if case .int64(let position) = attributes.get(Trace.position) {
            own.span = UInt64(bitPattern: position)
        }
        json.object { json in
            json.field("traceId", own.traceDigits)
            json.field("spanId", own.spanDigits)
            if let parent, parent.span != 0, parent.span != own.span {
                json.field("parentSpanId", parent.spanDigits)
            }
            json.field("name", name)
            json.field("kind", kind.number)
            json.field("startTimeUnixNano", "\(start)")
            json.field("endTimeUnixNano", "\(end)")
            var list: [(String, SpanAttribute)] = []
            attributes.forEach { list.append(($0, $1)) }
            json.write(list)
            json.field("links", links) { json, link in
                json.object { json in
                    json.field("traceId", link.traceDigits)
                    json.field("spanId", link.spanDigits)
                }
            }
            json.field("events", events) { json, event in
                json.object { json in
                    json.field("name", event.name)
                    json.field("timeUnixNano", "\(event.at)")
                }
            }
            if let status {
                json.field("status") { json in
                    json.field("code", status.code == .error ? 2 : 1)
                    if let message = status.message { json.field("message", message) }
                }
            }
        }
    }
}

extension SpanKind {
    /// As trace.proto numbers them.
    fileprivate var number: Int {
        switch self {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ attributes: [(String, SpanAttribute)]) {
        field("attributes", attributes) { json, attribute in
            json.object { json in
                json.field("key", attribute.0)
                json.field("value") { json in
                    switch attribute.1 {
                    case .int64(let number): json.field("intValue", "\(number)")
                    case .int32(let number): json.field("intValue", "\(number)")
                    case .bool(let value): json.field("boolValue", value)
                    case .string(let text): json.field("stringValue", text)
                    case .stringConvertible(let value): json.field("stringValue", "\(value)")
                    default: json.field("stringValue", "\(attribute.1)")
                    }
                }
            }
        }
    }
}

internal import Domain
internal import Glibc
public import Tracing

/// Tells the process's tracer what has been done.
public enum Trace {
    /// Whether anybody listens; asked for the first time after the process has said who.
    public static let isOn = !(InstrumentationSystem.tracer is NoOpTracer)

    /// The attribute by which a span says which event it has appended; the tracer takes it for the span's id.
    public static let position = "quartermaster.position"
    /// Spans that one span is linked to.
    public static let linkLimit = 8

    /// Records a span that began at `began` and ends now.
    ///
    /// It belongs to `parent`; without one it begins a trace. Nothing happens unless somebody listens.
    public static func record(
        _ name: String, _ kind: SpanKind, following parent: TraceParent?,
        links: @autoclosure () -> [TraceParent] = [], since began: ContinuousClock.Instant,
        attributes: [String: SpanAttribute] = [:], isFailed: Bool = false
    ) {
        guard isOn else { return }
        var context = ServiceContext.topLevel
        context.traceParent = parent
        let now = TraceInstant.now
        let spent = (ContinuousClock.now - began).components
        let nanoseconds = UInt64(
            max(0, spent.seconds * 1_000_000_000 + spent.attoseconds / 1_000_000_000))
        let span = InstrumentationSystem.tracer.startSpan(
            name, context: context, ofKind: kind,
            at: TraceInstant(nanosecondsSinceEpoch: now.nanosecondsSinceEpoch - nanoseconds))
        for (name, value) in attributes { span.attributes.set(name, value: value) }
        for link in links().prefix(linkLimit) {
            var context = ServiceContext.topLevel
            context.traceParent = link
            span.addLink(SpanLink(context: context, attributes: [:]))
        }
        if isFailed { span.setStatus(SpanStatus(code: .error)) }
        span.end(at: now)
    }
}

/// A moment of the wall clock.
struct TraceInstant: TracerInstant {
    var nanosecondsSinceEpoch: UInt64

    static var now: TraceInstant {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return TraceInstant(
            nanosecondsSinceEpoch: UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec))
    }

    static func < (left: TraceInstant, right: TraceInstant) -> Bool {
        left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
    }
}

public import Domain
public import Tracing

/// Which span something belongs to: a trace, which has the 128 bits of a UUID, and one of its spans.
///
/// Source: W3C, "Trace Context", section 3.2.
public struct TraceParent: Hashable, Sendable, CustomStringConvertible {
    public var trace: EntityID
    public var span: UInt64
    public var isSampled: Bool

    public init(trace: EntityID, span: UInt64, isSampled: Bool = true) {
        self.trace = trace
        self.span = span
        self.isSampled = isSampled
    }

    /// The span that has appended an event: its id is the event's position, its trace what the event belongs to.
    public init(correlation: EntityID, position: Int64) {
        self.init(trace: correlation, span: UInt64(bitPattern: position))
    }

    /// Reads a `traceparent` header; nil for one that is malformed or of zeros.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[0] != "ff",
            parts[1].utf8.count == 32, parts[2].utf8.count == 16, parts[3].utf8.count == 2,
            let high = UInt64(parts[1].prefix(16), radix: 16),
            let low = UInt64(parts[1].suffix(16), radix: 16), high != 0 || low != 0,
            let span = UInt64(parts[2], radix: 16), span != 0,
            let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        self.init(
            trace: EntityID(high: high, low: low), span: span, isSampled: flags & 1 == 1)
    }

    /// As a header has it.
    public var description: String { "00-\(traceDigits)-\(spanDigits)-\(isSampled ? "01" : "00")" }

    public var traceDigits: String { Hexadecimal.digits(of: [trace.high, trace.low]) }
    public var spanDigits: String { Hexadecimal.digits(of: [span]) }
}

extension ServiceContext {
    private enum TraceParentKey: ServiceContextKey {
        typealias Value = TraceParent
        static let nameOverride: String? = "traceparent"
    }

    public var traceParent: TraceParent? {
        get { self[TraceParentKey.self] }
        set { self[TraceParentKey.self] = newValue }
    }
}

public import CoreMetrics
internal import Synchronization

/// Keeps what swift-metrics is told, and shows it to Prometheus.
///
/// A counter is a counter, a recorder that does not aggregate a gauge, any other recorder and every timer a
/// histogram; timers are in seconds. Source: Prometheus, "Exposition formats", text format 0.0.4.
public final class MetricRegistry: MetricsFactory, Sendable {
    /// Series beyond this many are not kept: a label has run wild.
    public static let seriesLimit = 10_000

    /// That of the process.
    public static let shared = MetricRegistry()

    private struct Name: Hashable {
        var label: String
        var dimensions: [Dimension]
    }

    private struct Dimension: Hashable, Comparable {
        var name: String
        var value: String

        static func < (left: Self, right: Self) -> Bool {
            (left.name, left.value) < (right.name, right.value)
        }
    }

    private let series = Mutex<[Name: any Series]>([:])

    public init() {}

    public func makeCounter(
        label: String, dimensions: [(String, String)]
    ) -> any CounterHandler {
        find(label, dimensions) { CounterSeries() }
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? find(label, dimensions) { HistogramSeries(HistogramSeries.counts) }
            : find(label, dimensions) { GaugeSeries() }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { HistogramSeries(HistogramSeries.seconds) }
    }

    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// The series of a name: the one that there is, or a new one. One of another kind under the same name
    /// is left alone, and what is told to the new one goes nowhere.
    private func find<Kind: Series>(
        _ label: String, _ dimensions: [(String, String)], make: () -> Kind
    ) -> Kind {
        let name = Name(
            label: label,
            dimensions: dimensions.map { Dimension(name: $0.0, value: $0.1) }.sorted())
        return series.withLock { series in
            if let known = series[name] as? Kind { return known }
            let new = make()
            if series[name] == nil, series.count < Self.seriesLimit { series[name] = new }
            return new
        }
    }

    /// Everything, as Prometheus reads it; `help` explains names.
    public func text(help: [String: String] = [:]) -> String {
        let all = series.withLock { $0 }
        var text = ""
        for (label, group) in Dictionary(grouping: all, by: \.key.label).sorted(by: {
            $0.key < $1.key
        }) {
            if let help = help[label] { text += "# HELP \(label) \(help)\n" }
            text += "# TYPE \(label) \(group[0].value.kind)\n"
            for (name, series) in group.sorted(by: { $0.key.dimensions < $1.key.dimensions }) {
                series.write(label, name.dimensions.map { ($0.name, $0.value) }, to: &text)
            }
        }
        return text
    }
}

extension Array where Element: Comparable {
    fileprivate static func < (left: Self, right: Self) -> Bool {
        left.lexicographicallyPrecedes(right)
    }
}

/// What is kept under one name and one set of dimensions.
private protocol Series: AnyObject, Sendable {
    var kind: String { get }
    func write(_ label: String, _ dimensions: [(String, String)], to text: inout String)
}

private final class CounterSeries: Series, CounterHandler {
    private let count = Atomic<Int64>(0)
    var kind: String { "counter" }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }

    func write(_ label: String, _ dimensions: [(String, String)], to text: inout String) {
        text.addSample(label, dimensions, "\(count.load(ordering: .relaxed))")
    }
}

private final class GaugeSeries: Series, RecorderHandler {
    private let value = Mutex(0.0)
    var kind: String { "gauge" }

    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { self.value.withLock { $0 = value } }

    func write(_ label: String, _ dimensions: [(String, String)], to text: inout String) {
        text.addSample(label, dimensions, number(value.withLock { $0 }))
    }
}

private final class HistogramSeries: Series, RecorderHandler, TimerHandler {
    /// Upper bounds, ascending: from half a millisecond, which is a good commit, to what nobody waits for.
    static let seconds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    static let counts: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

    private struct State {
        var buckets: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>
    var kind: String { "histogram" }

    init(_ bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.buckets[bucket] += 1
            state.sum += value
        }
    }

    func write(_ label: String, _ dimensions: [(String, String)], to text: inout String) {
        let state = state.withLock { $0 }
        var count = 0
        for (bound, inside) in zip(bounds, state.buckets) {
            count += inside
            text.addSample("\(label)_bucket", dimensions + [("le", number(bound))], "\(count)")
        }
        count += state.buckets[bounds.count]
        text.addSample("\(label)_bucket", dimensions + [("le", "+Inf")], "\(count)")
        text.addSample("\(label)_sum", dimensions, number(state.sum))
        text.addSample("\(label)_count", dimensions, "\(count)")
    }
}

private func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
}

extension String {
    fileprivate mutating func addSample(
        _ name: String, _ dimensions: [(String, String)], _ value: String
    ) {
        self += name
        if !dimensions.isEmpty {
            let labels = dimensions.map { name, value in
                let escaped =
                    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                    .replacing("\n", with: "\\n")
                return "\(name)=\"\(escaped)\""
            }
            self += "{\(labels.joined(separator: ","))}"
        }
        self += " \(value)\n"
    }
}

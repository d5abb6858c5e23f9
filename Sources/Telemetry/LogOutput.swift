internal import Dispatch
internal import Domain
internal import Glibc
internal import JSON
public import Logging
internal import Synchronization

/// One line for each message: readable on a terminal, JSON anywhere else.
///
/// Lines gather for a tenth of a second, so that a request does not wait for a pipe; a warning and what is
/// worse is written at once. Beyond ``LogOutput/limit`` lines are dropped, and counted.
public struct LineLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let output: LogOutput

    public init(label: String, level: Logger.Level, output: LogOutput = .standardError) {
        self.label = label
        self.output = output
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let fields = event.fields(over: metadata)
        output.write(
            output.isTerminal
                ? readable(event.level, "\(event.message)", fields)
                : json(event.level, "\(event.message)", fields),
            isUrgent: event.level >= .warning)
    }

    private func readable(
        _ level: Logger.Level, _ message: String, _ fields: [(String, String)]
    ) -> String {
        let color =
            switch level {
            case .trace, .debug: "2"
            case .info: "0"
            case .notice: "36"
            case .warning: "33"
            case .error, .critical: "31"
            }
        let time = String(timestamp().dropFirst(11).prefix(12))
        let rest = fields.map { "  \u{1B}[2m\($0)=\u{1B}[0m\(clean($1))" }.joined()
        return "\u{1B}[2m\(time)\u{1B}[0m \u{1B}[\(color)m\(clean(message))\u{1B}[0m\(rest)\n"
    }

    /// What comes from outside moves no cursor.
    private func clean(_ text: String) -> String {
        String(text.map { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } ? $0 : " " })
    }

    private func json(
        _ level: Logger.Level, _ message: String, _ fields: [(String, String)]
    ) -> String {
        let line = JSONWriter.write { json in
            json.object { json in
                json.field("time", timestamp())
                json.field("level", "\(level)")
                json.field("logger", label)
                json.field("message", message)
                for (name, value) in fields {
                    json.name(name)
                    json.value(value)
                }
            }
        }
        return String(decoding: line, as: UTF8.self) + "\n"
    }

    private func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Instant(microseconds: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000)
            .description
    }
}

extension LogEvent {
    /// What goes with the message, by name: a logger's own, and over it the event's.
    func fields(over metadata: Logger.Metadata) -> [(name: String, value: String)] {
        let all = self.metadata.map { metadata.merging($0) { $1 } } ?? metadata
        return all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
    }
}

/// Where the lines go: a file descriptor, written on a thread of its own, for whoever reads it may stand still.
public final class LogOutput: Sendable {
    public static let standardError = LogOutput(descriptor: 2)

    /// Bytes that wait to be written; beyond them lines are dropped.
    public static let limit = 4 << 20
    /// How long lines gather that nobody is waiting for.
    private static let gatherTime = DispatchTimeInterval.milliseconds(100)

    private struct State {
        var waiting = ""
        var droppedCount = 0
        var due = Due.never
    }

    private enum Due: Comparable {
        case never
        case soon
        case now
    }

    private let descriptor: CInt
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "quartermaster.log")
    let isTerminal: Bool

    public convenience init(descriptor: CInt) {
        self.init(descriptor: descriptor, isTerminal: isatty(descriptor) == 1)
    }

    init(descriptor: CInt, isTerminal: Bool) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
    }

    func write(_ line: String, isUrgent: Bool) {
        let wanted = isUrgent ? Due.now : .soon
        let isSooner = state.withLock { state in
            if state.waiting.utf8.count < Self.limit {
                state.waiting += line
            } else {
                state.droppedCount += 1
            }
            defer { state.due = max(state.due, wanted) }
            return state.due < wanted
        }
        guard isSooner else { return }
        if isUrgent {
            queue.async { self.drain() }
        } else {
            queue.asyncAfter(deadline: .now() + Self.gatherTime) { self.drain() }
        }
    }

    /// Writes what waits, and returns when it is written; to be called before the process ends.
    public func flush() {
        queue.sync { drain() }
    }

    private func drain() {
        var lines = state.withLock { state in
            defer { state = State() }
            guard state.droppedCount > 0 else { return state.waiting }
            return state.waiting
                + #"{"level":"warning","message":"\#(state.droppedCount) log lines were dropped"}"#
                + "\n"
        }
        lines.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                let count = Glibc.write(
                    descriptor, bytes.baseAddress! + start, bytes.count - start)
                guard count > 0 else { return }
                start += count
            }
        }
    }
}

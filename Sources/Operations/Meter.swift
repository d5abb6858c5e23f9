internal import Foundation
internal import Glibc
internal import JSON
internal import Synchronization

/// Shows how far long work is: a bar on a terminal, a line now and then in a log, or JSON for a program.
public final class Meter: Sendable {
    public enum Style: Sendable {
        case bar
        case lines
        case json

        /// As standard error is a terminal or not, unless a program listens.
        public init(isJSON: Bool) {
            self = isJSON ? .json : isatty(2) == 1 ? .bar : .lines
        }

        fileprivate var interval: Duration {
            switch self {
            case .bar: .milliseconds(100)
            case .lines: .seconds(5)
            case .json: .seconds(1)
            }
        }
    }

    private static let barWidth = 24

    private let style: Style
    private let state = Mutex(State())

    private struct State {
        var step = ""
        var first: Int64 = 0
        var began = ContinuousClock.now
        var shown: ContinuousClock.Instant?
        var line = ""
    }

    public init(_ style: Style) {
        self.style = style
    }

    /// Hears that `step` has done `done` of `total`; shows it when it is time to.
    public func tell(_ step: String, _ done: Int64, of total: Int64) {
        let line = state.withLock { state -> String? in
            if state.step != step {
                (state.step, state.first, state.began) = (step, done, .now)
                if style != .bar { state.shown = nil }
            }
            if let shown = state.shown, shown + style.interval > .now, done < total { return nil }
            state.shown = .now
            let seconds = (ContinuousClock.now - state.began).inSeconds
            let rate = seconds > 0.05 ? Double(done - state.first) / seconds : 0
            let line = Self.text(style, step, done, of: total, perSecond: rate)
            // Several read models are done with one step, one after the other.
            guard line != state.line || style == .json else { return nil }
            state.line = line
            return line
        }
        guard let line else { return }
        if style == .json { say(line) } else { FileHandle.standardError.write(Data(line.utf8)) }
    }

    /// Takes the bar away.
    public func finish() {
        guard style == .bar else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }

    /// `rate` is 0 while nobody knows it.
    static func text(
        _ style: Style, _ step: String, _ done: Int64, of total: Int64, perSecond rate: Double
    ) -> String {
        // Where others append meanwhile, it goes on beyond what was known of.
        let total = max(total, done)
        let left = rate > 0 ? Int((Double(total - done) / rate).rounded(.up)) : nil
        guard style != .json else {
            let bytes = JSONWriter.write { json in
                json.object { json in
                    json.field("step", step)
                    json.field("done", done)
                    json.field("total", total)
                    json.field("perSecond", Int(rate))
                    json.field("secondsLeft", left)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        let share = total > 0 ? Double(done) / Double(total) : 1
        var words = "\(step) \(grouped(done)) of \(grouped(total))"
        if rate > 0, done < total {
            words += ", \(grouped(Int64(rate)))/s"
            if let left { words += ", \(left) s left" }
        }
        guard style == .bar else { return words + "\n" }
        let filled = Int(share * Double(barWidth))
        let bar =
            String(repeating: "█", count: filled)
            + String(repeating: "░", count: barWidth - filled)
        return "\r\u{1B}[K\(bar) \(Int(share * 100)) % \(words)"
    }
}

/// A number as people read it: 1,900,286.
func grouped(_ number: Int64) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
        if index > 0, index.isMultiple(of: 3), digit != "-" { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}

/// So many of what a noun names: `1 event`, `1,200 events`.
func counted(_ number: Int64, _ noun: String) -> String {
    "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
}

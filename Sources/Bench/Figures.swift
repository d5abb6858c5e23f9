internal import Foundation
internal import Operations

/// One line of the table: what was measured, and what it should be.
struct Figure: Codable, Sendable {
    enum Aim: Codable, Sendable {
        case atLeast(Double)
        case atMost(Double)
    }

    var name: String
    var value: Double
    var unit: String
    var aim: Aim?
    /// Further figures of the same run, for people.
    var note = ""

    var isReached: Bool? {
        switch aim {
        case .atLeast(let least): value >= least
        case .atMost(let most): value <= most
        case nil: nil
        }
    }

    fileprivate var aimText: String {
        switch aim {
        case .atLeast(let least): "at least \(number(least))"
        case .atMost(let most): "at most \(number(most))"
        case nil: ""
        }
    }

    /// Columns, padded: name, value, unit, aim, whether it is reached, note.
    var line: String {
        let mark = isReached.map { $0 ? "yes" : "NO" } ?? ""
        let columns = [
            (name, 52), (number(value), 11), (unit, 12), (aimText, 17), (mark, 5), (note, 0),
        ]
        return columns.map { text, width in
            text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
        }
        .joined(separator: " ")
        .trimmingCharacters(in: .whitespaces)
    }
}

/// Three digits that count, and no more.
func number(_ value: Double) -> String {
    switch abs(value) {
    case 1000...: String(Int(value.rounded()))
    case 100...: String(format: "%.0f", value)
    case 10...: String(format: "%.1f", value)
    default: String(format: "%.2f", value)
    }
}

extension Array where Element: Comparable {
    /// The element that `share` of all are not above; the list must not be empty.
    func percentile(_ share: Double) -> Element {
        let sorted = sorted()
        return sorted[Swift.min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}

extension Array where Element == Double {
    var median: Double { percentile(0.5) }

    /// The smallest and the largest, for a note.
    var spread: String { "\(number(self.min() ?? 0))-\(number(self.max() ?? 0))" }
}

extension Duration {
    var inMilliseconds: Double { inSeconds * 1000 }
}

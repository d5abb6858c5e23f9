import Foundation
import Testing

/// What the program prints, held against files: it changes only where somebody wants it to.
///
/// With `QUARTERMASTER_WRITE_GOLDEN` in the environment the files are written.
enum Golden {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Outputs")

    static func compare(_ name: String, _ output: String, _ code: String = "") throws {
        let file = Self.folder.appendingPathComponent("\(name).txt")
        let shown = Self.plain(output, code)
        if ProcessInfo.processInfo.environment["QUARTERMASTER_WRITE_GOLDEN"] != nil {
            try FileManager.default.createDirectory(
                at: Self.folder, withIntermediateDirectories: true)
            try shown.write(to: file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        #expect(shown == golden, "\(name)")
    }

    /// Without what is another each time.
    static func plain(_ output: String, _ code: String) -> String {
        var text = code.isEmpty ? output : output.replacing(code, with: "CODE")
        for (pattern, what) in [
            (#"/(tmp|dev/shm)/[^\s":]*"#, "PATH"),
            ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
            (#"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?"#, "TIME"),
            ("[0-9a-f]{60,}", "HEX"),
            (#"\d[\d,]*\.\d+ MB"#, "N MB"), (#"\d[\d,]* MB"#, "N MB"),
            (#"\d+ connections?\b"#, "N connections"), (#""connections":\d+"#, #""connections":N"#),
            (#"\bin [\d.]+ s\b"#, "in N s"), (#"\btook \d+ s\b"#, "took N s"),
            (#"\d[\d,]*/s"#, "N/s"),
            (#"\d[\d,]* in the last minute"#, "N in the last minute"),
            (#""eventsInLastMinute":\d+"#, #""eventsInLastMinute":N"#),
            // Money is the same each time, and has to be right.
            (
                #"(?<!"(total|amount|taxable|unitPrice|gross|tax|charged|subtotal|rateBasisPoints)":)"#
                    + #"\b(\d{1,3}(,\d{3})+|\d{3,})\b"#, "N"
            ),
        ] {
            text = text.replacingOccurrences(of: pattern, with: what, options: .regularExpression)
        }
        // Progress is shown as often as there is time for it.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var steps: Set<Substring> = []
        return lines.filter { line in
            guard let step = line.prefixMatch(of: /\{"step":"[a-z ]+"/) else {
                return !line.contains(" of N") || !line.hasPrefixOfStep
            }
            return steps.insert(step.output).inserted
        }.map { line in
            // How far a step has come when it is first heard of is another each time.
            line.hasPrefix(#"{"step""#) ? line.replacing(/:(\d+|null)/, with: ":N") : line
        }
        .joined(separator: "\n")
    }
}

extension Substring {
    fileprivate var hasPrefixOfStep: Bool {
        [
            "exporting ", "importing ", "reading ", "indexing ", "comparing ", "swapping ",
            "verifying ", "read models: ",
        ]
        .contains { hasPrefix($0) }
    }
}

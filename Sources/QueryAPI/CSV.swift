/// Writes tables as RFC 4180 has them: commas, CRLF, quotes where they are needed.
///
/// A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV
/// Injection"): customers type names, and offices open files.
struct CSV {
    enum Field {
        case text(String?)
        case number(Int)
    }

    private(set) var text = ""

    mutating func add(_ fields: [Field]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { text += "," }
            switch field {
            case .text(let value): add(value ?? "")
            case .number(let number): text += String(number)
            }
        }
        text += "\r\n"
    }

    mutating func addNames(_ names: [String]) { add(names.map { .text($0) }) }

    /// What was added since it was taken last.
    mutating func take() -> String {
        defer { text = "" }
        return text
    }

    private mutating func add(_ value: String) {
        let value = Self.formulaStarts.contains(value.utf8.first ?? 0) ? "'\(value)" : value
        let isPlain = value.utf8.allSatisfy {
            $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") && $0 != 0x0A && $0 != 0x0D
        }
        // By bytes: to Swift a quote with an accent on it is another character, to a reader of CSV it is a quote.
        let doubled = value.utf8.flatMap { $0 == UInt8(ascii: "\"") ? [$0, $0] : [$0] }
        text += isPlain ? value : "\"\(String(decoding: doubled, as: UTF8.self))\""
    }

    private static let formulaStarts: Set<UInt8> = [
        UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D,
    ]
}

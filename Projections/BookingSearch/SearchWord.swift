internal import Domain

/// How texts are cut into the words that a search looks for.
enum SearchWord {
    /// The words of a text in lower case: what lies between spaces, and of a mail address and the like also
    /// its parts.
    static func words(of text: String) -> [String] {
        var words: [String] = []
        add(text, to: &words)
        return words
    }

    /// The same, added to others that have it not.
    static func add(_ text: String, to words: inout [String]) {
        for word in text.lowercased().split(whereSeparator: \.isSpace) {
            add(word, to: &words)
            // Most words are all letters and digits.
            guard word.utf8.contains(where: { $0 < 0x80 && !$0.isAlphanumeric }) else { continue }
            for part in word.split(whereSeparator: \.isMark) { add(part, to: &words) }
        }
    }

    private static func add(_ word: Substring, to words: inout [String]) {
        if !words.contains(where: { $0 == word }) { words.append(String(word)) }
    }

    static func sailing(_ id: SailingID) -> String { "\u{1}s\(id.entity)" }

    static func ticketType(_ id: TicketTypeID) -> String { "\u{1}t\(id.entity)" }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool {
        (0x61...0x7A).contains(self) || (0x30...0x39).contains(self) || (0x41...0x5A).contains(self)
    }
}

extension Character {
    /// Unicode's tables are asked for what is not ASCII only.
    fileprivate var isSpace: Bool {
        asciiValue.map { $0 == 0x20 || (0x09...0x0D).contains($0) } ?? isWhitespace
    }

    fileprivate var isMark: Bool { asciiValue.map { !$0.isAlphanumeric } ?? false }
}

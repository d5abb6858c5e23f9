internal import Domain

/// How texts are cut into the words that a search looks for.
enum SearchWord {
    /// The words of a text in lower case: what lies between spaces, and of a mail address and the like also
    /// its parts.
    static func words(of text: String) -> [String] {
        text.lowercased().split(whereSeparator: \.isWhitespace).flatMap { word -> [String] in
            let parts = word.split { !$0.isLetter && !$0.isNumber }
            let whole = String(word)
            guard parts.count > 1 || parts.first.map({ $0 != word }) ?? false else {
                return [whole]
            }
            return [whole] + parts.map(String.init)
        }
    }

    static func sailing(_ id: SailingID) -> String { "\u{1}s\(id.entity)" }

    static func ticketType(_ id: TicketTypeID) -> String { "\u{1}t\(id.entity)" }
}

internal import Domain

/// The words by which a booking is found, each once: in lower case, what lies between spaces. A name of
/// several parts is found by each of them, and of a number only its digits count.
///
/// A mail address is found as a whole, under a mark, and by its first letters without: so whoever looks for a
/// frequent name does not go through the addresses of all who have it.
///
/// Bytes and not strings, because a rebuild makes them of every booking that there ever was.
struct SearchWords {
    /// The words in UTF-8 with spaces between.
    private(set) var bytes: [UInt8] = []

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var list: [String] { text.split(separator: " ").map(String.init) }

    mutating func add(_ text: String) {
        var text = text.lowercased()
        if !text.utf8.allSatisfy({ $0 < 0x80 }) {
            // Whatever else is a space for people is one here.
            text = String(text.map { $0.isWhitespace ? " " : $0 })
        }
        text.withUTF8 { bytes in
            for word in bytes.split(whereSeparator: { $0 == 0x20 || (0x09...0x0D).contains($0) }) {
                add(word)
            }
        }
    }

    mutating func add(mail text: String) {
        var text = text.lowercased()
        text.withUTF8 { bytes in
            let first = bytes.prefix { $0.isLetter }
            if !first.isEmpty { append(first) }
            append(Array(Self.mail.utf8) + bytes.filter { $0 > 0x20 })
        }
    }

    /// Names that nobody types.
    private static let mail = "\u{1}m"
    static func name(of status: BookingStatus) -> String { "\u{1}b\(status.rawValue)" }
    mutating func add(_ status: BookingStatus) { append(Array(Self.name(of: status).utf8)) }
    mutating func add(_ sailing: SailingID) { add(id: sailing.entity, after: "\u{1}s") }
    mutating func add(_ ticketType: TicketTypeID) { add(id: ticketType.entity, after: "\u{1}t") }

    /// Those that were added to a text of words, in their order.
    static func sailings(in text: String) -> [SailingID] { ids(in: text, after: "\u{1}s") }
    static func ticketTypes(in text: String) -> [TicketTypeID] { ids(in: text, after: "\u{1}t") }

    private static func ids<K>(in text: String, after prefix: String) -> [ID<K>] {
        text.split(separator: " ").compactMap { word in
            word.hasPrefix(prefix) ? EntityID(word.dropFirst(prefix.count)).map { ID($0) } : nil
        }
    }

    private mutating func add(id: EntityID, after prefix: StaticString) {
        id.withUTF8 { digits in
            var word = Array(UnsafeBufferPointer(start: prefix.utf8Start, count: 2))
            word.append(contentsOf: digits)
            append(word[...])
        }
    }

    /// What somebody has typed, in PostgreSQL's language for text search: each word begins a word of the
    /// booking, or its address.
    static func terms(typed text: String) -> [String] {
        text.lowercased().split(whereSeparator: \.isWhitespace).map { word in
            let inMail = beginning(mail + word)
            if word.contains("@") { return inMail }
            if word.utf8.allSatisfy(\.isLetter) { return beginning(String(word)) }
            var digits = SearchWords()
            if !word.utf8.contains(where: \.isLetter) { digits.add(String(word)) }
            let plain = digits.bytes.isEmpty ? String(word) : digits.text
            return "(\(beginning(plain)) | \(inMail))"
        }
    }

    private static func beginning(_ word: String) -> String { quoted(word) + ":*" }

    static func quoted(_ word: String) -> String {
        var text = "'"
        for character in word {
            if character == "'" || character == "\\" { text.append(character) }
            text.append(character)
        }
        return text + "'"
    }

    private mutating func add(_ word: Slice<UnsafeBufferPointer<UInt8>>) {
        if word.allSatisfy({ $0.isLetter || $0.isDigit }) {
            append(word)
        } else if word.contains(where: \.isLetter) {
            append(word)
            for part in word.split(whereSeparator: { !$0.isLetter && !$0.isDigit }) { append(part) }
        } else {
            let digits = word.filter(\.isDigit)
            if digits.isEmpty { append(word) } else { append(digits[...]) }
        }
    }

    private mutating func append(_ word: some Collection<UInt8>) {
        guard !contains(word) else { return }
        if !bytes.isEmpty { bytes.append(0x20) }
        bytes.append(contentsOf: word)
    }

    private func contains(_ word: some Collection<UInt8>) -> Bool {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x20) ?? bytes.count
            if end - start == word.count, bytes[start..<end].elementsEqual(word) { return true }
            start = end + 1
        }
        return false
    }
}

extension UInt8 {
    /// Of text in lower case; whatever is not ASCII counts as one.
    fileprivate var isLetter: Bool { self >= 0x80 || (0x61...0x7A).contains(self) }
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
}

internal import Domain
internal import Glibc

/// The words by which a booking is found, each once: in lower case, what lies between spaces. A name of
/// several parts is found by each of them, and of a number only its digits count.
///
/// A mail address is found as a whole, under a mark, and by its first letters without: so whoever looks for a
/// frequent name does not go through the addresses of all who have it.
///
/// Bytes and not strings, because a rebuild makes them of every booking that there ever was: those of a `tsvector`
/// as PostgreSQL sends and takes it (`tsvectorsend` of its sources), each word with a zero and no positions.
struct SearchWords {
    private var words: [UInt8] = []
    private var count: UInt32 = 0

    var tsvector: [UInt8] { withUnsafeBytes(of: count.bigEndian, Array.init) + words }

    private static let end: [UInt8] = [0, 0, 0]

    mutating func add(_ text: String) {
        var text = text.lowercased()
        if !text.utf8.allSatisfy({ $0 < 0x80 }) {
            // Whatever else is a space for people is one here.
            text = String(text.map { $0.isWhitespace ? " " : $0 })
        }
        text.withUTF8 { bytes in
            for word in bytes.split(whereSeparator: { $0 <= 0x20 }) {
                add(UnsafeBufferPointer(rebasing: word))
            }
        }
    }

    /// People type a number with and without its country's, in one piece or as they please.
    mutating func add(phone text: String) {
        add(text)
        let digits = text.utf8.filter(\.isDigit)
        guard !digits.isEmpty else { return }
        append(digits.suffix(Self.nationalDigits))
        // Of North America the country's number is known, and left off when somebody types it.
        let isAmerican =
            digits.count == Self.nationalDigits + 1 && digits.first == UInt8(ascii: "1")
        if digits.count > Self.nationalDigits, !isAmerican { append(digits) }
    }

    /// Of the numbers of North America.
    private static let nationalDigits = 10

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
    static func name(of sailing: SailingID) -> String { "\u{1}s\(sailing)" }
    static func name(of ticketType: TicketTypeID) -> String { "\u{1}t\(ticketType)" }
    mutating func add(_ status: BookingStatus) { append(Array(Self.name(of: status).utf8)) }
    mutating func add(_ sailing: SailingID) { add(id: sailing.entity, after: UInt8(ascii: "s")) }
    mutating func add(_ type: TicketTypeID) { add(id: type.entity, after: UInt8(ascii: "t")) }

    /// Those that are among the words of a `tsvector`, in the order of their ids.
    static func sailings(in tsvector: UnsafeRawBufferPointer) -> [SailingID] {
        ids(in: tsvector, after: UInt8(ascii: "s"))
    }
    static func ticketTypes(in tsvector: UnsafeRawBufferPointer) -> [TicketTypeID] {
        ids(in: tsvector, after: UInt8(ascii: "t"))
    }

    private static func ids<K>(
        in tsvector: UnsafeRawBufferPointer, after mark: UInt8
    ) -> [ID<K>] {
        var ids: [ID<K>] = []
        var rest = tsvector.dropFirst(4)
        while let end = rest.firstIndex(of: 0) {
            let word = rest[..<end]
            if word.count == 38, word[word.startIndex] == 1, word[word.startIndex + 1] == mark,
                let id = EntityID(utf8: UnsafeRawBufferPointer(rebasing: word.dropFirst(2)))
            {
                ids.append(ID(id))
            }
            rest = rest[(end + Self.end.count)...]
        }
        return ids
    }

    private mutating func add(id: EntityID, after mark: UInt8) {
        id.withUTF8 { digits in append([1, mark] + digits) }
    }

    /// What somebody has typed, in PostgreSQL's language for text search: each word begins a word of the
    /// booking, or its address.
    static func terms(typed text: String) -> [String] {
        text.lowercased().split(whereSeparator: \.isWhitespace).map { word in
            let inMail = beginning(mail + word)
            if word.contains("@") { return inMail }
            if word.utf8.allSatisfy(\.isLetter) { return beginning(String(word)) }
            let digits = word.filter(\.isWholeNumber)
            let isNumber = !digits.isEmpty && !word.utf8.contains(where: \.isLetter)
            var ways = [beginning(isNumber ? digits : String(word)), inMail]
            if isNumber, let national = national(typed: digits) { ways.append(beginning(national)) }
            return "(\(ways.joined(separator: " | ")))"
        }
    }

    /// What is left of digits without their country's, or the zero before them; nil where there is none. Of a number that
    /// is not typed to its end that is known for North America alone, where no number of one's own begins with 1.
    private static func national(typed digits: String) -> String? {
        if digits.count > nationalDigits { return String(digits.suffix(nationalDigits)) }
        return digits.count > 3 && digits.first == "1" ? String(digits.dropFirst()) : nil
    }

    private static func beginning(_ word: String) -> String { quoted(word) + ":*" }

    static func quoted(_ word: String) -> String {
        var text = "'".unicodeScalars
        for scalar in word.unicodeScalars {
            if scalar == "'" || scalar == "\\" { text.append(scalar) }
            text.append(scalar)
        }
        text.append("'")
        return String(text)
    }

    private mutating func add(_ word: UnsafeBufferPointer<UInt8>) {
        if word.allSatisfy({ $0.isLetter || $0.isDigit }) {
            append(word)
        } else if word.contains(where: \.isLetter) {
            append(word)
            for part in word.split(whereSeparator: { !$0.isLetter && !$0.isDigit }) { append(part) }
        } else {
            let digits = word.filter(\.isDigit)
            if digits.isEmpty { append(word) } else { append(digits) }
        }
    }

    private mutating func append(_ word: some Collection<UInt8>) {
        let start = words.count
        words.append(contentsOf: word)
        if isThere(before: start) {
            words.removeLast(words.count - start)
        } else {
            words.append(contentsOf: Self.end)
            count += 1
        }
    }

    /// Whether the word that begins at `start` is among those before it.
    private func isThere(before start: Int) -> Bool {
        words.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            let length = bytes.count - start
            var other = 0
            while other < start, let zero = memchr(base + other, 0, start - other) {
                let end = UnsafeRawPointer(zero) - base
                if end - other == length, memcmp(base + other, base + start, length) == 0 {
                    return true
                }
                other = end + Self.end.count
            }
            return false
        }
    }
}

extension UInt8 {
    /// Of text in lower case; whatever is not ASCII counts as one.
    fileprivate var isLetter: Bool { self >= 0x80 || (0x61...0x7A).contains(self) }
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
}

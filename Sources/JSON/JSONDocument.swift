/// A JSON text, cut into tokens once and then read in place.
///
/// It exists because the log is read at the speed at which it is decoded. Strict: RFC 8259, valid
/// UTF-8, no member twice, no more than ``depthLimit`` levels.
public final class JSONDocument: Sendable {
    public static let depthLimit = 32
    public static let sizeLimit = Int(Int32.max)
    /// Members of one object: each is compared with those before it.
    public static let memberLimit = 64

    @usableFromInline let bytes: [UInt8]
    let tokens: [Token]

    @usableFromInline struct Token: Sendable {
        @usableFromInline enum Kind: UInt8, Sendable {
            case object, array, string, escapedString, number, `true`, `false`, null
        }
        @usableFromInline var kind: Kind
        /// For a string: what stands between the quotes.
        @usableFromInline var start: Int32
        @usableFromInline var end: Int32
        /// The token after this one and all that it contains.
        var next: Int32
    }

    public init(_ bytes: [UInt8]) throws(JSONError) {
        guard bytes.count < Self.sizeLimit else {
            throw JSONError(path: "", reason: "the text is too long")
        }
        tokens = try bytes.withUnsafeBufferPointer { bytes throws(JSONError) in
            var scanner = Scanner(bytes)
            return try scanner.scan()
        }
        self.bytes = bytes
    }

    public var root: JSONValue { JSONValue(document: self, index: 0) }

    /// The way from the root to a token, as people write it.
    func path(to target: Int) -> String {
        var path = ""
        var index = 0
        while index != target {
            let children = children(of: index)
            guard let position = children.lastIndex(where: { $0 <= target }) else { break }
            if tokens[index].kind == .array {
                path += "[\(position)]"
                index = children[position]
            } else {
                // Children of an object alternate: key, value.
                let key = children[position / 2 * 2]
                path += (path.isEmpty ? "" : ".") + text(of: key)
                if key == target { break }
                index = key + 1
            }
        }
        return path
    }

    func children(of index: Int) -> [Int] {
        var children: [Int] = []
        var child = index + 1
        while child < tokens[index].next {
            children.append(child)
            child = Int(tokens[child].next)
        }
        return children
    }

    func text(of index: Int) -> String {
        JSONValue(document: self, index: index).rawString
    }
}

/// Cuts a text into tokens, without looking back. It lives no longer than the text is lent.
private struct Scanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var tokens: [JSONDocument.Token] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    mutating func scan() throws(JSONError) -> [JSONDocument.Token] {
        tokens.reserveCapacity(bytes.count / 6 + 4)
        skipSpace()
        try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fault("expected the end of the text") }
        return tokens
    }

    private mutating func value(depth: Int) throws(JSONError) {
        guard depth < JSONDocument.depthLimit else {
            throw fault("nested deeper than \(JSONDocument.depthLimit) levels")
        }
        guard let first = current else { throw fault("the text ends too early") }
        switch first {
        case UInt8(ascii: "{"): try object(depth: depth)
        case UInt8(ascii: "["): try array(depth: depth)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true", .true)
        case UInt8(ascii: "f"): try word("false", .false)
        case UInt8(ascii: "n"): try word("null", .null)
        case UInt8(ascii: "-"), 48...57: try number()
        default: throw fault("expected a value")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) {
        let index = begin(.object)
        skipSpace()
        var count = 0
        if current != UInt8(ascii: "}") {
            while true {
                guard current == UInt8(ascii: "\"") else { throw fault("expected a member name") }
                count += 1
                guard count <= JSONDocument.memberLimit else {
                    throw fault("more than \(JSONDocument.memberLimit) members")
                }
                let key = tokens.count
                try string()
                try checkIsNew(key, in: index)
                skipSpace()
                guard take(UInt8(ascii: ":")) else { throw fault("expected ':'") }
                skipSpace()
                try value(depth: depth + 1)
                skipSpace()
                guard take(UInt8(ascii: ",")) else { break }
                skipSpace()
            }
        }
        guard take(UInt8(ascii: "}")) else { throw fault("expected ',' or '}'") }
        finish(index)
    }

    private mutating func array(depth: Int) throws(JSONError) {
        let index = begin(.array)
        skipSpace()
        if current != UInt8(ascii: "]") {
            while true {
                try value(depth: depth + 1)
                skipSpace()
                guard take(UInt8(ascii: ",")) else { break }
                skipSpace()
            }
        }
        guard take(UInt8(ascii: "]")) else { throw fault("expected ',' or ']'") }
        finish(index)
    }

    private mutating func string() throws(JSONError) {
        position += 1
        let start = position
        var isEscaped = false
        var isASCII = true
        while true {
            position = endOfPlainText(in: bytes, from: position)
            guard let byte = current, byte != UInt8(ascii: "\"") else { break }
            guard byte >= 0x20 else { throw fault("a control character in a string") }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                position += 1
            }
            if byte >= 0x80 { isASCII = false }
            position += 1
        }
        guard position < bytes.count else { throw fault("the text ends inside a string") }
        if isEscaped || !isASCII { try checkText(start..<position, isEscaped: isEscaped) }
        tokens.append(
            .init(
                kind: isEscaped ? .escapedString : .string, start: Int32(start),
                end: Int32(position), next: Int32(tokens.count + 1)))
        position += 1
    }

    private func checkText(_ range: Range<Int>, isEscaped: Bool) throws(JSONError) {
        guard String(validating: bytes[range], as: UTF8.self) != nil else {
            throw fault("a string that is not valid UTF-8")
        }
        guard !isEscaped || unescaped(Array(bytes[range])[...]) != nil else {
            throw fault("a string with an escape that means nothing")
        }
    }

    private mutating func number() throws(JSONError) {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        tokens.append(
            .init(
                kind: .number, start: Int32(start), end: Int32(position),
                next: Int32(tokens.count + 1)))
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while let byte = current, (48...57).contains(byte) { position += 1 }
        guard position > start else { throw fault("expected a digit") }
    }

    private mutating func word(
        _ word: StaticString, _ kind: JSONDocument.Token.Kind
    ) throws(JSONError) {
        let start = position
        for index in 0..<word.utf8CodeUnitCount {
            guard take(word.utf8Start[index]) else { throw fault("expected '\(word)'") }
        }
        tokens.append(
            .init(
                kind: kind, start: Int32(start), end: Int32(position),
                next: Int32(tokens.count + 1)))
    }

    private mutating func begin(_ kind: JSONDocument.Token.Kind) -> Int {
        tokens.append(.init(kind: kind, start: Int32(position), end: 0, next: 0))
        position += 1
        return tokens.count - 1
    }

    private mutating func finish(_ index: Int) {
        tokens[index].end = Int32(position)
        tokens[index].next = Int32(tokens.count)
    }

    private func checkIsNew(_ key: Int, in object: Int) throws(JSONError) {
        guard let base = bytes.baseAddress else { return }
        let token = tokens[key]
        let length = Int(token.end - token.start)
        var other = object + 1
        while other < key {
            let earlier = tokens[other]
            if Int(earlier.end - earlier.start) == length,
                equal(base + Int(earlier.start), base + Int(token.start), length)
            {
                let name = bytes[Int(token.start)..<Int(token.end)]
                throw fault("the member '\(String(decoding: name, as: UTF8.self))' twice")
            }
            other = Int(tokens[other + 1].next)
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private func fault(_ reason: String) -> JSONError {
        JSONError(path: "", reason: "not JSON: \(reason) at byte \(position)")
    }
}

/// The text that an escaped string stands for; nil when an escape is not one.
func unescaped(_ text: ArraySlice<UInt8>) -> String? {
    var result = String.UnicodeScalarView()
    var plain: [UInt8] = []
    var index = text.startIndex

    func unit(at start: Int) -> UInt32? {
        guard start + 4 <= text.endIndex else { return nil }
        var unit: UInt32 = 0
        for byte in text[start..<start + 4] {
            // The standard library would take a sign as well.
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
    func flush() {
        result.append(contentsOf: String(decoding: plain, as: UTF8.self).unicodeScalars)
        plain.removeAll(keepingCapacity: true)
    }
    while index < text.endIndex {
        guard text[index] == UInt8(ascii: "\\") else {
            plain.append(text[index])
            index += 1
            continue
        }
        guard index + 1 < text.endIndex else { return nil }
        index += 2
        switch text[index - 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            plain.append(text[index - 1])
        case UInt8(ascii: "b"): plain.append(0x08)
        case UInt8(ascii: "f"): plain.append(0x0C)
        case UInt8(ascii: "n"): plain.append(0x0A)
        case UInt8(ascii: "r"): plain.append(0x0D)
        case UInt8(ascii: "t"): plain.append(0x09)
        case UInt8(ascii: "u"):
            guard var code = unit(at: index) else { return nil }
            index += 4
            if (0xD800..<0xDC00).contains(code) {
                guard index + 2 <= text.endIndex, text[index] == UInt8(ascii: "\\"),
                    text[index + 1] == UInt8(ascii: "u"), let low = unit(at: index + 2),
                    (0xDC00..<0xE000).contains(low)
                else { return nil }
                index += 6
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { return nil }
            flush()
            result.append(scalar)
        default: return nil
        }
    }
    flush()
    return String(result)
}

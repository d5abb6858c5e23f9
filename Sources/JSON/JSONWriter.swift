/// Writes JSON straight into bytes. Members come out in the order in which they are written.
public struct JSONWriter {
    public var bytes: [UInt8] { buffer }
    @usableFromInline var buffer: [UInt8] = []
    @usableFromInline var needsComma = false

    /// Room for most documents here, so that they are not moved while they grow: a booking placed has
    /// some 970 bytes.
    private static let usualSize = 1000

    public init() {
        buffer.reserveCapacity(Self.usualSize)
    }

    /// Writes a whole document with `body`.
    public static func write(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        body(&writer)
        return writer.buffer
    }

    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    @inlinable public mutating func array<Element>(
        _ elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) -> Void
    ) {
        open(UInt8(ascii: "["))
        for element in elements { body(&self, element) }
        close(UInt8(ascii: "]"))
    }

    /// Writes a member's name; its value comes next.
    public mutating func name(_ name: StaticString) {
        separate()
        buffer.append(UInt8(ascii: "\""))
        buffer.append(
            contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        buffer.append(UInt8(ascii: "\""))
        buffer.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// The same for a name that is made while the program runs.
    public mutating func name(_ name: String) {
        value(name)
        buffer.append(UInt8(ascii: ":"))
        needsComma = false
    }

    public mutating func null() { raw("null") }
    public mutating func value(_ value: Bool) { raw(value ? "true" : "false") }

    public mutating func value(_ number: Int64) {
        separate()
        if number < 0 { buffer.append(UInt8(ascii: "-")) }
        appendDigits(number.magnitude)
        needsComma = true
    }

    public mutating func value(_ number: Int) { value(Int64(number)) }

    public mutating func value(_ text: String) {
        separate()
        buffer.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { appendEscaped($0) }
        buffer.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Writes a string whose bytes need no escapes.
    public mutating func value(plain ascii: [UInt8]) {
        ascii.withUnsafeBufferPointer { value(plain: $0) }
    }

    public mutating func value(plain ascii: UnsafeBufferPointer<UInt8>) {
        separate()
        buffer.append(UInt8(ascii: "\""))
        buffer.append(contentsOf: ascii)
        buffer.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Writes a value that is JSON already.
    public mutating func value(json: some Sequence<UInt8>) {
        separate()
        buffer.append(contentsOf: json)
        needsComma = true
    }

    // MARK: Members in one call; nil is an explicit null.

    public mutating func field(_ name: StaticString, _ value: String?) {
        self.name(name)
        if let value { self.value(value) } else { null() }
    }

    public mutating func field(_ name: StaticString, _ number: Int64?) {
        self.name(name)
        if let number { value(number) } else { null() }
    }

    public mutating func field(_ name: StaticString, _ number: Int?) {
        field(name, number.map { Int64($0) })
    }

    public mutating func field(_ name: StaticString, _ value: Bool) {
        self.name(name)
        self.value(value)
    }

    public mutating func field(_ name: StaticString, plain ascii: [UInt8]?) {
        self.name(name)
        if let ascii { value(plain: ascii) } else { null() }
    }

    public mutating func field(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        object(body)
    }

    @inlinable public mutating func field<Element>(
        _ name: StaticString, _ elements: some Sequence<Element>,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        self.name(name)
        array(elements, body)
    }

    // MARK: Bytes

    @usableFromInline mutating func open(_ bracket: UInt8) {
        separate()
        buffer.append(bracket)
        needsComma = false
    }

    @usableFromInline mutating func close(_ bracket: UInt8) {
        buffer.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { buffer.append(UInt8(ascii: ",")) }
    }

    private mutating func raw(_ word: StaticString) {
        separate()
        buffer.append(
            contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        needsComma = true
    }

    private mutating func appendDigits(_ number: UInt64) {
        if number >= 10 { appendDigits(number / 10) }
        buffer.append(UInt8(48 + number % 10))
    }

    private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        while start < text.count {
            let end = endOfPlainText(in: text, from: start)
            buffer.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end]))
            if end < text.count { appendEscaped(text[end]) }
            start = end + 1
        }
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            buffer.append(UInt8(ascii: "\\"))
            buffer.append(byte)
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            buffer.append(contentsOf: "\\u00".utf8)
            buffer.append(digits[Int(byte >> 4)])
            buffer.append(digits[Int(byte & 15)])
        default: buffer.append(byte)
        }
    }
}

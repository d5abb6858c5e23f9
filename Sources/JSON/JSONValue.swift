/// One value of a document. Asking it for what it is not throws an error that names its place.
public struct JSONValue: Sendable {
    @usableFromInline let document: JSONDocument
    @usableFromInline let index: Int

    @usableFromInline var token: JSONDocument.Token { document.tokens[index] }

    public var isNull: Bool { token.kind == .null }

    public func object() throws(JSONError) -> JSONObject {
        guard token.kind == .object else { throw fault("must be an object") }
        return JSONObject(self)
    }

    public func array() throws(JSONError) -> [JSONValue] {
        guard token.kind == .array else { throw fault("must be an array") }
        return document.children(of: index).map { JSONValue(document: document, index: $0) }
    }

    public func string() throws(JSONError) -> String {
        guard token.kind == .string || token.kind == .escapedString else {
            throw fault("must be a string")
        }
        return rawString
    }

    /// Lends the bytes of a string that has no escapes; nil for anything else.
    @inlinable public func withPlainString<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R? {
        guard token.kind == .string else { return nil }
        return document.bytes.withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[Int(token.start)..<Int(token.end)]))
        }
    }

    public func bool() throws(JSONError) -> Bool {
        switch token.kind {
        case .true: return true
        case .false: return false
        default: throw fault("must be true or false")
        }
    }

    /// A whole number that fits 64 bits; `1.0` and `1e3` are not written as one.
    public func integer() throws(JSONError) -> Int {
        guard token.kind == .number else { throw fault("must be a whole number") }
        var magnitude = 0
        var isNegative = false
        for byte in document.bytes[Int(token.start)..<Int(token.end)] {
            if byte == UInt8(ascii: "-") {
                isNegative = true
                continue
            }
            guard (48...57).contains(byte) else { throw fault("must be a whole number") }
            let (product, isTooLarge) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, isOver) = product.addingReportingOverflow(Int(byte - 48))
            guard !isTooLarge, !isOver else { throw fault("is too large a number") }
            magnitude = sum
        }
        return isNegative ? -magnitude : magnitude
    }

    /// The value as it stands in the text.
    public var source: ArraySlice<UInt8> {
        let quote = token.kind == .string || token.kind == .escapedString ? 1 : 0
        return document.bytes[Int(token.start) - quote..<Int(token.end) + quote]
    }

    /// An error about this value.
    public func fault(_ reason: String) -> JSONError {
        JSONError(path: document.path(to: index), reason: reason)
    }

    var rawString: String {
        let text = document.bytes[Int(token.start)..<Int(token.end)]
        if token.kind == .escapedString { return unescaped(text) ?? "" }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The members of an object, looked up by name.
public struct JSONObject: Sendable {
    public let value: JSONValue

    fileprivate init(_ value: JSONValue) {
        self.value = value
    }

    /// The member, or nil when it is absent or null.
    public func optional(_ name: StaticString) -> JSONValue? {
        guard let member = find(name), !member.isNull else { return nil }
        return member
    }

    public subscript(name: StaticString) -> JSONValue {
        get throws(JSONError) {
            guard let member = find(name) else {
                let path = value.fault("").path
                throw JSONError(
                    path: path.isEmpty ? "\(name)" : "\(path).\(name)", reason: "is missing")
            }
            return member
        }
    }

    /// Refuses an object that has members of other names.
    public func allow(only names: [String]) throws(JSONError) {
        for key in keys {
            let name = value.document.text(of: key)
            // Fields are looked up as they are written, and one that is written otherwise would be passed over.
            guard names.contains(name), value.document.tokens[key].kind == .string else {
                let known = names.isEmpty ? "none" : names.joined(separator: ", ")
                throw JSONValue(document: value.document, index: key)
                    .fault("is not a field here; there are \(known)")
            }
        }
    }

    /// Names and values, in the order of the text.
    public var members: [(name: String, value: JSONValue)] {
        keys.map {
            (value.document.text(of: $0), JSONValue(document: value.document, index: $0 + 1))
        }
    }

    /// The way from the root to the one value anywhere in the text that is this string, in whatever case; nil where
    /// there is none, or more than one.
    public func onlyPath(toText text: String) -> String? {
        let document = value.document
        let wanted = text.lowercased()
        let keys = document.tokens.indices.filter { document.tokens[$0].kind == .object }.flatMap {
            JSONObject(JSONValue(document: document, index: $0)).keys
        }
        let found = document.tokens.indices.filter { index in
            let kind = document.tokens[index].kind
            return (kind == .string || kind == .escapedString) && !keys.contains(index)
                && document.text(of: index).lowercased() == wanted
        }
        return found.count == 1 ? document.path(to: found[0]) : nil
    }

    private var keys: [Int] {
        let children = value.document.children(of: value.index)
        return stride(from: 0, to: children.count, by: 2).map { children[$0] }
    }

    private func find(_ name: StaticString) -> JSONValue? {
        let document = value.document
        return document.tokens.withUnsafeBufferPointer { tokens in
            document.bytes.withUnsafeBufferPointer { bytes in
                let length = Int32(name.utf8CodeUnitCount)
                var key = value.index + 1
                let end = Int(tokens[value.index].next)
                while key < end {
                    let token = tokens[key]
                    if token.end - token.start == length,
                        equal(bytes.baseAddress! + Int(token.start), name.utf8Start, Int(length))
                    {
                        return JSONValue(document: document, index: key + 1)
                    }
                    key = Int(tokens[key + 1].next)
                }
                return nil
            }
        }
    }
}

func equal(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int)
    -> Bool
{
    for index in 0..<count where left[index] != right[index] { return false }
    return true
}

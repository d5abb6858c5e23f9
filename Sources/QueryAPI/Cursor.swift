internal import Domain
internal import Web

/// Where the next page begins: the sort value and the id of the last row shown.
///
/// Opaque to callers: hexadecimal of the value, an underscore, the id.
struct Cursor {
    let value: String
    let id: EntityID

    init(_ value: String, _ id: EntityID) {
        self.value = value
        self.id = id
    }

    init(_ instant: Instant, _ id: EntityID) {
        self.init(String(instant.microseconds), id)
    }

    /// nil for no cursor; throws for what was never given out.
    init?(_ text: String?) throws(Problem) {
        guard let text else { return nil }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = EntityID(parts[1]), let value = Self.decode(parts[0])
        else {
            throw Self.fault
        }
        self.init(value, id)
    }

    var text: String {
        let digits = value.utf8.map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "\(digits.joined())_\(id)"
    }

    func string() throws(Problem) -> String { value }

    func instant() throws(Problem) -> Instant {
        // PostgreSQL's times end in the year 294276, and ours in 9999.
        guard let instant = Int64(value).map({ Instant(microseconds: $0) }), instant.isWritable
        else { throw Self.fault }
        return instant
    }

    static let fault = Problem.malformed(
        field: "cursor", "must be the 'next' of an answer to the same query")

    private static func decode(_ digits: Substring) -> String? {
        guard digits.utf8.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16), byte != 0 else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// The kinds of free text, and how long each may be, in characters.
public enum Text: Sendable {
    case label
    case name
    case email
    case phone
    case address
    case specialRequests
    case summary
    /// On several lines.
    case note

    public var characterLimit: Int {
        switch self {
        case .label: 64
        case .name: 128
        case .email: 254
        case .phone: 32
        case .address: 500
        case .specialRequests: 1000
        case .summary, .note: 2000
        }
    }

    /// What is wrong with `text` as a text of this kind; nil when nothing is.
    ///
    /// A text is not blank, has no control characters, and is no longer than its limit. Bytes are
    /// limited too (four a character on average), because one character may hold many scalars.
    public func fault(in text: String) -> String? {
        let byteCount = text.utf8.count
        if byteCount > characterLimit, byteCount > characterLimit * 4 || text.count > characterLimit
        {
            return "must be at most \(characterLimit) characters"
        }
        if text.allSatisfy(\.isWhitespace) { return "must not be blank" }
        let hasControl = text.unicodeScalars.contains { scalar in
            // Unicode's general category Cc, which never changes.
            (scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value))
                && !((self == .specialRequests || self == .note) && scalar == "\n")
        }
        return hasControl ? "must not contain control characters" : nil
    }
}

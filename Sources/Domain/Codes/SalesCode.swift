/// What a code is good for.
public enum CodeKind: String, Sendable, CaseIterable {
    /// Lowers a price.
    case discount
    /// Admits to an early sale.
    case access
}

/// What a customer types in to buy for less, or earlier than others.
///
/// 3 to 20 letters, digits and hyphens; case does not matter. A discount and an access code of the
/// same text are two things.
public struct SalesCode: Hashable, Sendable, CustomStringConvertible {
    public static let lengths = 3...20
    private static let alphabet = Array("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    public let kind: CodeKind
    /// In capitals.
    public let text: String

    /// nil when the text is too short or too long, or has other characters.
    public init?(_ kind: CodeKind, _ text: some StringProtocol) {
        let capitals = text.uppercased()
        guard Self.lengths.contains(capitals.utf8.count),
            capitals.utf8.allSatisfy({ Self.alphabet.contains($0) })
        else { return nil }
        self.kind = kind
        self.text = capitals
    }

    public var description: String { text }

    public var id: ID<SalesCode> { ID(entity) }

    /// The code as an entity, of its own for each kind and text: two bytes that say the kind, and the
    /// text as a number of base 38 (at most 105 bits), as a version 8 UUID.
    public var entity: EntityID {
        var number: UInt128 = 0
        for byte in text.utf8 {
            let digit = Self.alphabet.firstIndex(of: byte).map { $0 + 1 } ?? 0
            number = number * 38 + UInt128(digit)
        }
        let prefix: UInt64 =
            switch kind {
            case .discount: 0x4443
            case .access: 0x4143
            }
        let upper = UInt64(truncatingIfNeeded: number >> 62)
        return EntityID(
            customHigh: (prefix << 48) | ((upper >> 12) << 16) | (upper & 0xFFF),
            low: UInt64(truncatingIfNeeded: number))
    }
}

/// One use of a code by one booking.
public struct CodeUse: Hashable, Sendable {
    public var code: SalesCode
    /// By how much the price was lowered; zero for an access code.
    public var discount: Money

    public init(code: SalesCode, discount: Money) {
        self.code = code
        self.discount = discount
    }
}

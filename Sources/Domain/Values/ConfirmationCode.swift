/// What a customer reads out on the dock: 8 characters of 32 that don't look alike, 40 bits.
///
/// It is unique because placing a booking claims ``entity``, the code's own tag, in the log.
public struct ConfirmationCode: Hashable, Sendable, CustomStringConvertible {
    /// Digits and capitals without 0, 1, I and O.
    public static let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)
    public static let length = 8

    /// The 40 bits.
    public let bits: UInt64

    public static func random(
        using generator: inout some RandomNumberGenerator
    ) -> ConfirmationCode {
        ConfirmationCode(bits: generator.next() & 0xFF_FFFF_FFFF)
    }

    init(bits: UInt64) {
        self.bits = bits
    }

    /// Reads a code in either case; nil when it has another length or other characters.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let code = text.withUTF8({ ConfirmationCode(utf8: UnsafeRawBufferPointer($0)) })
        else { return nil }
        self = code
    }

    /// The same, from ASCII.
    public init?(utf8 text: UnsafeRawBufferPointer) {
        guard text.count == Self.length else { return nil }
        var bits: UInt64 = 0
        for byte in text {
            let capital = (97...122).contains(byte) ? byte - 32 : byte
            guard let digit = Self.alphabet.firstIndex(of: capital) else { return nil }
            bits = bits << 5 | UInt64(digit)
        }
        self.bits = bits
    }

    public var description: String {
        String(unsafeUninitializedCapacity: Self.length) { characters in
            for index in 0..<Self.length {
                let digit = Int(bits >> UInt64((Self.length - 1 - index) * 5) & 31)
                characters[index] = Self.alphabet[digit]
            }
            return Self.length
        }
    }

    /// The code as an entity: a fixed prefix and the 40 bits, as a version 8 UUID.
    public var entity: EntityID {
        EntityID(customHigh: 0x436F_6E66_436F_0000, low: bits)
    }
}

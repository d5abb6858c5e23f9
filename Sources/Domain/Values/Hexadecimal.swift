/// Hexadecimal digits, eight in one word: the log is full of ids, and is read as fast as they are.
///
/// Source of the method: H. S. Warren, "Hacker's Delight", arithmetic on the bytes of a word.
public enum Hexadecimal {
    private static let everyByte: UInt64 = 0x0101_0101_0101_0101

    /// The eight digits of a number in lower case, the first of them in the highest byte.
    public static func digits(of number: UInt32) -> UInt64 {
        var nibbles = UInt64(number)
        nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles << 4) & 0x0F0F_0F0F_0F0F_0F0F
        return ascii(nibbles)
    }

    /// The sixteen digits of each number, in lower case.
    public static func digits(of numbers: [UInt64]) -> String {
        String(unsafeUninitializedCapacity: numbers.count * 16) { text in
            let text = UnsafeMutableRawBufferPointer(text)
            for (index, number) in numbers.enumerated() {
                let (high, low) = (
                    digits(of: UInt32(truncatingIfNeeded: number >> 32)),
                    digits(of: UInt32(truncatingIfNeeded: number))
                )
                text.storeBytes(of: high.bigEndian, toByteOffset: index * 16, as: UInt64.self)
                text.storeBytes(of: low.bigEndian, toByteOffset: index * 16 + 8, as: UInt64.self)
            }
            return numbers.count * 16
        }
    }

    /// The number of eight digits, the first of them in the highest byte, in either case; nil when
    /// one of them is not a digit.
    public static func number(of digits: UInt64) -> UInt32? {
        let letters = digits >> 6 & everyByte
        var nibbles = (digits & (everyByte &* 0x0F)) &+ letters &* 9
        guard nibbles & (everyByte &* 0xF0) == 0, ascii(nibbles) == digits | letters << 5 else {
            return nil
        }
        nibbles = (nibbles | nibbles >> 4) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles >> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: nibbles | nibbles >> 16)
    }

    /// One digit for each byte of a word of values below 16.
    private static func ascii(_ nibbles: UInt64) -> UInt64 {
        let letters = (nibbles &+ everyByte &* 6) >> 4 & everyByte
        return nibbles &+ everyByte &* 0x30 &+ letters &* 0x27
    }

    /// The digits of bytes, in lower case.
    public static func digits(of bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bytes.count * 2) { digits, count in
            bytes.withUnsafeBytes { bytes in
                let digits = UnsafeMutableRawBufferPointer(digits)
                for start in stride(from: 0, to: bytes.count, by: 4) {
                    let length = min(4, bytes.count - start)
                    var number: UInt32 = 0
                    for index in 0..<length {
                        number |= UInt32(bytes[start + index]) << UInt32(24 - 8 * index)
                    }
                    withUnsafeBytes(of: Self.digits(of: number).bigEndian) { word in
                        for index in 0..<2 * length { digits[2 * start + index] = word[index] }
                    }
                }
            }
            count = bytes.count * 2
        }
    }

    /// The bytes of digits in either case; nil when they are not an even number of digits.
    public static func bytes(of digits: UnsafeRawBufferPointer) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: digits.count / 2) { bytes, count in
            let bytes = UnsafeMutableRawBufferPointer(bytes)
            var start = 0
            while start + 8 <= digits.count, isValid {
                let word = digits.loadUnaligned(fromByteOffset: start, as: UInt64.self)
                let number = number(of: UInt64(bigEndian: word))
                bytes.storeBytes(
                    of: (number ?? 0).bigEndian, toByteOffset: start / 2, as: UInt32.self)
                isValid = number != nil
                start += 8
            }
            while start < digits.count, isValid {
                let pair = UInt64(digits[start]) << 8 | UInt64(digits[start + 1])
                let number = number(of: (everyByte &* 0x30) & ~0xFFFF | pair)
                bytes[start / 2] = UInt8(number ?? 0)
                isValid = number != nil
                start += 2
            }
            count = isValid ? digits.count / 2 : 0
        }
        return isValid ? bytes : nil
    }
}

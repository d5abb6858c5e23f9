/// The index of the first byte from `start` on that is a quote, a backslash, a control character or
/// not ASCII; the length of the text when there is none.
///
/// Most of a JSON text is inside strings, so it looks at eight bytes at a time. A byte's highest bit
/// is set in `marks` when it is one of those; a borrow can mark a byte wrongly, but only after the
/// first that is marked rightly.
/// Source of the method: H. S. Warren, "Hacker's Delight", finding the first byte of a value.
func endOfPlainText(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let everyByte: UInt64 = 0x0101_0101_0101_0101
    let bytes = UnsafeRawBufferPointer(text)
    var index = start
    while index + 8 <= bytes.count {
        let word = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let quotes = word ^ everyByte &* 0x22
        let backslashes = word ^ everyByte &* 0x5C
        let marks =
            (word | (word &- everyByte &* 0x20) & ~word | (quotes &- everyByte) & ~quotes
                | (backslashes &- everyByte) & ~backslashes) & (everyByte &* 0x80)
        if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
        index += 8
    }
    while index < bytes.count {
        let byte = bytes[index]
        if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C { break }
        index += 1
    }
    return index
}

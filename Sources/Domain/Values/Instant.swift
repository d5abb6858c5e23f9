/// A point in time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Instant: Hashable, Sendable, Comparable {
    public let microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.microseconds < right.microseconds
    }

    public static func + (left: Instant, right: TimeSpan) -> Instant {
        Instant(microseconds: left.microseconds + right.microseconds)
    }

    public static func - (left: Instant, right: TimeSpan) -> Instant {
        Instant(microseconds: left.microseconds - right.microseconds)
    }

    public static func - (left: Instant, right: Instant) -> TimeSpan {
        TimeSpan(microseconds: left.microseconds - right.microseconds)
    }
}

/// A length of time in microseconds.
public struct TimeSpan: Hashable, Sendable, Comparable {
    public let microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    public static func seconds(_ count: Int) -> TimeSpan {
        TimeSpan(microseconds: Int64(count) * 1_000_000)
    }

    public static func minutes(_ count: Int) -> TimeSpan { seconds(count * 60) }
    public static func hours(_ count: Int) -> TimeSpan { minutes(count * 60) }
    public static func days(_ count: Int) -> TimeSpan { hours(count * 24) }

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool {
        left.microseconds < right.microseconds
    }
}

// MARK: RFC 3339

extension Instant: CustomStringConvertible {
    /// RFC 3339 in UTC, with a fraction only where there is one: `2026-11-22T17:30:00Z`.
    public var description: String { String(decoding: utf8, as: UTF8.self) }

    /// The same as ``description``, in ASCII.
    public var utf8: [UInt8] {
        let day = floorDivide(microseconds, 86_400_000_000)
        let rest = microseconds - day * 86_400_000_000
        let date = CivilDate(daysSince1970: day)
        let seconds = rest / 1_000_000
        var text: [UInt8] = []
        text.reserveCapacity(27)
        append(Int64(date.year), width: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        append(Int64(date.month), width: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        append(Int64(date.day), width: 2, to: &text)
        text.append(UInt8(ascii: "T"))
        append(seconds / 3600, width: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(seconds / 60 % 60, width: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(seconds % 60, width: 2, to: &text)
        appendFraction(rest % 1_000_000, to: &text)
        text.append(UInt8(ascii: "Z"))
        return text
    }

    /// Reads RFC 3339 with a zone; digits past the microsecond are cut off.
    ///
    /// A leap second (`:60`) is read as the second after it. What lies outside the years 0001 to 9999 of
    /// UTC is nil, for it could not be written down. So is a time without a zone: nobody can know which
    /// instant it means.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let instant = text.withUTF8({ Instant(utf8: UnsafeRawBufferPointer($0)) }) else {
            return nil
        }
        self = instant
    }

    /// The beginning of the year 0001 of UTC: the first that can be written down.
    public static let earliest = Instant(microseconds: -62_135_596_800_000_000)

    /// Whether it can be written down and read back: it lies in the years 0001 to 9999 of UTC.
    public var isWritable: Bool {
        (Self.earliest.microseconds..<253_402_300_800_000_000).contains(microseconds)
    }

    /// The same, from ASCII.
    public init?(utf8 text: UnsafeRawBufferPointer) {
        var reader = DigitReader(text)
        guard let year = reader.number(4), year > 0, reader.take("-"),
            let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("T") || reader.take("t") || reader.take(" "),
            let date = CivilDate(year: year, month: month, day: day),
            let hour = reader.number(2), hour < 24, reader.take(":"),
            let minute = reader.number(2), minute < 60, reader.take(":"),
            let second = reader.number(2), second <= 60,
            let fraction = reader.fraction(), let offset = reader.offsetMinutes(), reader.isAtEnd
        else { return nil }
        let minutes = Int64(hour) * 60 + Int64(minute) - Int64(offset)
        let seconds = date.daysSince1970 * 86_400 + minutes * 60 + Int64(second)
        self.init(microseconds: seconds * 1_000_000 + fraction)
        guard isWritable else { return nil }
    }
}

/// A day of the proleptic Gregorian calendar.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
public struct CivilDate: Hashable, Sendable {
    public let year: Int
    public let month: Int
    public let day: Int

    /// nil when there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[month - 1] else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// Reads `YYYY-MM-DD`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.count == 10, parts.count == 3, parts[0].utf8.count == 4,
            parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// As `YYYY-MM-DD`.
    public var text: String {
        var text: [UInt8] = []
        append(Int64(year), width: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        append(Int64(month), width: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        append(Int64(day), width: 2, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    public init(daysSince1970 days: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    public var daysSince1970: Int64 {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let era = floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let shiftedMonth = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
}

private func append(_ number: Int64, width: Int, to text: inout [UInt8]) {
    var divisor: Int64 = 1
    for _ in 1..<width { divisor *= 10 }
    for _ in 0..<width {
        text.append(UInt8(48 + number / divisor % 10))
        divisor /= 10
    }
}

private func appendFraction(_ microseconds: Int64, to text: inout [UInt8]) {
    guard microseconds > 0 else { return }
    text.append(UInt8(ascii: "."))
    append(microseconds, width: 6, to: &text)
    while text.last == UInt8(ascii: "0") { text.removeLast() }
}

/// Takes fixed-width numbers and marks off the front of a text.
/// It lives no longer than the text is lent.
private struct DigitReader {
    private let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    var isAtEnd: Bool { position == text.count }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }

    mutating func number(_ width: Int) -> Int? {
        guard position + width <= text.count else { return nil }
        var value = 0
        for _ in 0..<width {
            guard (48...57).contains(text[position]) else { return nil }
            value = value * 10 + Int(text[position] - 48)
            position += 1
        }
        return value
    }

    /// Microseconds; 0 where there is no fraction, nil where it has no digits.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        var value: Int64 = 0
        var digitCount = 0
        while position < text.count, (48...57).contains(text[position]) {
            if digitCount < 6 { value = value * 10 + Int64(text[position] - 48) }
            digitCount += 1
            position += 1
        }
        guard (1...30).contains(digitCount) else { return nil }
        for _ in min(digitCount, 6)..<6 { value *= 10 }
        return value
    }

    mutating func offsetMinutes() -> Int? {
        if take("Z") || take("z") { return 0 }
        let isNegative = take("-")
        guard isNegative || take("+") else { return nil }
        guard let hours = number(2), hours < 24, take(":"), let minutes = number(2), minutes < 60
        else { return nil }
        return (isNegative ? -1 : 1) * (hours * 60 + minutes)
    }
}

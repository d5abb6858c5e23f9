/// A UUID: the identity of an entity, and its tag in the log.
///
/// Ids are unique across kinds, so one id names one thing, whatever its kind.
/// Source: RFC 9562.
public struct EntityID: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a version 8 (custom) UUID of 122 bits that the caller drew or derived.
    public init(customHigh high: UInt64, low: UInt64) {
        self.high = (high & 0xFFFF_FFFF_FFFF_0FFF) | 0x8000
        self.low = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
    }

    /// Draws a version 4 UUID.
    public static func random(using generator: inout some RandomNumberGenerator) -> EntityID {
        EntityID(
            high: (generator.next() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000,
            low: (generator.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000)
    }

    /// Draws a version 7 UUID: such ids grow with time, so rows that are added together lie together
    /// in an index.
    public static func drawn(
        at now: Instant, using generator: inout some RandomNumberGenerator
    ) -> EntityID {
        let (milliseconds, rest) = now.microseconds.quotientAndRemainder(dividingBy: 1000)
        let fraction = UInt64(max(0, rest)) * 4096 / 1000
        let random: UInt64 = generator.next()
        return EntityID(
            high: UInt64(bitPattern: milliseconds) << 16 | 0x7000 | fraction,
            low: (random & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000)
    }

    /// Reads the canonical form of 36 characters, in either case; nil when it is not one.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        let parsed = text.withUTF8 { EntityID(utf8: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads the canonical form of 36 bytes of ASCII; nil when it is not one.
    public init?(utf8 text: UnsafeRawBufferPointer) {
        guard text.count == 36 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        var digitCount = 0
        for index in 0..<36 {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard text[index] == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = hexDigit(text[index]) else { return nil }
            if digitCount < 16 {
                halves.0 = halves.0 << 4 | digit
            } else {
                halves.1 = halves.1 << 4 | digit
            }
            digitCount += 1
        }
        self.init(high: halves.0, low: halves.1)
    }

    /// The 16 bytes in network order.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            for index in 0..<8 {
                buffer[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - index * 8))
                buffer[index + 8] = UInt8(truncatingIfNeeded: low >> UInt64(56 - index * 8))
            }
            count = 16
        }
    }

    /// Reads 16 bytes in network order; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.enumerated() {
            if index < 8 {
                halves.0 = halves.0 << 8 | UInt64(byte)
            } else {
                halves.1 = halves.1 << 8 | UInt64(byte)
            }
        }
        self.init(high: halves.0, low: halves.1)
    }

    /// The canonical form in ASCII: 36 bytes, lower case.
    public var utf8: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 36) { buffer, count in
            var digit = 0
            for index in 0..<36 {
                if index == 8 || index == 13 || index == 18 || index == 23 {
                    buffer[index] = UInt8(ascii: "-")
                    continue
                }
                let half = digit < 16 ? high : low
                let nibble = (half >> UInt64((15 - digit % 16) * 4)) & 0xF
                buffer[index] = UInt8(nibble < 10 ? 48 + nibble : 87 + nibble)
                digit += 1
            }
            count = 36
        }
    }
}

extension EntityID: CustomStringConvertible, Comparable {
    public var description: String { String(decoding: utf8, as: UTF8.self) }

    public static func < (left: EntityID, right: EntityID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

private func hexDigit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte) - 48
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte) - 87
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte) - 55
    default: nil
    }
}

/// An entity's id that remembers of what kind the entity is.
public struct ID<Kind>: Hashable, Sendable, CustomStringConvertible {
    public let entity: EntityID

    public init(_ entity: EntityID) {
        self.entity = entity
    }

    public var description: String { entity.description }
}

/// The kinds of entity, as names for ``ID``.
public enum Kind {
    public enum Location: Sendable {}
    public enum Jurisdiction: Sendable {}
    public enum Provider: Sendable {}
    public enum Boat: Sendable {}
    public enum Launch: Sendable {}
    public enum Mission: Sendable {}
    public enum Trip: Sendable {}
    public enum Sailing: Sendable {}
    public enum TicketType: Sendable {}
    public enum Booking: Sendable {}
    public enum Customer: Sendable {}
}

public typealias LocationID = ID<Kind.Location>
public typealias JurisdictionID = ID<Kind.Jurisdiction>
public typealias ProviderID = ID<Kind.Provider>
public typealias BoatID = ID<Kind.Boat>
public typealias LaunchID = ID<Kind.Launch>
public typealias MissionID = ID<Kind.Mission>
public typealias TripID = ID<Kind.Trip>
public typealias SailingID = ID<Kind.Sailing>
public typealias TicketTypeID = ID<Kind.TicketType>
public typealias BookingID = ID<Kind.Booking>
public typealias CustomerID = ID<Kind.Customer>

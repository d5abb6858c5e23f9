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

    /// Makes a version 8 (custom) UUID of the first 16 bytes of a digest: the same for the same, whoever asks.
    public init(ofDigest digest: some Sequence<UInt8>) {
        guard let id = EntityID(bytes: Array(digest.prefix(16))) else {
            preconditionFailure("a digest has 16 bytes and more")
        }
        self.init(customHigh: id.high, low: id.low)
    }

    /// Whether it is of version 8, as those are that the program makes of something else.
    public var isMade: Bool { high & 0xF000 == 0x8000 }

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
        let dash = UInt8(ascii: "-")
        guard text[8] == dash, text[13] == dash, text[18] == dash, text[23] == dash else {
            return nil
        }
        func half(_ start: Int) -> UInt64 {
            UInt64(UInt32(bigEndian: text.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
        }
        func whole(_ start: Int) -> UInt64 {
            UInt64(bigEndian: text.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        }
        guard let first = Hexadecimal.number(of: whole(0)),
            let second = Hexadecimal.number(of: half(9) << 32 | half(14)),
            let third = Hexadecimal.number(of: half(19) << 32 | half(24)),
            let fourth = Hexadecimal.number(of: whole(28))
        else { return nil }
        self.init(
            high: UInt64(first) << 32 | UInt64(second), low: UInt64(third) << 32 | UInt64(fourth))
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

    /// Lends the canonical form in ASCII: 36 bytes, lower case.
    public func withUTF8(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { text in
            let bytes = UnsafeMutableRawBufferPointer(text)
            func put(_ word: UInt64, _ start: Int) {
                bytes.storeBytes(of: word.bigEndian, toByteOffset: start, as: UInt64.self)
            }
            func put(half word: UInt64, _ start: Int) {
                let half = UInt32(truncatingIfNeeded: word)
                bytes.storeBytes(of: half.bigEndian, toByteOffset: start, as: UInt32.self)
            }
            let (second, third) = (
                Hexadecimal.digits(of: UInt32(truncatingIfNeeded: high)),
                Hexadecimal.digits(of: UInt32(truncatingIfNeeded: low >> 32))
            )
            put(Hexadecimal.digits(of: UInt32(truncatingIfNeeded: high >> 32)), 0)
            put(half: second >> 32, 9)
            put(half: second, 14)
            put(half: third >> 32, 19)
            put(half: third, 24)
            put(Hexadecimal.digits(of: UInt32(truncatingIfNeeded: low)), 28)
            let dash = UInt8(ascii: "-")
            (bytes[8], bytes[13], bytes[18], bytes[23]) = (dash, dash, dash, dash)
            body(UnsafeBufferPointer(text))
        }
    }
}

extension EntityID: CustomStringConvertible, Comparable {
    public var description: String {
        var text = ""
        withUTF8 { text = String(decoding: $0, as: UTF8.self) }
        return text
    }

    public static func < (left: EntityID, right: EntityID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
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
    public enum Payment: Sendable {}
    public enum Refund: Sendable {}
    public enum Merchandise: Sendable {}
    public enum Variation: Sendable {}
    public enum Offer: Sendable {}
    public enum Scan: Sendable {}
    public enum Account: Sendable {}
    public enum APIKey: Sendable {}
    public enum Log: Sendable {}
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
public typealias ScanID = ID<Kind.Scan>
public typealias AccountID = ID<Kind.Account>
public typealias APIKeyID = ID<Kind.APIKey>
public typealias LogID = ID<Kind.Log>
public typealias BookingID = ID<Kind.Booking>
public typealias CustomerID = ID<Kind.Customer>
public typealias PaymentID = ID<Kind.Payment>
public typealias RefundID = ID<Kind.Refund>
public typealias MerchandiseID = ID<Kind.Merchandise>
public typealias VariationID = ID<Kind.Variation>
public typealias OfferID = ID<Kind.Offer>

public import Domain
internal import JSON

/// An event as it stands in the log.
public struct StoredEvent: Hashable, Sendable {
    public var type: Int16
    public var schemaVersion: Int16
    /// JSON; kept to the byte, because the log's hash chain covers it.
    public var data: [UInt8]
    /// The ids by which the event is found, each once.
    public var tags: [EntityID]

    public init(type: Int16, schemaVersion: Int16, data: [UInt8], tags: [EntityID]) {
        self.type = type
        self.schemaVersion = schemaVersion
        self.data = data
        self.tags = tags
    }
}

/// An event that can't be read: of an unknown type or version, or with data that is not its own.
public struct EventCodecError: Error, Hashable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// With the name that the log has for it, where somebody has asked the log.
        case unknownType(Int16, name: String? = nil)
        case unknownVersion(EventType, Int16)
        case malformed(EventType, String)
    }

    public let kind: Kind

    public init(kind: Kind) {
        self.kind = kind
    }

    public var description: String {
        switch kind {
        case .unknownType(let type, nil): "event type \(type) is not known to this program"
        case .unknownType(let type, let name?):
            "\(name) (event type \(type)) is not known to this program"
        case .unknownVersion(let type, let version):
            "\(type.name) of schema version \(version) is not known to this program"
        case .malformed(let type, let reason): "\(type.name) can't be read: \(reason)"
        }
    }
}

/// Between events and what stands in the log: names, JSON, versions, tags.
public enum EventCodec {
    /// The version in which events of a type are written today. Older ones are read as well: ``Upcaster``
    /// makes them new, or what they lack has a value that says so.
    public static func schemaVersion(of type: EventType) -> Int16 {
        switch type {
        // 2: the country.
        case .locationAdded: 2
        // 2: the codes that a booking uses, and its merchandise. 3: the discount of each line,
        // and who sold it for a commission.
        case .bookingPlaced: 3
        // 2: when a scanner saw it.
        case .passengerCheckedIn, .checkInReverted: 2
        // 2: whether it is goodwill, and whether staff went past the cutoff.
        case .refundRequested: 2
        // 2: whether it was said before that it had arrived.
        case .refundFailed: 2
        // 2: how money was taken at the dock.
        case .paymentSucceeded: 2
        // 2: where the new history begins.
        case .logEpochBegun: 2
        case .holdExtended, .holdExpired, .bookingAbandoned, .bookingConfirmed,
            .bookingCancelled:
            2
        default: 1
        }
    }

    public static func encode(_ event: Event) -> StoredEvent {
        let data = JSONWriter.write { json in json.object { write(event, to: &$0) } }
        return StoredEvent(
            type: event.type.rawValue, schemaVersion: schemaVersion(of: event.type), data: data,
            tags: event.tags)
    }

    /// Reads any event ever stored.
    public static func decode(
        type code: Int16, schemaVersion version: Int16, data: [UInt8]
    ) throws(EventCodecError) -> Event {
        guard let type = EventType(rawValue: code) else {
            throw EventCodecError(kind: .unknownType(code))
        }
        guard (1...schemaVersion(of: type)).contains(version) else {
            throw EventCodecError(kind: .unknownVersion(type, version))
        }
        do throws(JSONError) {
            let current = schemaVersion(of: type)
            let data =
                version == current
                ? data : try Upcaster.upcast(data, of: type, from: version, to: current)
            return try read(type, from: JSONDocument(data).root.object())
        } catch {
            throw EventCodecError(kind: .malformed(type, error.description))
        }
    }
}

extension EventType {
    /// The name of the type in metadata, subjects and people's mouths: `BookingPlaced`.
    public var name: String { Self.names[Int(rawValue)] }

    /// By number; asking for the name of a case takes longer than all else that is done with it.
    private static let names: [String] = {
        let count = allCases.reduce(0) { max($0, Int($1.rawValue)) } + 1
        return (0..<count).map { number in
            guard let type = EventType(rawValue: Int16(number)) else { return "" }
            let text = String(describing: type)
            return text.prefix(1).uppercased() + text.dropFirst()
        }
    }()
}

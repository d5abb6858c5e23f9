public import Domain
internal import EventCodec
internal import EventLog
internal import JSON
internal import Postgres

/// The first line of an archive: which log it is of, and how far it goes.
public struct ArchiveHeader: Hashable, Sendable {
    public enum Content: String, Hashable, Sendable, CaseIterable {
        case log = "quartermaster-log"
        case customerKeys = "quartermaster-customer-keys"
    }

    /// The version of the format that this program writes, and the only one that there is.
    static let formatVersion = 1

    public var content: Content
    public var log: EntityID
    /// Of the log: the position of the last event. Of the keys: how many there are.
    public var count: Int64

    var line: [UInt8] {
        JSONWriter.write { json in
            json.object { json in
                json.field("format", content.rawValue)
                json.field("formatVersion", Self.formatVersion)
                json.name("log")
                json.value(log)
                json.field("count", count)
            }
        }
    }

    init(content: Content, log: EntityID, count: Int64) {
        self.content = content
        self.log = log
        self.count = count
    }

    init(_ line: [UInt8]) throws(JSONError) {
        let json = try JSONDocument(line).root.object()
        content = try json["format"].choice()
        let version = try json["formatVersion"].integer()
        guard version == Self.formatVersion else {
            throw try json["formatVersion"].fault("must be \(Self.formatVersion)")
        }
        log = try json["log"].id(Any.self).entity
        count = Int64(try json["count"].integer())
    }
}

/// What the log says of an event that the program can't read: its tags can't be made from what it says.
struct UnreadableEvent {
    var type: String
    var tags: [EntityID]

    /// Whether the name of its type is one as types have: letters and digits.
    var hasPlainType: Bool {
        !type.isEmpty
            && type.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                    || (0x61...0x7A).contains($0)
            }
    }

}

extension UnreadableEvent {
    /// nil where the line has no tags: its event could be read by who wrote it.
    init?(_ json: JSONObject) throws(JSONError) {
        guard let tags = json.optional("tags") else { return nil }
        self.init(
            type: try json["type"].string(),
            tags: try tags.list { value throws(JSONError) in try value.id(Any.self).entity })
    }
}

/// One event a line: everything that its row has, and `data` to the byte, so that hashes can be made anew.
extension ChainedEvent {
    /// Of one that can't be read, its tags as well.
    func line(_ unreadable: UnreadableEvent? = nil) -> [UInt8] {
        JSONWriter.write { json in
            json.object { json in
                json.field("position", event.position)
                json.field("recordedAt", Instant(microseconds: event.recordedAt))
                json.field("type", unreadable?.type ?? EventType(rawValue: event.type)?.name)
                json.field("typeCode", Int(event.type))
                json.field("schemaVersion", Int(event.schemaVersion))
                json.field("actor", event.actor)
                json.name("command")
                json.value(EntityID(event.commandID))
                json.name("correlation")
                json.value(EntityID(event.correlationID))
                json.field("causation", event.causationPosition)
                json.field(
                    "requestHash", plain: command.map { Hexadecimal.digits(of: $0.requestHash) })
                json.field("commandEnd", command?.end)
                json.field("hash", plain: Hexadecimal.digits(of: hash))
                if let tags = unreadable?.tags { json.field("tags", tags) { $0.value($1) } }
                json.name("data")
                json.value(json: event.data)
            }
        }
    }

    init(_ line: [UInt8]) throws(JSONError) {
        try self.init(JSONDocument(line).root.object())
    }

    init(_ json: JSONObject) throws(JSONError) {
        // Whoever reads the file goes by the name, which no hash is over.
        let name = EventType(rawValue: try json["typeCode"].smallInteger())?.name
        if let name, try json["type"].string() != name {
            throw try json["type"].fault("must be \(name)")
        }
        var command: Command?
        if let end = json.optional("commandEnd") {
            command = Command(
                requestHash: try json["requestHash"].hexadecimal(), end: Int64(try end.integer()))
        }
        self.init(
            event: LoggedEvent(
                position: Int64(try json["position"].integer()),
                recordedAt: try json["recordedAt"].instant().microseconds,
                commandID: PostgresUUID(try json["command"].id(Any.self).entity),
                correlationID: PostgresUUID(try json["correlation"].id(Any.self).entity),
                causationPosition: try json.optional("causation").map { value throws(JSONError) in
                    Int64(try value.integer())
                },
                type: try json["typeCode"].smallInteger(),
                schemaVersion: try json["schemaVersion"].smallInteger(),
                actor: try json["actor"].string(), data: Array(try json["data"].source)),
            command: command, hash: try json["hash"].hexadecimal())
    }
}

/// The key of one customer a line.
struct CustomerKeyLine {
    var customer: EntityID
    var key: [UInt8]

    var line: [UInt8] {
        JSONWriter.write { json in
            json.object { json in
                json.name("customer")
                json.value(customer)
                json.field("key", plain: Hexadecimal.digits(of: key))
            }
        }
    }

    init(customer: EntityID, key: [UInt8]) {
        self.customer = customer
        self.key = key
    }

    init(_ line: [UInt8]) throws(JSONError) {
        let json = try JSONDocument(line).root.object()
        customer = try json["customer"].id(Any.self).entity
        key = try json["key"].hexadecimal()
    }
}

extension JSONValue {
    func hexadecimal() throws(JSONError) -> [UInt8] {
        guard let bytes = withPlainString({ Hexadecimal.bytes(of: $0) }) ?? nil else {
            throw fault("must be hexadecimal digits")
        }
        return bytes
    }

    fileprivate func smallInteger() throws(JSONError) -> Int16 {
        guard let number = Int16(exactly: try integer()) else { throw fault("is out of range") }
        return number
    }
}

extension EntityID {
    init(_ id: PostgresUUID) { self.init(high: id.high, low: id.low) }
}

extension PostgresUUID {
    init(_ id: EntityID) { self.init(high: id.high, low: id.low) }
}

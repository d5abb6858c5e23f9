public import Domain
internal import EventCodec
internal import Foundation
internal import JSON

/// What stands beside a dump: what it holds, so that it can be checked without being restored, and held
/// against what was restored.
public struct BackupManifest: Hashable, Sendable {
    static let fileName = "manifest.json"
    static let dumpName = "database.dump"
    /// The version of the format that this program writes, and the only one that there is.
    static let formatVersion = 1

    public var createdAt: Instant
    /// Why it was made: by hand, or before a migration.
    public var reason: String
    public var log: EntityID
    public var head: Int64
    /// The chain's hash at the head; empty for an empty log.
    public var hash: [UInt8]
    /// The last migration that had been applied.
    public var schema: String
    public var size: Int64
    /// SHA-256 of the dump.
    public var checksum: [UInt8]

    var text: [UInt8] {
        JSONWriter.write { json in
            json.object { json in
                json.field("formatVersion", Self.formatVersion)
                json.field("createdAt", createdAt)
                json.field("reason", reason)
                json.name("log")
                json.value(log)
                json.field("head", head)
                json.field("hash", plain: Hexadecimal.digits(of: hash))
                json.field("schema", schema)
                json.field("size", size)
                json.field("checksum", plain: Hexadecimal.digits(of: checksum))
            }
        } + [0x0A]
    }

    init(
        createdAt: Instant, reason: String, log: EntityID, head: Int64, hash: [UInt8],
        schema: String, size: Int64, checksum: [UInt8]
    ) {
        self.createdAt = createdAt
        self.reason = reason
        self.log = log
        self.head = head
        self.hash = hash
        self.schema = schema
        self.size = size
        self.checksum = checksum
    }

    /// Reads that of a backup's folder. Throws ``BackupError``.
    init(in folder: String) throws(BackupError) {
        let path = "\(folder)/\(Self.fileName)"
        guard let text = FileManager.default.contents(atPath: path) else {
            throw BackupError("\(folder) is no backup: it has no \(Self.fileName)")
        }
        do throws(JSONError) {
            let json = try JSONDocument(Array(text)).root.object()
            let version = try json["formatVersion"].integer()
            guard version == Self.formatVersion else {
                throw try json["formatVersion"].fault("must be \(Self.formatVersion)")
            }
            func digits(_ name: StaticString) throws(JSONError) -> [UInt8] {
                guard let bytes = try json[name].withPlainString(Hexadecimal.bytes(of:)) ?? nil
                else {
                    throw try json[name].fault("must be hexadecimal")
                }
                return bytes
            }
            self.init(
                createdAt: try json["createdAt"].instant(), reason: try json["reason"].string(),
                log: try json["log"].id(Any.self).entity,
                head: Int64(try json["head"].integer()), hash: try digits("hash"),
                schema: try json["schema"].string(), size: Int64(try json["size"].integer()),
                checksum: try digits("checksum"))
        } catch {
            throw BackupError("\(path): \(error)")
        }
    }
}

/// What lies among backups and is none that can be used.
public struct DamagedBackup: Hashable, Sendable, CustomStringConvertible {
    public var folder: String
    public var reason: String

    public var description: String { reason }
}

/// A backup can't be made, used or trusted: in one sentence, why.
public struct BackupError: Error, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

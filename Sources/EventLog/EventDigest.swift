internal import Crypto
internal import Postgres

/// What an event says, but for its place in the log: the part of its hash that is known before it is
/// appended. See `log.append` in the schema for the order of the fields.
struct EventDigest {
    var commandID: PostgresUUID
    var correlationID: PostgresUUID
    var causationPosition: Int64?
    /// Nothing but in the first event of a command.
    var requestHash: [UInt8]
    var type: Int16
    var schemaVersion: Int16
    var actor: String

    /// SHA-256, 32 bytes.
    func over(_ data: [UInt8]) -> [UInt8] {
        var head = PostgresFields(capacity: 160)
        head.append(commandID)
        head.append(correlationID)
        head.append(causationPosition ?? 0)
        head.append(type)
        head.append(schemaVersion)
        head.append(requestHash)
        head.append(actor)
        var digest = SHA256()
        head.contents.withUnsafeBytes { digest.update(bufferPointer: $0) }
        data.withUnsafeBytes { digest.update(bufferPointer: $0) }
        return Array(digest.finalize())
    }
}

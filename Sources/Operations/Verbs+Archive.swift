internal import Archive
internal import Crypto
internal import Domain
internal import EventCodec
internal import EventLog
internal import Foundation
internal import ProjectionEngine
internal import Projections
internal import Web

/// The log as a file, and what is signed about it.
extension Verbs {
    /// Writes the log to a compressed file, and customers' keys to another where one is named.
    public func export(to path: String, upTo end: Int64?, customerKeys keysPath: String?)
        async throws
    {
        if let end, end < 1 { throw OperationError("--until must be 1 or more, and not \(end)") }
        guard path != keysPath else {
            throw OperationError("keys go into a file of their own: \(path) is that of the log")
        }
        for path in [path, keysPath].compactMap({ $0 })
        where FileManager.default.fileExists(atPath: path) {
            throw OperationError("\(path) is there already: nothing was exported")
        }
        let log = connections.log(1)
        let meter = Meter(Meter.Style(isJSON: false))
        let last = min(end ?? .max, try await log.head())
        let position = try await LogArchive.export(log, to: path, upTo: end) {
            meter.tell("exporting", $0, of: last)
        }
        meter.finish()
        say("exported \(counted(position, "event")) to \(path)")
        guard let keysPath else {
            say("names and addresses in it are sealed, and their keys are not in it: see --keys")
            return
        }
        let count = try await LogArchive.exportCustomerKeys(log, to: keysPath)
        say("exported \(count) customers' keys to \(keysPath): keep it apart, and secret")
    }

    /// Makes an empty log that of an archive, and builds the read models.
    public func importLog(_ path: String, customerKeys keysPath: String?) async throws {
        let meter = Meter(Meter.Style(isJSON: false))
        let head = try await LogArchive.restore(
            path, customerKeys: keysPath, to: connections.administrative
        ) { meter.tell("importing", $0, of: $1) }
        meter.finish()
        say("imported \(head) events from \(path)")
        try await rebuild(RebuildRequest([]))
    }

    /// Signs the head of the log and its hash; writes the seal to a file, or prints it.
    public func seal(to path: String?) async throws {
        let seal = try await Seal(
            headOf: connections.log(1), at: wallClock(), signingWith: try sealingKey())
        guard let path else { return say(String(decoding: seal.text, as: UTF8.self)) }
        // An earlier one proves what a later one does not.
        guard !FileManager.default.fileExists(atPath: path) else {
            throw OperationError("\(path) is there already: a seal is kept, and not replaced")
        }
        guard FileManager.default.createFile(atPath: path, contents: Data(seal.text + [0x0A]))
        else { throw OperationError("can't write \(path)") }
        say("sealed position \(seal.position) in \(path), with key \(seal.keyText)")
    }

    /// Made from the signing secret, so that there is one secret less to lose.
    private func sealingKey() throws -> Curve25519.Signing.PrivateKey {
        try SigningKeys(try place.knownSigningSecret()).key(for: "seal").withUnsafeBytes {
            try Curve25519.Signing.PrivateKey(rawRepresentation: Data($0))
        }
    }
}

func readSeal(_ path: String, _ key: String?) throws -> Seal {
    guard let text = FileManager.default.contents(atPath: path) else {
        throw OperationError("can't read \(path)")
    }
    return try Seal(Array(text), expectedKey: key)
}

func sealed(_ seal: Seal) -> String {
    "it is what was sealed at \(seal.sealedAt): position \(seal.position), key \(seal.keyText)"
}

/// Checks an archive without a database, and holds it against a seal where one is named; true when it is
/// sound.
public func verifyArchive(
    _ path: String, against sealPath: String?, key: String?, isJSON: Bool = false
) throws -> Bool {
    let seal = try sealPath.map { try readSeal($0, key) }
    var sealedHash: [UInt8]?
    let (header, broken) = try LogArchive.verify(path) { link in
        if link.event.position == seal?.position { sealedHash = link.hash }
    }
    var faults = broken.map(\.description)
    faults += [seal?.contradiction(log: header.log, hash: sealedHash)].compactMap { $0 }
    let findings = [
        "the archive is sound: \(header.count) events of log \(header.log), hash chain intact",
        seal.map(sealed),
    ].compactMap { $0 }
    return sayVerdict(faults, faults.isEmpty ? findings : [], isJSON: isJSON)
}

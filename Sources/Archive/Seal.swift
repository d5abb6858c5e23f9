public import Crypto
public import Domain
internal import EventCodec
public import EventLog
internal import JSON

/// A signed statement that a log had a certain hash at a certain position: so nothing before it can be
/// altered without being found. Kept where those who could alter the log can't alter it.
///
/// The signature is Ed25519 (RFC 8032) over the lines of ``signed``.
public struct Seal: Hashable, Sendable {
    public var log: EntityID
    public var position: Int64
    public var hash: [UInt8]
    public var sealedAt: Instant
    /// The public key, 32 bytes. Whoever checks a seal has to know that this is the right one.
    public var key: [UInt8]
    public var signature: [UInt8]

    /// Seals the head of a log; throws ``ArchiveError`` when the log is empty.
    public init(
        headOf log: EventLog, at now: Instant, signingWith key: Curve25519.Signing.PrivateKey
    ) async throws {
        let head = try await log.head()
        guard let hash = try await log.hash(at: head) else {
            throw ArchiveError("the log is empty: there is nothing to seal")
        }
        self.log = EntityID(try await log.identity())
        position = head
        self.hash = hash
        sealedAt = now
        self.key = Array(key.publicKey.rawRepresentation)
        signature = []
        signature = Array(try key.signature(for: signed))
    }

    /// Reads a stored seal; throws ``ArchiveError`` for what is none, and for one whose signature is not of
    /// its key, or whose key is not `expected`, in hexadecimal.
    public init(_ text: [UInt8], expectedKey expected: String? = nil) throws(ArchiveError) {
        do {
            let json = try JSONDocument(text).root.object()
            log = try json["log"].id(Any.self).entity
            position = Int64(try json["position"].integer())
            hash = try json["hash"].hexadecimal()
            sealedAt = try json["sealedAt"].instant()
            key = try json["key"].hexadecimal()
            signature = try json["signature"].hexadecimal()
        } catch {
            throw ArchiveError("this is no seal: \(error)")
        }
        let isValid =
            (try? Curve25519.Signing.PublicKey(rawRepresentation: key))?
            .isValidSignature(signature, for: signed) ?? false
        guard isValid else {
            throw ArchiveError("the seal's signature does not fit: it was altered")
        }
        guard expected.map({ $0.lowercased() == keyText }) ?? true else {
            throw ArchiveError("the seal is signed with another key, \(keyText)")
        }
    }

    /// The public key in hexadecimal.
    public var keyText: String { String(decoding: Hexadecimal.digits(of: key), as: UTF8.self) }

    public var text: [UInt8] {
        JSONWriter.write { json in
            json.object { json in
                json.field("format", "quartermaster-seal")
                json.name("log")
                json.value(log)
                json.field("position", position)
                json.field("hash", plain: Hexadecimal.digits(of: hash))
                json.field("sealedAt", sealedAt)
                json.field("key", plain: Hexadecimal.digits(of: key))
                json.field("signature", plain: Hexadecimal.digits(of: signature))
            }
        }
    }

    private var signed: [UInt8] {
        let hash = String(decoding: Hexadecimal.digits(of: hash), as: UTF8.self)
        return Array("quartermaster seal\n\(log)\n\(position)\n\(hash)\n\(sealedAt)\n".utf8)
    }

    /// What a log says against the seal; nil when it fits. The chain up to it has to be checked besides.
    public func contradiction(in log: EventLog) async throws -> String? {
        contradiction(
            log: EntityID(try await log.identity()), hash: try await log.hash(at: position))
    }

    /// The same of an archive: `hash` is that at the seal's position, nil where there is none.
    public func contradiction(log: EntityID, hash: [UInt8]?) -> String? {
        if log != self.log { return "the seal is of another log, \(self.log)" }
        guard let hash else { return "the log ends before position \(position), which is sealed" }
        return hash == self.hash
            ? nil
            : "position \(position): the hash is not the sealed one, so something before it was altered"
    }
}

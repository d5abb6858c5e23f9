internal import Crypto
public import Domain
internal import EventCodec
internal import JSON

/// The AES-256 key of one customer. Destroying it is how personal data is forgotten.
public struct CustomerKey: Sendable {
    private let key: SymmetricKey

    /// Draws a new key.
    public init() {
        key = SymmetricKey(size: .bits256)
    }

    /// Takes a stored key; nil when it is not 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        key = SymmetricKey(data: bytes)
    }

    public var bytes: [UInt8] { key.withUnsafeBytes { Array($0) } }

    /// Encrypts with AES-256-GCM under a random nonce: nonce, ciphertext, tag.
    ///
    /// The customer's id is authenticated with it, so a sealed text can't be moved to another
    /// customer. Source: NIST SP 800-38D.
    public func seal(_ contact: Contact, of customer: CustomerID) -> Sealed {
        seal(JSONWriter.write { $0.write(contact) }, of: customer)
    }

    /// The same for what somebody wrote about the customer.
    public func seal(_ note: String, of customer: CustomerID) -> Sealed {
        seal(Array(note.utf8), of: customer)
    }

    private func seal(_ clear: [UInt8], of customer: CustomerID) -> Sealed {
        do {
            let box = try AES.GCM.seal(clear, using: key, authenticating: customer.entity.bytes)
            guard let combined = box.combined else { preconditionFailure("GCM nonce of odd size") }
            return Sealed(bytes: Array(combined))
        } catch {
            preconditionFailure("AES-GCM refused a 256-bit key: \(error)")
        }
    }

    /// Opens what was sealed for this customer; nil when this is not its key or it was altered.
    public func open(_ sealed: Sealed, of customer: CustomerID) -> Contact? {
        guard let clear = clear(sealed, of: customer) else { return nil }
        return try? Contact(JSONDocument(clear).root.object())
    }

    public func openNote(_ sealed: Sealed, of customer: CustomerID) -> String? {
        clear(sealed, of: customer).map { String(decoding: $0, as: UTF8.self) }
    }

    private func clear(_ sealed: Sealed, of customer: CustomerID) -> [UInt8]? {
        do {
            let box = try AES.GCM.SealedBox(combined: sealed.bytes)
            return Array(try AES.GCM.open(box, using: key, authenticating: customer.entity.bytes))
        } catch {
            return nil
        }
    }
}

internal import CNATS
internal import Glibc

/// One message, copied out of libnats or on its way into it.
public struct BusMessage: Sendable {
    public var subject: String
    /// In the order in which they are to be written; names are case-sensitive.
    public var headers: [(name: String, value: String)]
    public var payload: [UInt8]

    public init(
        subject: String, headers: [(name: String, value: String)] = [], payload: [UInt8]
    ) {
        self.subject = subject
        self.headers = headers
        self.payload = payload
    }

    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

extension BusMessage {
    /// Copies everything, so that the message can be destroyed.
    init(copying message: OpaquePointer) {
        subject = String(cString: natsMsg_GetSubject(message))
        let start = natsMsg_GetData(message)
        let length = Int(natsMsg_GetDataLength(message))
        payload = Array(UnsafeRawBufferPointer(start: start, count: length))
        headers = []
        var names: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        var count: CInt = 0
        guard natsMsgHeader_Keys(message, &names, &count) == NATS_OK, let names else { return }
        // "The caller is responsible for freeing the array, but not the keys" (nats.h).
        defer { free(names) }
        for index in 0..<Int(count) {
            var value: UnsafePointer<CChar>?
            guard let name = names[index], natsMsgHeader_Get(message, name, &value) == NATS_OK,
                let value
            else { continue }
            headers.append((String(cString: name), String(cString: value)))
        }
    }

    /// Makes the C message; the caller owns it.
    func makeMessage() throws(BusError) -> OpaquePointer {
        var message: OpaquePointer?
        let status = payload.withUnsafeBytes {
            natsMsg_Create(&message, subject, nil, $0.baseAddress, CInt($0.count))
        }
        guard status == NATS_OK, let message else { throw BusError(status) }
        for header in headers {
            let status = natsMsgHeader_Set(message, header.name, header.value)
            guard status == NATS_OK else {
                natsMsg_Destroy(message)
                throw BusError(status)
            }
        }
        return message
    }
}

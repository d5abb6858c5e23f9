internal import CNATS

/// What went wrong on the bus: callers switch on ``kind``, people read the rest.
public struct BusError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// There is no link to the server.
        case unreachable
        /// No answer came in time. What was published may or may not be in the stream.
        case timedOut
        /// The stream's last sequence is not the one that the publisher expected.
        case wrongLastSequence
        case notFound
        case closed
        case other(status: Int)
    }

    public let kind: Kind
    public let message: String

    public init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }

    /// libnats keeps its last error per thread: made at once, on the thread that called it.
    init(_ status: natsStatus, code: jsErrCode = jsErrCode(0)) {
        kind =
            switch (code, status) {
            case (JSStreamWrongLastSequenceErr, _): .wrongLastSequence
            case (JSStreamNotFoundErr, _), (JSNoMessageFoundErr, _), (_, NATS_NOT_FOUND): .notFound
            case (_, NATS_TIMEOUT): .timedOut
            case (_, NATS_CONNECTION_CLOSED), (_, NATS_CONNECTION_DISCONNECTED),
                (_, NATS_NO_SERVER), (_, NATS_NO_RESPONDERS), (_, NATS_STALE_CONNECTION),
                (_, NATS_IO_ERROR):
                .unreachable
            default: .other(status: Int(status.rawValue))
            }
        let text = String(cString: natsStatus_GetText(status))
        message = code.rawValue == 0 ? text : "\(text) (JetStream error \(code.rawValue))"
    }
}

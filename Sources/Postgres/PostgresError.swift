internal import CPostgres

/// What went wrong: callers switch on ``kind``, people read the rest.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        case uniqueViolation(constraint: String)
        case checkViolation(constraint: String)
        /// `insufficient_privilege`.
        case notAllowed
        /// The same work may succeed when done again: a serialization failure or a deadlock.
        case retryable
        /// The statement ran longer than the server lets it.
        case timedOut
        /// An earlier statement of the same unit failed, so this one was skipped.
        case skipped
        /// There is no link to the server, and nothing was sent.
        case unreachable
        /// The link broke. A statement already sent may or may not have taken effect.
        case connectionLost
        case other(sqlState: String)
    }

    public let kind: Kind
    public let message: String

    public init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    /// Whether the server could not be asked, so that asking later may help.
    public var isConnectionFault: Bool { kind == .unreachable || kind == .connectionLost }

    /// Whether the server can't do such work now, whoever asks for what: it is read-only, out of disk or memory, told
    /// to stop, or its files are broken. Source: PostgreSQL's documentation, appendix A, classes 25, 53, 57 and 58.
    public var isServersFault: Bool {
        guard case .other(let state) = kind else { return false }
        return ["25", "53", "57", "58"].contains(state.prefix(2))
    }

    public var description: String {
        switch kind {
        case .uniqueViolation(let name), .checkViolation(let name): "\(message) (\(name))"
        case .other(let sqlState): "\(message) (SQLSTATE \(sqlState))"
        default: message
        }
    }
}

extension PostgresError {
    /// `PG_DIAG_SQLSTATE` ('C'), `PG_DIAG_CONSTRAINT_NAME` ('n') and `PG_DIAG_MESSAGE_PRIMARY`
    /// ('M') are character macros, which Swift can't import.
    init(result: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, CInt(code.value)).map { String(cString: $0) }
        }
        let sqlState = field("C") ?? ""
        let constraint = field("n") ?? ""
        kind =
            switch sqlState {
            case "23505": .uniqueViolation(constraint: constraint)
            case "23514": .checkViolation(constraint: constraint)
            case "42501": .notAllowed
            case "40001", "40P01": .retryable
            case "57014": .timedOut
            // The server is going down or not up yet: what was sent has been rolled back.
            case "57P01", "57P02", "57P03": .unreachable
            default: .other(sqlState: sqlState)
            }
        message = field("M") ?? "no message"
    }

    /// The connection's own last words; copied at once, because the next call changes them.
    init(kind: Kind, connection: OpaquePointer) {
        self.kind = kind
        var text = String(cString: PQerrorMessage(connection))
        while text.last?.isWhitespace == true { text.removeLast() }
        message = text.isEmpty ? "the connection to PostgreSQL failed" : text
    }
}

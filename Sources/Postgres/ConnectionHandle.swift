internal import CPostgres
internal import Glibc

/// The owner of a `PGconn`, which it closes exactly once, on the loop's thread.
///
/// `@unchecked Sendable`: the pointer is used on the loop's thread only, where `deinit` also sends
/// the closing; the socket is unwatched there before its number can be given to another.
final class ConnectionHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    private init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        let address = UInt(bitPattern: pointer)
        PostgresLoop.shared.perform {
            guard let pointer = OpaquePointer(bitPattern: address) else { return }
            let socket = PQsocket(pointer)
            if socket >= 0 { PostgresLoop.shared.unwatch(socket) }
            PQfinish(pointer)
        }
    }

    var socket: CInt { PQsocket(pointer) }

    /// What the URL, or libpq's `PGCONNECT_TIMEOUT`, says; nil where neither says so, or says that there is none.
    private var connectTimeout: Duration? {
        guard let options = PQconninfo(pointer) else { return nil }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if strcmp(keyword, "connect_timeout") == 0 {
                let seconds = option.pointee.val.flatMap { Int(String(cString: $0)) } ?? 0
                return seconds > 0 ? .seconds(seconds) : nil
            }
            option += 1
        }
        return nil
    }

    /// Connects without blocking the loop; the handle that failed is still owned, so it is freed.
    ///
    /// libpq resolves names with a blocking call, so `host` had better be an address or a socket
    /// folder. "PQconnectPoll has no timeout of its own": the limit is ours.
    static func connect(
        _ configuration: PostgresConfiguration, isolation: isolated (any Actor)? = #isolation
    ) async throws(PostgresError) -> ConnectionHandle {
        guard let pointer = PQconnectStart(configuration.connectionString) else {
            preconditionFailure("PQconnectStart: out of memory")
        }
        let handle = ConnectionHandle(pointer)
        let limit = handle.connectTimeout ?? configuration.connectTimeout
        let deadline = ContinuousClock.now + limit
        var wants = PGRES_POLLING_WRITING
        while wants != PGRES_POLLING_OK {
            guard wants != PGRES_POLLING_FAILED, PQstatus(pointer) != CONNECTION_BAD else {
                throw PostgresError(kind: .unreachable, connection: pointer)
            }
            let events = wants == PGRES_POLLING_READING ? POLLIN : POLLOUT
            guard
                await PostgresLoop.shared.readiness(
                    of: handle.socket, for: events, until: deadline)
            else {
                throw PostgresError(
                    kind: .unreachable,
                    message: "PostgreSQL did not answer within \(limit)")
            }
            wants = PQconnectPoll(pointer)
        }
        guard PQsetnonblocking(pointer, 1) == 0 else {
            throw PostgresError(kind: .unreachable, connection: pointer)
        }
        return handle
    }
}

/// Where the server is, and how long to wait for it.
public struct PostgresConfiguration: Sendable {
    /// A libpq connection URI or keyword string.
    public var url: String
    public var applicationName: String
    /// How long a server may take to answer, where the URL has no `connect_timeout` of its own.
    public var connectTimeout: Duration
    /// The server ends a statement that runs longer; zero means no limit.
    public var statementTimeout: Duration
    /// How long the server may be silent while something is to be answered, before the link is given up: a server that
    /// hangs ends no statement, nor does it break the link. Zero means no limit.
    public var answerTimeout: Duration
    /// Further settings of the session, such as `synchronous_commit`.
    public var settings: [String: String]

    public init(
        url: String, applicationName: String = "quartermaster",
        connectTimeout: Duration = .seconds(5), statementTimeout: Duration = .seconds(30),
        answerTimeout: Duration = .seconds(35), settings: [String: String] = [:]
    ) {
        self.url = url
        self.applicationName = applicationName
        self.connectTimeout = connectTimeout
        self.statementTimeout = statementTimeout
        self.answerTimeout = answerTimeout
        self.settings = settings
    }

    /// Whether libpq can read a URL. Its own words would show what it could not read, and a password is part of that.
    public static func isReadable(url: String) -> Bool {
        guard let options = PQconninfoParse(url, nil) else { return false }
        PQconninfoFree(options)
        return true
    }

    /// The URL with our settings after its own; a dead peer is noticed within 15 seconds.
    var connectionString: String {
        var options = settings
        options["statement_timeout"] = String(statementTimeout.wholeMilliseconds)
        let switches = options.sorted { $0.key < $1.key }
            .map { "-c%20\($0.key)%3D\($0.value)" }.joined(separator: "%20")
        let parameters =
            "application_name=\(applicationName)&keepalives_idle=10&keepalives_interval=5"
            + "&tcp_user_timeout=15000&options=\(switches)"
        return url + (url.contains("?") ? "&" : "?") + parameters
    }
}

extension Duration {
    /// What is less than a millisecond is cut off.
    var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}

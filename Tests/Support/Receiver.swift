import Hummingbird
import LocalServers
import Synchronization

/// What somebody has posted to a ``Receiver``.
public struct Received: Sendable {
    public var path: String
    public var headers: [String: String]
    public var body: String
}

/// A door of the test's own, for what the program sends to others.
public final class Receiver: Sendable {
    public let port: Int
    private let requests = Mutex<[Received]>([])

    public var received: [Received] { requests.withLock { $0 } }

    private init(port: Int) {
        self.port = port
    }

    /// Listens for as long as `body` runs, and answers everything with 200.
    public static func with(
        port: Int? = nil, _ body: (Receiver) async throws -> Void
    ) async throws {
        let receiver = Receiver(port: try port ?? freeLoopbackPort())
        let router = Router()
        router.post("**") { request, _ in
            let bytes = try await request.body.collect(upTo: 1 << 22)
            let headers = Dictionary(
                request.headers.map { ($0.name.canonicalName, $0.value) }, uniquingKeysWith: { $1 })
            receiver.requests.withLock {
                $0.append(
                    Received(
                        path: request.uri.path, headers: headers, body: String(buffer: bytes)))
            }
            return HTTPResponse.Status.ok
        }
        let server = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: receiver.port)),
            logger: quiet)
        try await withServices([server]) {
            try await eventually("the receiver listens") { isListening(onPort: receiver.port) }
            try await body(receiver)
        }
    }
}

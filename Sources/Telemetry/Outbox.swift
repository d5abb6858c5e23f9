internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Posts bodies to one address, one after the other, aside from whoever has them: nobody waits for it.
///
/// What does not fit is dropped, the oldest first; what can't be sent is tried once more and then dropped.
final class Outbox: Sendable {
    private static let timeout = TimeAmount.seconds(5)
    private static let attempts = 2
    /// How long a process that ends waits for what is still to be sent.
    private static let closeLimit = Duration.seconds(2)

    private let queue:
        (stream: AsyncStream<[UInt8]>, continuation: AsyncStream<[UInt8]>.Continuation)
    private let sending: Task<Void, Never>

    /// Keeps at most `limit` bodies that wait.
    init(url: String, headers: [(String, String)], limit: Int) {
        queue = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(limit))
        let stream = queue.stream
        sending = Task.detached {
            for await body in stream { await Self.post(body, to: url, headers) }
        }
    }

    func put(_ body: [UInt8]) {
        queue.continuation.yield(body)
    }

    func close() async {
        queue.continuation.finish()
        let sending = sending
        let limit = Task {
            try? await Task.sleep(for: Self.closeLimit)
            if !Task.isCancelled { sending.cancel() }
        }
        await sending.value
        limit.cancel()
    }

    private static func post(
        _ body: [UInt8], to url: String, _ headers: [(String, String)]
    ) async {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = HTTPHeaders(headers)
        request.body = .bytes(ByteBuffer(bytes: body))
        for _ in 0..<attempts where !Task.isCancelled {
            let answer = try? await HTTPClient.shared.execute(request, timeout: timeout)
            // What is refused is refused again.
            if let answer, answer.status.code < 500 { return }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }
}

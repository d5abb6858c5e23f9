internal import AsyncHTTPClient
public import Foundation
internal import NIOCore
internal import NIOHTTP1

/// An HTTP answer, read whole.
public struct HTTPAnswer: Sendable {
    public var status: Int
    public var headers: [String: String]
    public var body: Data

    /// The body as a JSON object; empty when it is none.
    public var json: [String: Any] { jsonObject(body) }
}

/// A door of the running system, as its users see it.
public struct HTTPDoor: Sendable {
    /// Everybody at a door has a connection of his own.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1_000
        return HTTPClient(configuration: configuration)
    }()

    public let base: String
    public var token: String?

    public init(_ base: String, token: String? = nil) {
        self.base = base
        self.token = token
    }

    public func post(
        _ path: String, _ body: String, key: String = UUID().uuidString.lowercased(),
        method: String = "POST", headers: [(String, String)] = []
    ) async throws -> HTTPAnswer {
        try await send(
            path, method: method, body: Array(body.utf8),
            headers: [("Content-Type", "application/json"), ("Idempotency-Key", key)] + headers)
    }

    public func get(_ path: String, headers: [(String, String)] = []) async throws -> HTTPAnswer {
        try await send(path, method: "GET", body: nil, headers: headers)
    }

    /// What `/metrics` shows: the value of each series.
    public func metrics() async throws -> [String: Double] {
        let lines = String(decoding: try await get("/metrics").body, as: UTF8.self)
            .split(separator: "\n")
        return Dictionary(
            uniqueKeysWithValues: lines.filter { !$0.hasPrefix("#") }.compactMap { line in
                let parts = line.split(separator: " ")
                return parts.count == 2 ? Double(parts[1]).map { (String(parts[0]), $0) } : nil
            })
    }

    /// Sends exactly these headers, and the token where there is one.
    public func send(
        _ path: String, method: String, body: [UInt8]?, headers: [(String, String)]
    ) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: base + path)
        request.method = .RAW(value: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await Self.client.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 10_000_000)
        return HTTPAnswer(
            status: Int(response.status.code),
            headers: Dictionary(
                response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 }),
            body: Data(bytes.readableBytesView))
    }

    /// The server-sent events of a path, as blocks of lines, until the reader stops.
    public func serverSentEvents(
        _ path: String, headers: [(String, String)] = []
    ) -> AsyncThrowingStream<ServerSentEvent, any Error> {
        AsyncThrowingStream { continuation in
            let reading = Task {
                var request = HTTPClientRequest(url: base + path)
                for (name, value) in headers { request.headers.add(name: name, value: value) }
                do {
                    let response = try await Self.client.execute(
                        request, timeout: .seconds(60))
                    var text = ""
                    for try await chunk in response.body {
                        text += String(buffer: chunk)
                        while let end = text.range(of: "\n\n") {
                            if let event = ServerSentEvent(String(text[..<end.lowerBound])) {
                                continuation.yield(event)
                            }
                            text.removeSubrange(..<end.upperBound)
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in reading.cancel() }
        }
    }
}

/// One server-sent event; comments and mere settings are none.
public struct ServerSentEvent: Sendable {
    public var id: Int
    public var name: String
    public var data: String

    init?(_ block: String) {
        var fields: [String: String] = [:]
        for line in block.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        guard let id = fields["id"].flatMap({ Int($0) }), let name = fields["event"],
            let data = fields["data"]
        else { return nil }
        (self.id, self.name, self.data) = (id, name, data)
    }

    /// The data as a JSON object; empty when it is none.
    public var json: [String: Any] { jsonObject(Data(data.utf8)) }
}

/// Reads a JSON object; empty when it is none.
public func jsonObject(_ text: Data) -> [String: Any] {
    (try? JSONSerialization.jsonObject(with: text)) as? [String: Any] ?? [:]
}

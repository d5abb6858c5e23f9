internal import Crypto
internal import HTTPTypes
public import Hummingbird
public import JSON
internal import NIOCore

/// Sizes above which a request is refused.
public enum RequestLimits {
    public static let bodyBytes = 64 * 1024
    public static let urlBytes = 4 * 1024
    public static let headerBytes = 16 * 1024
}

/// A request's body: a JSON object, and the hash by which a repeat is recognised.
public struct Body: Sendable {
    public let json: JSONObject
    /// As they came, for a signature over them.
    public let bytes: [UInt8]
    /// SHA-256 over method, path and bytes.
    public let hash: [UInt8]

    /// Reads it whole; refuses what is not JSON, or too long.
    public static func read(_ request: Request) async throws -> Body {
        guard let type = request.headers[.contentType], isJSON(type) else {
            throw Problem(
                "unsupported-media-type", .unsupportedMediaType, "Unsupported media type",
                detail: "the body must be application/json in UTF-8")
        }
        if let length = request.headers[.contentLength].flatMap(Int.init),
            length > RequestLimits.bodyBytes
        {
            throw tooLarge
        }
        let bytes = try await bytes(of: request)
        do throws(JSONError) {
            return Body(
                json: try JSONDocument(bytes).root.object(), bytes: bytes,
                hash: requestHash(request, bytes))
        } catch {
            throw Problem.malformed(field: error.path, error.reason)
        }
    }

    /// The body of a request that has no more to say than its path: one with a field in it is refused.
    public static func none(_ request: Request) async throws -> Body {
        let bytes = try await bytes(of: request)
        let json = try reading { () throws(JSONError) in
            let json = try JSONDocument(bytes.isEmpty ? Array("{}".utf8) : bytes).root.object()
            try json.allow(only: [])
            return json
        }
        return Body(json: json, bytes: bytes, hash: requestHash(request, bytes))
    }

    private static func bytes(of request: Request) async throws -> [UInt8] {
        do {
            let buffer = try await request.body.collect(upTo: RequestLimits.bodyBytes)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Problem.malformed(
                field: "", "the body ends before its length, or its chunks are not HTTP's")
        }
    }

    private static let tooLarge = Problem(
        "too-large", .contentTooLarge, "The request is too large",
        detail: "a body may have \(RequestLimits.bodyBytes) bytes")

    private static func isJSON(_ type: String) -> Bool {
        if type == "application/json" { return true }
        let parts = type.lowercased().split(separator: ";").map { part in
            part.filter { !$0.isWhitespace && $0 != "\"" }
        }
        return parts.first == "application/json"
            && parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" }
    }
}

/// What tells a repeated request from another one under the same key.
public func requestHash(_ request: Request, _ body: [UInt8]) -> [UInt8] {
    var digest = SHA256()
    for part in [Array("\(request.method.rawValue) \(request.uri.path)\n".utf8), body] {
        part.withUnsafeBytes { digest.update(bufferPointer: $0) }
    }
    return Array(digest.finalize())
}

public import HTTPTypes
public import Hummingbird
public import JSON
internal import NIOCore

extension HTTPField.Name {
    public static let position = Self("Quartermaster-Position")!
    public static let idempotencyKey = Self("Idempotency-Key")!
    public static let ifMatch = Self("If-Match")!
    public static let lastEventID = Self("Last-Event-ID")!
}

/// A JSON answer that says for which position of the log it is good.
public func answer(
    _ status: HTTPResponse.Status = .ok, position: Int64, version: Int64? = nil,
    _ body: (inout JSONWriter) -> Void
) -> Response {
    let bytes = JSONWriter.write { json in json.object { body(&$0) } }
    var headers = HTTPFields()
    headers[.contentType] = "application/json"
    headers[.contentLength] = String(bytes.count)
    headers[.position] = String(position)
    if let version { headers[.eTag] = "\"\(version)\"" }
    return Response(
        status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
}

/// The version that an If-Match header names; nil when there is no such header.
///
/// Only one strong tag is understood: the one that the ETag header of an answer showed.
public func ifMatch(_ request: Request) throws(Problem) -> Int64? {
    // Any version will do.
    guard let text = request.headers[.ifMatch], text != "*" else { return nil }
    guard text.count > 2, text.first == "\"", text.last == "\"",
        let version = Int64(text.dropFirst().dropLast()), version >= 0
    else {
        throw .malformed(field: "If-Match", "must be one ETag that was given out, such as \"17\"")
    }
    return version
}

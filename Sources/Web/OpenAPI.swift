internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The contract of both APIs: an OpenAPI 3.1 document, kept by hand and held to by tests.
public enum OpenAPI {
    /// The document, in YAML.
    public static let text: String = {
        guard let url = Bundle.module.url(forResource: "openapi", withExtension: "yaml"),
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { preconditionFailure("the program's OpenAPI document is missing") }
        return text
    }()

    public static let operation = Operation("getContract", .get, "/openapi.yaml") { _, _ in
        var headers = HTTPFields()
        headers[.contentType] = "application/yaml"
        headers[.contentLength] = String(text.utf8.count)
        return Response(
            status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

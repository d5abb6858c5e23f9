public import HTTPTypes
public import Hummingbird
internal import JSON
internal import NIOCore

/// An error as its reader gets it: RFC 9457, with a stable type and the figures.
public struct Problem: Error, Sendable, HTTPResponseError {
    /// The last part of the `type` URI; never changes once it is out.
    public let type: String
    public let status: HTTPResponse.Status
    public let title: String
    public let detail: String
    /// Further members, such as `available` and `wanted`.
    public private(set) var figures: [(name: StaticString, value: Figure)]
    public let retryAfterSeconds: Int?
    /// The position of the log for which this is so, where it rests on the log.
    public private(set) var position: Int64?
    /// The methods that there are, where another was used.
    private var allowed: String?

    public enum Figure: Sendable {
        case number(Int)
        case text(String)
        case numbers([Int])
        case amount(minorUnits: Int, currency: String)
        case nothing
    }

    public init(
        _ type: String, _ status: HTTPResponse.Status, _ title: String, detail: String,
        figures: [(name: StaticString, value: Figure)] = [], retryAfterSeconds: Int? = nil
    ) {
        self.type = type
        self.status = status
        self.title = title
        self.detail = detail
        self.figures = figures
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The same, with the field of the request that is to blame.
    public func naming(field: String) -> Problem {
        var named = self
        named.figures.append(("field", .text(field)))
        return named
    }

    /// The same, which is so at this position of the log.
    public func at(_ position: Int64) -> Problem {
        var placed = self
        placed.position = position
        return placed
    }

    public static let typePrefix = "https://quartermaster.example/problems/"

    public func response(from request: Request, context: some RequestContext) throws -> Response {
        response()
    }

    public func response() -> Response {
        let body = JSONWriter.write { json in
            json.object { json in
                json.field("type", Self.typePrefix + type)
                json.field("title", title)
                json.field("status", status.code)
                json.field("detail", detail)
                for figure in figures { write(figure, to: &json) }
            }
        }
        var headers = HTTPFields()
        headers[.contentType] = "application/problem+json"
        headers[.contentLength] = String(body.count)
        if let position { headers[.position] = String(position) }
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        if let allowed { headers[.allow] = allowed }
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }

    private func write(
        _ figure: (name: StaticString, value: Figure), to json: inout JSONWriter
    ) {
        switch figure.value {
        case .number(let number): json.field(figure.name, number)
        case .text(let text): json.field(figure.name, text)
        case .numbers(let numbers): json.field(figure.name, numbers) { $0.value($1) }
        case .amount(let minorUnits, let currency):
            json.field(figure.name) { json in
                json.field("amount", minorUnits)
                json.field("currency", currency)
            }
        case .nothing: json.field(figure.name, nil as String?)
        }
    }
}

extension Problem {
    public static func malformed(field: String, _ reason: String) -> Problem {
        Problem(
            "malformed", .badRequest, "The request is malformed",
            detail: field.isEmpty ? reason : "\(field) \(reason)",
            figures: field.isEmpty ? [] : [("field", .text(field))])
    }

    /// `known` are the methods that there are.
    static func methodNotAllowed(_ known: [HTTPRequest.Method]) -> Problem {
        let names = known.map(\.rawValue).joined(separator: ", ")
        var problem = Problem(
            "method-not-allowed", .methodNotAllowed, "Method not allowed",
            detail: "this resource knows \(names)")
        problem.allowed = names
        return problem
    }

    public static let unauthorized = Problem(
        "unauthorized", .unauthorized, "Who are you?",
        detail: "this needs a token of staff, or an API key: Authorization: Bearer …")

    public static let forbidden = Problem(
        "forbidden", .forbidden, "Not for you", detail: "your role does not allow this")

    public static func notFound(_ kind: String) -> Problem {
        Problem("not-found", .notFound, "Not found", detail: "there is no such \(kind)")
    }

    public static func unavailable(_ detail: String) -> Problem {
        Problem(
            "unavailable", .serviceUnavailable, "Not available now", detail: detail,
            retryAfterSeconds: 1)
    }
}

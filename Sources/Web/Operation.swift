internal import Domain
public import HTTPTypes
public import Hummingbird
internal import Logging
internal import Trace

/// What a route sees of its request besides the request itself.
public typealias APIContext = BasicRequestContext

/// One operation of an API: what the OpenAPI document describes under the same id.
public struct Operation: Sendable {
    public typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    public let id: String
    public let method: HTTPRequest.Method
    /// With parameters in braces, as in the document.
    public let path: String
    public let audience: Audience
    /// Whether its answer is made while it is sent: then nobody can say beforehand what it would be like.
    let isStream: Bool
    let handler: Handler

    public init(
        _ id: String, _ method: HTTPRequest.Method, _ path: String,
        for audience: Audience = .everybody, isStream: Bool = false,
        _ handler: @escaping Handler
    ) {
        self.id = id
        self.method = method
        self.path = path
        self.audience = audience
        self.isStream = isStream
        self.handler = handler
    }
}

extension Router where Context == APIContext {
    /// A router for these operations, with limits, problems for all errors, and nothing else. `observer` sees
    /// every request.
    public static func serving(
        _ operations: [Operation], gatekeeper: @escaping Gatekeeper, observer: RequestObserver
    ) -> Router<APIContext> {
        let router = Router<APIContext>()
        router.add(middleware: ProblemMiddleware(record: observer.ofNoOperation))
        router.refuseOtherMethods(than: operations)
        for operation in operations {
            let record = observer.record(of: operation.id)
            let path = RouterPath(operation.path)
            let answer: Operation.Handler = { request, context in
                let began = ContinuousClock.now
                var caller = Caller.anybody
                let parent = request.traceParent
                caller.traceParent = parent
                do {
                    caller = try await gatekeeper(request)
                    caller.traceParent = parent
                    try caller.require(operation.audience)
                    let response = try await Caller.$current.withValue(caller) {
                        try await operation.handler(request, context)
                    }
                    record.add(request, of: caller, response, since: began)
                    return response
                } catch let error where !(error is CancellationError) {
                    let problem = Problem(of: error, context.logger, in: caller.trace)
                    let response = problem.response()
                    record.add(request, of: caller, response, problem, since: began)
                    return response
                }
            }
            router.on(path, method: operation.method, use: answer)
            guard operation.hasHead else { continue }
            router.on(path, method: .head) { request, context in
                try await answer(request, context).createHeadResponse()
            }
        }
        return router
    }
}

extension Operation {
    /// Whether somebody may ask what it would answer, without the answer.
    fileprivate var hasHead: Bool { method == .get && !isStream }
}

extension Router where Context == APIContext {
    private static let methods: [HTTPRequest.Method] = [
        .get, .head, .post, .put, .patch, .delete, .options, .trace,
    ]

    /// Who uses another method on a path that there is, is told which there are.
    fileprivate func refuseOtherMethods(than operations: [Operation]) {
        for (path, operations) in Dictionary(grouping: operations, by: \.path) {
            var known = operations.map(\.method)
            if operations.contains(where: \.hasHead) { known.append(.head) }
            let problem = Problem.methodNotAllowed(known.sorted { $0.rawValue < $1.rawValue })
            for method in Self.methods where !known.contains(method) {
                on(RouterPath(path), method: method) { _, _ -> Response in throw problem }
            }
        }
    }
}

/// Refuses what is too long, and turns every error into a problem.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let record: RequestObserver.Record

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let began = ContinuousClock.now
        do {
            try checkSizes(request)
            return try await next(request, context)
        } catch let error where !(error is CancellationError) {
            var caller = Caller.anybody
            caller.traceParent = request.traceParent
            let problem = Problem(of: error, context.logger, in: caller.trace)
            let response = problem.response()
            record.add(request, of: caller, response, problem, since: began)
            // Whoever asks so takes what follows for the next answer.
            return request.method == .head ? response.createHeadResponse() : response
        }
    }

    private func checkSizes(_ request: Request) throws(Problem) {
        guard request.head.path?.utf8.count ?? 0 <= RequestLimits.urlBytes else {
            throw Problem(
                "url-too-long", .uriTooLong, "The URL is too long",
                detail: "a URL may have \(RequestLimits.urlBytes) bytes")
        }
        let headerBytes = request.headers.reduce(0) {
            $0 + $1.name.rawName.utf8.count + $1.value.utf8.count
        }
        guard headerBytes <= RequestLimits.headerBytes else {
            throw Problem(
                "headers-too-large", .requestHeaderFieldsTooLarge, "The headers are too large",
                detail: "all headers together may have \(RequestLimits.headerBytes) bytes")
        }
    }
}

extension Problem {
    /// What anybody who asked is told of an error; one that nobody foresaw is logged.
    fileprivate init(of error: any Error, _ logger: Logger, in trace: EntityID?) {
        switch error {
        case let problem as Problem: self = problem
        case let error as HTTPError: self = .answering(error.status)
        default:
            logger.error(
                "a request failed",
                metadata: [
                    "reason": "\(error)", "trace": "\(trace.map(\.description) ?? "none")",
                ])
            self = Problem(
                "internal", .internalServerError, "Something is broken here",
                detail: "the request was not carried out; its time and path help to find out why")
        }
    }

    private static func answering(_ status: HTTPResponse.Status) -> Problem {
        switch status.code {
        case 404: .notFound("resource")
        case 413:
            Problem(
                "too-large", .contentTooLarge, "The request is too large",
                detail: "a body may have \(RequestLimits.bodyBytes) bytes")
        default:
            Problem(
                "malformed", status, "The request is malformed", detail: status.reasonPhrase)
        }
    }
}

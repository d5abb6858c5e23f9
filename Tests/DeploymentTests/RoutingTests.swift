import Foundation
import Testing
import Web
import Yams

/// What Traefik does with a request, by its own files, held against the contract.
@Suite struct RoutingTests {
    private struct Router {
        var name: String
        var rule: Rule
        var priority: Int
        var service: String
        var middlewares: [String]
    }

    private static func routes() throws -> [String: Any] {
        try #require(try ComposeTests.yaml("compose/traefik/routes.yaml")["http"] as? [String: Any])
    }

    private static func routers() throws -> [Router] {
        let routers = try #require(try routes()["routers"] as? [String: [String: Any]])
        return try routers.map { name, terms in
            #expect(
                Set(terms.keys).subtracting(["middlewares"])
                    == ["entryPoints", "rule", "priority", "service"], "\(name)")
            return Router(
                name: name, rule: try Rule(try #require(terms["rule"] as? String)),
                priority: try #require(terms["priority"] as? Int),
                service: try #require(terms["service"] as? String),
                middlewares: terms["middlewares"] as? [String] ?? [])
        }.sorted { $0.priority > $1.priority }
    }

    @Test("sends each operation of the contract to the side that has it")
    func routesOperations() throws {
        let routers = try Self.routers()
        let contract = try ComposeTests.yaml("Sources/Web/openapi.yaml")
        let paths = try #require(contract["paths"] as? [String: [String: Any]])
        var count = 0
        for (path, methods) in paths {
            let sample = path.replacing(/\{[^}]*\}/, with: "0")
            for method in methods.keys
            where ["get", "post", "put", "patch", "delete"].contains(method) {
                let router = routers.first { $0.rule.matches(method.uppercased(), sample) }
                count += 1
                if ["/livez", "/readyz"].contains(path) {
                    #expect(router == nil, "\(path) is for the proxy, not for the world")
                } else {
                    let side = method == "get" ? "query-api" : "command-api"
                    #expect(router?.service == side, "\(method) \(path)")
                }
            }
        }
        #expect(count > 70)
    }

    @Test("holds commands to a body and a rate, queries to a rate, and buffers no answer")
    func limits() throws {
        let middlewares = try #require(
            try Self.routes()["middlewares"] as? [String: [String: [String: Any]]])
        let services = try #require(try Self.routes()["services"] as? [String: Any])
        var used: Set<String> = []
        for router in try Self.routers() {
            let kinds = try router.middlewares.map { name in
                used.insert(name)
                return try #require(middlewares[name]?.keys.first, "no middleware \(name)")
            }
            #expect(services[router.service] != nil || router.service == "api@internal")
            switch router.service {
            case "command-api":
                #expect(Set(kinds) == ["headers", "rateLimit", "buffering", "retry"])
            case "query-api": #expect(Set(kinds) == ["headers", "rateLimit", "retry"])
            case "api@internal":
                #expect(Set(kinds) == ["headers", "rateLimit", "buffering", "basicAuth"])
            default:
                #expect(router.service == "grafana")
                #expect(Set(kinds) == ["headers", "rateLimit", "buffering"])
            }
        }
        #expect(used == Set(middlewares.keys))
        let limit = middlewares["command-body"]?["buffering"]?["maxRequestBodyBytes"] as? Int
        #expect(limit == RequestLimits.bodyBytes)
    }

    @Test("keeps people out of the access log")
    func logsNobody() throws {
        let services = try #require(
            try ComposeTests.yaml("compose/compose.yaml")["services"] as? [String: [String: Any]])
        let environment = try #require(services["traefik"]?["environment"] as? [String: String])
        #expect(environment["TRAEFIK_ACCESSLOG_FIELDS_DEFAULTMODE"] == "drop")
        #expect(environment["TRAEFIK_ACCESSLOG_FIELDS_HEADERS_DEFAULTMODE"] == "drop")
        let prefix = "TRAEFIK_ACCESSLOG_FIELDS_NAMES_"
        let kept = environment.filter { $0.key.hasPrefix(prefix) && $0.value == "keep" }
            .map { $0.key.dropFirst(prefix.count) }
        #expect(kept.count == 7)
        for name in kept {
            #expect(!name.contains("CLIENT") && !name.contains("PATH") && !name.contains("LINE"))
        }
    }
}

/// A rule of Traefik's: matchers, joined by and, or and parentheses. Throws for what it does not know.
private indirect enum Rule {
    case path(String)
    case prefix(String)
    case method(String)
    case all([Rule])
    case any([Rule])

    struct Unknown: Error { var rule: String }

    init(_ text: String) throws {
        var tokens = text.matches(of: /\w+\(`[^`]*`\)|&&|\|\||\(|\)/).map { String($0.output) }[...]
        guard tokens.joined() == text.filter({ $0 != " " }) else { throw Unknown(rule: text) }
        self = try Self.either(&tokens)
        guard tokens.isEmpty else { throw Unknown(rule: text) }
    }

    private static func either(_ tokens: inout ArraySlice<String>) throws -> Rule {
        var rules = [try both(&tokens)]
        while tokens.first == "||" {
            tokens.removeFirst()
            rules.append(try both(&tokens))
        }
        return .any(rules)
    }

    private static func both(_ tokens: inout ArraySlice<String>) throws -> Rule {
        var rules = [try single(&tokens)]
        while tokens.first == "&&" {
            tokens.removeFirst()
            rules.append(try single(&tokens))
        }
        return .all(rules)
    }

    private static func single(_ tokens: inout ArraySlice<String>) throws -> Rule {
        guard let token = tokens.popFirst() else { throw Unknown(rule: "the end") }
        if token == "(" {
            let rule = try either(&tokens)
            guard tokens.popFirst() == ")" else { throw Unknown(rule: token) }
            return rule
        }
        guard let match = token.wholeMatch(of: /(\w+)\(`([^`]*)`\)/) else {
            throw Unknown(rule: token)
        }
        let argument = String(match.output.2)
        switch match.output.1 {
        case "Path": return .path(argument)
        case "PathPrefix": return .prefix(argument)
        case "Method": return .method(argument)
        default: throw Unknown(rule: token)
        }
    }

    func matches(_ method: String, _ path: String) -> Bool {
        switch self {
        case .path(let wanted): path == wanted
        case .prefix(let prefix): path.hasPrefix(prefix)
        case .method(let wanted): method == wanted
        case .all(let rules): rules.allSatisfy { $0.matches(method, path) }
        case .any(let rules): rules.contains { $0.matches(method, path) }
        }
    }
}

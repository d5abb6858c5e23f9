import Domain
import Foundation
import HTTPTypes
import Operations
import Testing
import TestSupport
import Web
import Yams

@Suite struct ContractTests {
    private struct Route: Hashable {
        var id: String
        var method: String
        var path: String
        var side: String
        /// Whose it is; nobody's in particular where it is everybody's.
        var roles: Set<String>
    }

    @Test("describes every route, and serves every route that it describes")
    func agrees() throws {
        let roles = Roles(
            Connections(url: "postgresql://nobody@127.0.0.1:1/none", logger: quiet),
            natsURL: "nats://127.0.0.1:1", secrets: testSecrets,
            settings: try Settings([:]), logger: quiet)
        let (command, query) = roles.operations()
        let served = Set(
            command.map { route($0, "command") } + query.map { route($0, "query") })
        #expect(served == described())
    }

    @Test(
        "waits for a position in every query, and names one in every answer that rests on the log")
    func namesPositions() {
        var count = 0
        for (id, method, operation) in operations() {
            let tags = operation["tags"] as? [String] ?? []
            guard id != "getContract", !tags.contains("health") else { continue }
            count += 1
            if tags.contains("query"), method == "get" {
                let parameters = operation["parameters"] as? [[String: Any]] ?? []
                let references = parameters.compactMap { $0["$ref"] as? String }
                #expect(
                    references.contains("#/components/parameters/MinPosition"),
                    "\(id) of the query API")
            }
            let responses = operation["responses"] as? [String: [String: Any]] ?? [:]
            for (status, response) in responses where status.hasPrefix("2") {
                let headers = resolved(response)["headers"] as? [String: Any] ?? [:]
                #expect(headers["Quartermaster-Position"] != nil, "\(status) of \(id)")
            }
        }
        #expect(count > 70)
    }

    @Test("lists every type of problem, and none that nobody has")
    func listsProblems() throws {
        let schemas = (document["components"] as? [String: Any])?["schemas"] as? [String: Any]
        let types = (schemas?["Problem"] as? [String: Any])?["x-types"] as? [String: Any] ?? [:]
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
                "Sources")
        let files = try #require(FileManager.default.enumerator(atPath: sources.path))
        var made: Set = ["unknown-*"]
        for case let file as String in files where file.hasSuffix(".swift") {
            let text = try String(
                contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
            for match in text.matches(of: /Problem\(\s*"([a-z-]+)",/) {
                made.insert(String(match.output.1))
            }
        }
        #expect(made.count > 50)
        #expect(Set(types.keys) == made)
    }

    private func operations() -> [(id: String, method: String, [String: Any])] {
        let paths = document["paths"] as? [String: [String: [String: Any]]] ?? [:]
        return paths.values.flatMap { methods in
            methods.map { ($1["operationId"] as? String ?? "", $0, $1) }
        }
    }

    private func resolved(_ response: [String: Any]) -> [String: Any] {
        guard let reference = response["$ref"] as? String,
            let name = reference.split(separator: "/").last
        else { return response }
        let components = document["components"] as? [String: [String: Any]] ?? [:]
        return components["responses"]?[String(name)] as? [String: Any] ?? [:]
    }

    private let document = (try? Yams.load(yaml: OpenAPI.text)) as? [String: Any] ?? [:]

    private func route(_ operation: Web.Operation, _ side: String) -> Route {
        Route(
            id: operation.id, method: operation.method.rawValue.lowercased(), path: operation.path,
            side: side, roles: roles(of: operation.audience))
    }

    private func roles(of audience: Audience) -> Set<String> {
        switch audience {
        case .everybody: []
        case .staff(let roles): Set(roles.map(\.rawValue))
        }
    }

    private func described() -> Set<Route> {
        let paths = document["paths"] as? [String: [String: [String: Any]]] ?? [:]
        var routes: Set<Route> = []
        for (path, methods) in paths {
            for (method, operation) in methods {
                let tags = operation["tags"] as? [String] ?? []
                let security = operation["security"] as? [[String: Any]] ?? [[:]]
                for side in tags where side != "health" {
                    routes.insert(
                        Route(
                            id: operation["operationId"] as? String ?? "", method: method,
                            path: path, side: side,
                            roles: security.allSatisfy { $0["staff"] != nil }
                                ? Set(operation["x-roles"] as? [String] ?? []) : []))
                }
            }
        }
        return routes
    }
}

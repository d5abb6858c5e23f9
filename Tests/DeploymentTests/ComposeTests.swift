import Foundation
import Operations
import Testing
import Yams

/// The files under `compose/`, held against each other and against the program.
@Suite struct ComposeTests {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func read(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func yaml(_ path: String) throws -> [String: Any] {
        try #require(try Yams.load(yaml: read(path)) as? [String: Any], "\(path) is no mapping")
    }

    static let files = ["compose", "development", "staging", "production"].map {
        "compose/\($0).yaml"
    }

    private static func services(_ file: String) throws -> [String: [String: Any]] {
        try #require(try yaml(file)["services"] as? [String: [String: Any]])
    }

    /// The names in `.env.example`, each once.
    private static func exampleNames() throws -> [String] {
        try read("compose/.env.example").split(separator: "\n")
            .filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: "=").first }
            .map(String.init)
    }

    @Test("documents every variable of the files and the scripts, and no other")
    func documentsVariables() throws {
        let names = try Self.exampleNames()
        #expect(Set(names).count == names.count)
        var used: Set<String> = ["COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"]
        for file in Self.files {
            for match in try Self.read(file).matches(of: /\$\{([A-Z_]+)/) {
                used.insert(String(match.output.1))
            }
        }
        for file in ["compose/lib.sh", "compose/deploy"] {
            for match in try Self.read(file).matches(of: /setting ([A-Z_]+)/) {
                used.insert(String(match.output.1))
            }
        }
        #expect(used == Set(names), "\(used.symmetricDifference(names))")
    }

    @Test("explains every variable in the lines above it")
    func explainsVariables() throws {
        var isExplained = false
        for line in try Self.read("compose/.env.example").components(separatedBy: "\n") {
            if line.hasPrefix("#") {
                isExplained = true
            } else if line.isEmpty {
                isExplained = false
            } else {
                #expect(isExplained, "nothing is said about \(line)")
            }
        }
    }

    @Test("gives the program no variable that it does not know")
    func givesKnownVariables() throws {
        for file in Self.files {
            for (name, service) in try Self.services(file) {
                guard let image = service["image"] as? String, image.contains("{IMAGE"),
                    let environment = service["environment"] as? [String: Any]
                else { continue }
                // Some are only looked at, for what the example has.
                let looks = name == "migrate" ? Set(try Self.exampleNames()) : []
                let unknown = Set(environment.keys).subtracting(Settings.variables + ["HOME"])
                    .subtracting(looks)
                #expect(unknown.isEmpty, "\(name) of \(file) has \(unknown)")
            }
        }
    }

    @Test("lets the world in at Traefik alone, outside development")
    func opensOnePort() throws {
        for file in Self.files where !file.contains("development") {
            for (name, service) in try Self.services(file) where service["ports"] != nil {
                #expect(name == "traefik", "\(name) of \(file) listens on the host")
            }
        }
        // In development the ports are this machine's own.
        for (name, service) in try Self.services("compose/development.yaml") {
            for port in service["ports"] as? [String] ?? [] {
                #expect(port.hasPrefix("127.0.0.1:"), "\(name) listens at \(port)")
            }
        }
    }

    @Test("lets no container keep what it does not need")
    func confines() throws {
        let services = try Self.services("compose/compose.yaml")
        #expect(services.count >= 12)
        for (name, service) in services {
            #expect(service["read_only"] as? Bool == true, "\(name) may write to its own files")
            #expect(service["cap_drop"] as? [String] == ["ALL"], "\(name) keeps capabilities")
            #expect(
                service["security_opt"] as? [String] == ["no-new-privileges:true"], "\(name)")
            let image = try #require(service["image"] as? String)
            #expect(!image.hasSuffix(":latest") && image.contains(":"), "\(image) has no version")
            let isOurs = image.contains("{IMAGE")
            #expect(
                service["healthcheck"] != nil || !isOurs || service["restart"] as? String == "no")
        }
    }

    @Test("has all roles wait for the migration")
    func waitsForMigration() throws {
        let services = try Self.services("compose/compose.yaml")
        let apis = ["command-api", "query-api"].flatMap { ["\($0)-a", "\($0)-b"] }
        for name in apis + ["projector", "backup", "seed"] {
            let needs = services[name]?["depends_on"] as? [String: [String: String]]
            #expect(
                needs?["migrate"]?["condition"] == "service_completed_successfully", "\(name)")
        }
    }

    @Test("refuses, outside development, every secret of the example")
    func refusesExamples() throws {
        var example: [String: String] = [:]
        for line in try Self.read("compose/.env.example").split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2, !line.hasPrefix("#") { example[parts[0]] = parts[1] }
        }
        let secrets = example.filter { $0.value.contains(Settings.exampleMark) }
        #expect(secrets.count == 8)
        for (name, secret) in secrets {
            let variables = ["ENVIRONMENT": "production", name: secret]
            let error = #expect(throws: OperationError.self) { try Settings(variables) }
            #expect(error?.description.hasPrefix(name) ?? false, "\(error?.description ?? "")")
        }
        let url = "postgresql://q:\(example["SERVICE_PASSWORD"] ?? "")@postgres/q"
        let error = #expect(throws: OperationError.self) {
            try Settings(["ENVIRONMENT": "staging", "DATABASE_URL": url])
        }
        #expect(error?.description.hasPrefix("DATABASE_URL") ?? false)
        #expect(throws: Never.self) { try Settings(["DATABASE_URL": url]) }
    }
}

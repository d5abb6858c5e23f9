import Foundation
import Operations
import TestSupport
import Testing

/// What the program is told in secret, and what it does not start with.
@Suite struct SecretsTests {
    private let token = "a token for tests only"

    @Test("reads secrets from files, and says what is wrong with one")
    func readsFiles() throws {
        let folder = ServerProcess.scratchFolder()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/token"
        try (token + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        for name in Settings.secrets where name != "STAFF_TOKEN" {
            #expect(throws: OperationError.self) { try Settings([name + "_FILE": "/nowhere"]) }
        }
        #expect(try Settings(["STAFF_TOKEN_FILE": file]).staffToken == token)
        #expect(try Settings(["STAFF_TOKEN_FILE": ""]).staffToken == nil)
        try "\n".write(toFile: folder + "/empty", atomically: true, encoding: .utf8)
        for (variables, word) in [
            (["STAFF_TOKEN_FILE": file, "STAFF_TOKEN": token], "both set"),
            (["STAFF_TOKEN_FILE": folder + "/missing"], "can't be read"),
            (["STAFF_TOKEN_FILE": folder + "/empty"], "is empty"),
        ] {
            let error = #expect(throws: OperationError.self) { try Settings(variables) }
            let text = error?.description ?? ""
            #expect(text.contains("STAFF_TOKEN_FILE") && text.contains(word), "\(text)")
        }
    }

    @Test("draws secrets of one server's own, and tells the one that opens the dashboard")
    func drawsSecrets() async throws {
        let folder = ServerProcess.scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var drawn: Set<String> = []
        for environment in ["development", "staging", "production"] {
            let made = try await bash(
                """
                rm -rf \(folder) && mkdir -p \(folder) && cp -r compose \(folder)/ && cd \(folder)/compose
                rm -f .env && ./new-env \(environment) && echo && cat .env && ! ./new-env \(environment)
                """)
            #expect(made.isSuccess && !made.output.contains("change-me"), "\(made.output)")
            let password = try #require(made.output.firstMatch(of: /admin with (\w+)/)?.output.1)
            let hash = try await bash(
                """
                python3 -c 'import base64, hashlib, sys
                print(base64.b64encode(hashlib.sha1(sys.argv[1].encode()).digest()).decode())' \(password)
                """)
            #expect(made.output.contains("\nDASHBOARD_USERS=admin:{SHA}\(hash.output)"))
            for match in made.output.matches(of: /(?m)^[A-Z_]*(?:PASSWORD|TOKEN|SECRET)=(.+)$/) {
                #expect(match.output.1.count >= 41)
                drawn.insert(String(match.output.1))
            }
        }
        #expect(drawn.count == 3 * 7)
    }

    @Test("takes cards for nothing nowhere that real seats are sold")
    func refusesSandbox() throws {
        let variables = ["PAYMENT_PROVIDER": "sandbox"]
        for environment in ["development", "staging"] {
            #expect(throws: Never.self) {
                try Settings(variables.merging(["ENVIRONMENT": environment]) { $1 })
            }
        }
        let error = #expect(throws: OperationError.self) {
            try Settings(variables.merging(["ENVIRONMENT": "production"]) { $1 })
        }
        #expect(error?.description.hasPrefix("PAYMENT_PROVIDER") ?? false)
    }

    @Test(
        "takes no password that would not arrive as it is, and names it",
        arguments: [
            ("POSTGRES_PASSWORD", "with@and/in-an-address"), ("NATS_PASSWORD", "0123456789abcdef0"),
            ("SERVICE_PASSWORD", "short"), ("GRAFANA_PASSWORD", "with a space in it"),
            ("DASHBOARD_USERS", "admin"), ("DASHBOARD_USERS", "admin:plain"),
        ])
    func refusesMalformed(name: String, value: String) throws {
        var variables = [
            "ENVIRONMENT": "production", "PAYMENT_PROVIDER": "dock",
            "POSTGRES_PASSWORD": "s0123456789abcdef", "NATS_PASSWORD": "s0123456789abcdef",
            "DASHBOARD_USERS": "admin:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=,eve:$2y$05$abcdefg",
        ]
        _ = try Settings(variables)
        variables[name] = value
        let error = #expect(throws: OperationError.self) { try Settings(variables) }
        #expect(error?.description.hasPrefix(name) ?? false)
        variables["ENVIRONMENT"] = "development"
        _ = try Settings(variables)
    }

    @Test(
        "starts no role outside development before it knows all secrets, and names the one it lacks"
    )
    func namesMissing() async throws {
        let folder = ServerProcess.scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let all = [
            "DATABASE_URL": "postgresql://q:secret@127.0.0.1:1/q",
            "NATS_URL": "nats://127.0.0.1:1", "STAFF_TOKEN": token,
            "SIGNING_SECRET": "a signing secret of 32 characters and more",
        ]
        for role in ["command-api", "query-api", "projector"] {
            for missing in all.keys {
                var environment = all.merging(["ENVIRONMENT": "production"]) { $1 }
                environment[missing] = ""
                let run = try await ServerProcess.run([role], in: folder, environment: environment)
                #expect(!run.isSuccess)
                #expect(
                    run.output.contains("quartermaster: \(missing) is not set"), "\(run.output)")
            }
        }
    }
}

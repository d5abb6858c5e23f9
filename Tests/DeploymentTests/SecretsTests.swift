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

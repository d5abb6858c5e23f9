import Foundation
import LocalServers
import TestSupport
import Testing
import Yams

/// The pipeline's files, and what they run.
@Suite struct WorkflowTests {
    private static let folder = ".github/workflows"

    private static func workflows() throws -> [String: [String: Any]] {
        let names = try FileManager.default.contentsOfDirectory(
            atPath: ComposeTests.root.appendingPathComponent(folder).path)
        return try Dictionary(
            uniqueKeysWithValues: names.map { ($0, try ComposeTests.yaml("\(folder)/\($0)")) })
    }

    private static func jobs(_ workflow: [String: Any]) throws -> [String: [String: Any]] {
        try #require(workflow["jobs"] as? [String: [String: Any]])
    }

    @Test("limits each job in time and rights, and takes actions of a version")
    func limitsJobs() throws {
        let workflows = try Self.workflows()
        #expect(workflows.count >= 6)
        for (name, workflow) in workflows {
            // Without quotes YAML takes the word 'on' for a truth.
            #expect(workflow["on"] != nil || workflow["true"] != nil, "\(name) has no trigger")
            #expect(workflow["permissions"] is [String: Any], "\(name) has all rights")
            for (job, terms) in try Self.jobs(workflow) {
                if let called = terms["uses"] as? String {
                    #expect(called.hasPrefix("./"), "\(job) of \(name)")
                    _ = try ComposeTests.read(String(called.dropFirst(2)))
                    continue
                }
                #expect(terms["timeout-minutes"] is Int, "\(job) of \(name) may run for ever")
                for step in try #require(terms["steps"] as? [[String: Any]]) {
                    guard let action = step["uses"] as? String else {
                        #expect(step["run"] is String, "\(job) of \(name)")
                        continue
                    }
                    #expect(
                        action.wholeMatch(of: /[\w-]+\/[\w-]+@v?\d+(\.\d+)*/) != nil, "\(action)")
                }
            }
        }
    }

    @Test("runs scripts that bash can read, and files that are there")
    func runsScripts() async throws {
        var count = 0
        for (name, workflow) in try Self.workflows() {
            for (_, terms) in try Self.jobs(workflow) {
                for step in terms["steps"] as? [[String: Any]] ?? [] {
                    guard let script = step["run"] as? String else { continue }
                    count += 1
                    let plain = script.replacing(/\$\{\{[^}]*\}\}/, with: "x")
                    let read = try await bash("bash -n <<'END'\n\(plain)\nEND")
                    #expect(read.isSuccess, "\(name): \(read.output)")
                    for match in script.matches(of: /\.github\/[\w-]+/) {
                        let path = ComposeTests.root.appendingPathComponent(String(match.output))
                        #expect(FileManager.default.isExecutableFile(atPath: path.path), "\(path)")
                    }
                    if script.hasPrefix("make ") {
                        let target = script.dropFirst(5).trimmingCharacters(in: .whitespaces)
                        #expect(try ComposeTests.read("Makefile").contains("\n\(target):"))
                    }
                }
            }
        }
        #expect(count >= 8)
    }

    @Test("has everything wait for the tests, and production for an approval")
    func waits() throws {
        let jobs = try Self.jobs(try #require(try Self.workflows()["deploy.yaml"]))
        #expect((jobs["image"]?["needs"] as? [String])?.contains("test") ?? false)
        #expect((jobs["deploy"]?["needs"] as? [String])?.contains("image") ?? false)
        #expect(jobs["deploy"]?["environment"] != nil)
        for branch in ["main", "develop", "release"] {
            let rules = jsonObject(
                Data(try ComposeTests.read(".github/branch-rules/\(branch).json").utf8))
            let types = (rules["rules"] as? [[String: Any]])?.compactMap { $0["type"] as? String }
            #expect(types?.contains("pull_request") ?? false)
            #expect(types?.contains("required_status_checks") ?? false)
        }
    }

    /// On a repository with a changelog of its own, so that cutting a release breaks no test.
    @Test("deploys each branch to its place, under its version, and no version twice")
    func plans() async throws {
        let folder = ServerProcess.scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try await bash(
            """
            set -e
            mkdir -p \(folder)
            cp -r .github \(folder)/
            cd \(folder)
            printf '## Unreleased\\n\\n- next\\n\\n## 1.2.3\\n\\n- third\\n\\n## 1.2.30\\n\\n- other\\n' >.github/CHANGELOG.md
            git init -q -b main .
            git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m one
            """)
        #expect(made.isSuccess, "\(made.output)")
        func run(_ command: String) async throws -> (isSuccess: Bool, output: String) {
            try await bash("cd \(folder) && .github/\(command)")
        }
        let commit = "0123456789abcdef0123456789abcdef01234567"
        for (branch, environment, version) in [
            ("develop", "development", "dev-0123456789ab"),
            ("release/1.2.3", "staging", "1.2.3-rc.0123456789ab"),
            ("main", "production", "1.2.3"),
        ] {
            let plan = try await run("plan \(branch) \(commit)")
            #expect(plan.output == "environment=\(environment)\nversion=\(version)\n")
        }
        for branch in ["feature/x", "release/next"] {
            #expect(try await !run("plan \(branch) \(commit)").isSuccess)
        }
        for (version, note) in [
            ("dev-0123456789ab", "next"), ("1.2.3", "third"), ("1.2.3-rc.1", "third"),
        ] {
            let notes = try await run("release-notes \(version)")
            #expect(notes.isSuccess && notes.output.contains("- \(note)\n"), "\(notes.output)")
            #expect(!notes.output.contains("other"))
        }
        #expect(try await !run("release-notes 99.0.0").isSuccess)
        #expect(try await bash("git -C \(folder) tag v1.2.3").isSuccess)
        let again = try await run("plan main \(commit)")
        #expect(!again.isSuccess && again.output.contains("was released before"))
        let silent = try await bash("WEBHOOK= .github/notify 'all is well'")
        #expect(silent.isSuccess && silent.output.contains("all is well"))
    }

    /// In the place of GitHub's program stands one that writes down what it is asked.
    @Test("gives the repository its rules, and lets nothing into production without an approval")
    func appliesRules() async throws {
        let folder = ServerProcess.scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let run = try await bash(
            """
            set -e
            mkdir -p \(folder)
            cat >\(folder)/gh <<'END'
            #!/bin/bash
            case "$*" in
                *users/captain*) echo 77 ;;
                *"rulesets --jq"*) echo "main 5" ;;
                *) echo "$*" >>\(folder)/asked
                    if [[ $* == *"--input -"* ]]; then cat >>\(folder)/asked; fi ;;
            esac
            END
            chmod +x \(folder)/gh
            PATH=\(folder):$PATH .github/apply-rules captain/quartermaster captain
            """)
        #expect(run.isSuccess, "\(run.output)")
        let asked = try String(contentsOfFile: folder + "/asked", encoding: .utf8)
        #expect(asked.contains("PUT repos/captain/quartermaster/rulesets/5 --input"))
        #expect(
            asked.components(separatedBy: "POST repos/captain/quartermaster/rulesets ").count == 3)
        let production = try #require(
            asked.components(separatedBy: "environments/production").dropFirst().first)
        #expect(production.contains(#""reviewers": [{"type":"User","id":77}]"#), "\(asked)")
        #expect(asked.contains("environments/production/deployment-branch-policies -f name=main"))
    }

    @Test("tells the webhook in words that JSON takes")
    func notifies() async throws {
        try await Receiver.with { receiver in
            let told = try await bash(
                "WEBHOOK=http://127.0.0.1:\(receiver.port)/hook .github/notify 'production: \"1.0\" success'"
            )
            #expect(told.isSuccess, "\(told.output)")
            #expect(receiver.received.map(\.body) == [#"{"text":"production: 1.0 success"}"#])
        }
    }

    /// In the place of a connection stands a shell of this machine, and in the place of the server a clone.
    @Test("has a server take the commit that is deployed, and deploy the version")
    func deploysOverSSH() async throws {
        let folder = ServerProcess.scratchFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let rehearsal = """
            set -e
            mkdir -p \(folder)/bin
            cd \(folder)
            printf '#!/bin/bash\\nexec bash -c "${@: -1}"\\n' >bin/ssh
            chmod +x bin/ssh
            git init -q -b main origin
            cd origin
            mkdir compose
            printf '#!/bin/bash\\necho "deploying $1 from $(git rev-parse HEAD)"\\n' >compose/deploy
            chmod +x compose/deploy
            git -c user.name=t -c user.email=t@example.org add .
            git -c user.name=t -c user.email=t@example.org commit -qm one
            git clone -q . ../server
            git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m two
            export PATH=\(folder)/bin:$PATH QUARTERMASTER_FOLDER=\(folder)/server
            git rev-parse HEAD
            \(ComposeTests.root.path)/.github/deploy-over-ssh deploy@server.example 1.2.3
            """
        let run = try await bash(rehearsal)
        let lines = run.output.split(separator: "\n")
        #expect(run.isSuccess && lines.count == 2, "\(run.output)")
        #expect(lines.last.map(String.init) == "deploying 1.2.3 from \(lines.first ?? "")")
        #expect(
            try await !bash(".github/deploy-over-ssh deploy@server.example '1;reboot'").isSuccess)
    }
}

/// Runs a script at the root of the repository.
func bash(_ script: String) async throws -> (isSuccess: Bool, output: String) {
    let log = "/tmp/quartermaster-bash-\(UInt32.random(in: 0 ... .max)).log"
    defer { try? FileManager.default.removeItem(atPath: log) }
    let isSuccess = try await runToEnd(
        ["/bin/bash", "-c", "cd '\(ComposeTests.root.path)'\n\(script)"], environment: [:], log: log
    )
    return (isSuccess, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
}

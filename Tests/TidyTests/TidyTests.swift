import Domain
import EventCodec
import Foundation
import Operations
import ProjectionEngine
import Telemetry
import Projections
import Testing

/// The repository's own rules, see "TOOLS" of the house rules.
@Suite struct TidyTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func read(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// All Swift files under some folders, by path.
    private static func swiftFiles(_ folders: [String]) throws -> [(path: String, text: String)] {
        try folders.flatMap { folder in
            let base = root.appendingPathComponent(folder)
            let paths =
                FileManager.default.enumerator(atPath: base.path)?.allObjects as? [String] ?? []
            try #require(!paths.isEmpty, "\(folder) is not there")
            return try paths.filter { $0.hasSuffix(".swift") }.map {
                ("\(folder)/\($0)", try read("\(folder)/\($0)"))
            }
        }
    }

    private static let product = ["Sources", "Projections", "schema"]

    @Test("has no file above 400 lines, and no function above 60")
    func keepsLengths() throws {
        for (path, text) in try Self.swiftFiles(Self.product + ["Tests"]) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 401, "\(path) has \(lines.count) lines")
            var start: (line: Int, indent: Int)?
            for (number, line) in lines.enumerated() {
                let indent = line.prefix { $0 == " " }.count
                if let begun = start, line.trimmingCharacters(in: .whitespaces) == "}",
                    indent == begun.indent
                {
                    // A switch over all event types is as long as they are many.
                    let isSwitch = lines[begun.line...].prefix(3).contains {
                        $0.contains("switch event {") || $0.contains("switch type {")
                            || $0.contains("switch refusal {")
                    }
                    #expect(
                        number - begun.line <= 60 || isSwitch,
                        "\(path):\(begun.line + 1) is too long")
                    start = nil
                } else if start == nil,
                    line.contains(/^ *(@\w+(\(.*\))? |[a-z]+(\([a-z]+\))? )*(func |init[?(<])/),
                    // A requirement has no body.
                    let opened = lines[number...].first(where: { $0.hasSuffix("{") || $0.isEmpty }),
                    opened.hasSuffix("{")
                {
                    start = (number, indent)
                }
            }
        }
    }

    @Test("keeps Domain pure")
    func keepsDomainPure() throws {
        for (path, text) in try Self.swiftFiles(["Sources/Domain"]) {
            #expect(!text.contains("import "), "\(path) imports something")
            for word in [
                "async ", "await ", "SystemRandomNumberGenerator", "Date()", "ContinuousClock",
            ] {
                #expect(!text.contains(word), "\(path) says \(word)")
            }
        }
    }

    @Test("lets only the C borders vouch for themselves, and only with a reason")
    func keepsUnsafeMarkersAtTheBorder() throws {
        for (path, text) in try Self.swiftFiles(Self.product) {
            let markers =
                text.components(separatedBy: "@unchecked Sendable {").count - 1
                + text.components(separatedBy: "nonisolated(unsafe)").count - 1
            guard markers > 0 else { continue }
            #expect(path.contains("/Postgres/") || path.contains("/Bus/"), "\(path)")
            let reasons =
                text.components(separatedBy: "`@unchecked Sendable`:").count - 1
                + text.components(separatedBy: "// Safe:").count - 1
            #expect(reasons >= markers, "\(path) gives \(reasons) reasons for \(markers) markers")
        }
    }

    @Test("has no TODO without an issue, and no names that say nothing")
    func keepsNames() throws {
        for (path, text) in try Self.swiftFiles(Self.product) {
            #expect(!text.contains("TO" + "DO"), "\(path)")
            for word in ["Manager", "Helper", "Util", "Impl "] {
                let isNamed = ["class ", "struct ", "enum ", "protocol "].contains { kind in
                    text.split(separator: "\n").contains {
                        $0.contains(kind) && $0.contains(word) && !$0.contains("//")
                    }
                }
                #expect(!isNamed, "\(path) has a \(word)")
            }
        }
    }

    @Test("names migrations by their time")
    func namesMigrations() throws {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appendingPathComponent("schema/migrations").path)
        for file in files where file.hasSuffix(".sql") {
            #expect(file.wholeMatch(of: /\d{8}_\d{6}_[a-z_]+\.sql/) != nil, "\(file)")
        }
    }

    @Test(
        "has one folder and one entry in the list for each read model, and names it in the README")
    func listsReadModels() throws {
        let folder = Self.root.appendingPathComponent("Projections")
        let folders = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { !$0.contains(".") }
        #expect(Set(AllReadModels.list.map { "\($0)" }) == Set(folders))
        let readme = try Self.read("README.md")
        for model in AllReadModels.list {
            #expect(readme.contains("`\(model.name)`"), "\(model.name)")
        }
    }

    @Test("names every event type in the schema")
    func listsEventTypes() throws {
        let schema = Self.root.appendingPathComponent("schema/migrations")
        let sql = try FileManager.default.contentsOfDirectory(atPath: schema.path)
            .filter { $0.hasSuffix(".sql") }.map { try Self.read("schema/migrations/\($0)") }
            .joined()
        for type in EventType.allCases {
            #expect(sql.contains("(\(type.rawValue), '\(type.name)')"), "\(type)")
        }
    }

    @Test("explains every metric in the README, and no other")
    func listsMetrics() throws {
        let sources = try Self.swiftFiles(["Sources", "Projections"])
        let measured = Set(
            sources.flatMap { $0.text.matches(of: /label: "(quartermaster_[a-z_]+)"/).map(\.1) })
        let explained = Set(
            try Self.read("README.md").matches(of: /`(quartermaster_[a-z_]+)`/).map(\.1))
        #expect(!measured.isEmpty)
        #expect(measured == explained)
        #expect(Set(MetricHelp.texts.keys.map { $0[...] }) == measured)
    }

    @Test("documents every environment variable, and no other")
    func listsVariables() throws {
        let documented = try Self.read(".env.example").split(separator: "\n")
            .compactMap { $0.wholeMatch(of: /#?([A-Z_]+)=.*/)?.1 }.map(String.init)
        #expect(documented.sorted() == Settings.variables.sorted())
        let read = try Self.read("Sources/Operations/Settings.swift")
            .matches(of: /(?:text|number|url|choice)\(\s*"([A-Z_]+)"/).map { String($0.1) }
        #expect(Set(read) == Set(Settings.variables))
        let text = try Self.read(".env.example")
        for name in Settings.shownVariables { #expect(text.contains(name), "\(name)") }
    }

    @Test("names in one sentence the variable that is wrong")
    func namesWrongVariables() {
        for (name, value) in [
            ("COMMAND_PORT", "no"), ("QUERY_PORT", "0"), ("DATABASE_URL", "mysql://x"),
            ("NATS_URL", "http://x"), ("STAFF_TOKEN", "short"), ("LOG_LEVEL", "loud"),
            ("HOLD_MINUTES", "-1"), ("HOLD_EXTENSION_LIMIT", "x"),
        ] {
            let error = #expect(throws: OperationError.self) { try Settings([name: value]) }
            #expect(error?.description.contains(name) == true)
        }
    }
}

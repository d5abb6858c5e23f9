import Foundation
import Hummingbird
import LocalServers
import Logging
import NIOCore
import Synchronization
import Telemetry
import TestSupport
import Testing

/// Errors go to Sentry, received here by a server of the test's own.
@Suite struct SentryTests {
    @Test("reports an error with release, environment, trace and what was logged before")
    func reports() async throws {
        try await withReceiver { port, received in
            let address = try #require(SentryAddress(dsn: "http://abc@127.0.0.1:\(port)/42"))
            let reporter = SentryReporter(address, release: "1.2.3", environment: "staging")
            let logger = Logger(label: "test") {
                SentryLogHandler(label: $0, level: .info, reporter: reporter)
            }
            for number in 1...30 { logger.info("step \(number)") }
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            logger.error("it \"broke\"", metadata: ["position": "7", "trace": "\(trace)"])
            await reporter.close()
            let requests = received.withLock { $0 }
            try #require(requests.count == 1)
            #expect(requests[0].path == "/api/42/envelope/")
            #expect(requests[0].auth.contains("sentry_key=abc"))
            let lines = requests[0].body.split(separator: "\n").map { jsonObject(Data($0.utf8)) }
            try #require(lines.count == 3)
            #expect(lines[0]["event_id"] as? String == lines[2]["event_id"] as? String)
            let payload = requests[0].body.split(separator: "\n")[2]
            #expect(lines[1]["length"] as? Int == payload.utf8.count)
            let event = lines[2]
            #expect(event["release"] as? String == "1.2.3")
            #expect(event["environment"] as? String == "staging")
            #expect(event["level"] as? String == "error")
            #expect((event["message"] as? [String: Any])?["formatted"] as? String == "it \"broke\"")
            #expect((event["extra"] as? [String: Any])?["position"] as? String == "7")
            let contexts = event["contexts"] as? [String: Any]
            #expect((contexts?["trace"] as? [String: Any])?["trace_id"] as? String == trace)
            let crumbs = (event["breadcrumbs"] as? [String: Any])?["values"] as? [[String: Any]]
            #expect(crumbs?.count == SentryReporter.breadcrumbLimit)
            #expect(crumbs?.last?["message"] as? String == "step 30")
        }
    }

    @Test("keeps nobody waiting when nobody receives, and keeps no more than it may")
    func waitsForNobody() async throws {
        let port = try freeLoopbackPort()
        let address = try #require(SentryAddress(dsn: "http://abc@127.0.0.1:\(port)/42"))
        let reporter = SentryReporter(address, release: "1", environment: "test")
        let logger = Logger(label: "test") {
            SentryLogHandler(label: $0, level: .info, reporter: reporter)
        }
        for _ in 0..<10_000 { logger.error("broken") }
        await reporter.close()
    }

    @Test(
        "knows a DSN",
        arguments: [
            ("https://abc@sentry.example.org/42", true), ("https://abc@o1.example.org/42/", false),
            ("https://sentry.example.org/42", false), ("abc", false), ("https://abc@/42", false),
            ("ftp://abc@example.org/42", false),
        ])
    func readsAddresses(dsn: String, isOne: Bool) {
        #expect((SentryAddress(dsn: dsn) != nil) == isOne)
    }

    private struct Received: Sendable {
        var path: String
        var auth: String
        var body: String
    }

    private func withReceiver(
        _ body: (Int, borrowing Mutex<[Received]>) async throws -> Void
    ) async throws {
        let received = Box()
        let port = try freeLoopbackPort()
        let router = Router()
        router.post("**") { request, _ in
            let bytes = try await request.body.collect(upTo: 1 << 20)
            let auth = request.headers[.init("x-sentry-auth")!] ?? ""
            received.requests.withLock {
                $0.append(
                    Received(path: request.uri.path, auth: auth, body: String(buffer: bytes)))
            }
            return HTTPResponse.Status.ok
        }
        let server = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            logger: quiet)
        let running = Task { try await server.run() }
        defer { running.cancel() }
        try await eventually("the receiver listens") { isListening(onPort: port) }
        try await body(port, received.requests)
    }

    private final class Box: Sendable {
        let requests = Mutex<[Received]>([])
    }
}

import Foundation
import LocalServers
import Logging
import Telemetry
import TestSupport
import Testing

/// Errors go to Sentry, received here by a server of the test's own.
@Suite struct SentryTests {
    @Test("reports an error with release, environment, trace and what was logged before")
    func reports() async throws {
        try await Receiver.with { receiver in
            let address = try #require(
                SentryAddress(dsn: "http://abc@127.0.0.1:\(receiver.port)/42"))
            let reporter = SentryReporter(address, release: "1.2.3", environment: "staging")
            let logger = Logger(label: "test") {
                SentryLogHandler(label: $0, level: .info, reporter: reporter)
            }
            for number in 1...30 { logger.info("step \(number)") }
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            logger.error("it \"broke\"", metadata: ["position": "7", "trace": "\(trace)"])
            await reporter.close()
            let requests = receiver.received
            try #require(requests.count == 1)
            #expect(requests[0].path == "/api/42/envelope/")
            #expect(requests[0].headers["x-sentry-auth"]?.contains("sentry_key=abc") == true)
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
        try await Receiver.with(port: port) { receiver in
            await reporter.close()
            // One was on its way already.
            #expect((1...SentryReporter.queueLimit + 1).contains(receiver.received.count))
        }
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
}

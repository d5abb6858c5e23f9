import Domain
import Foundation
import Logging
import Metrics
@testable import Telemetry
import Testing
import Trace
import Web

@Suite struct TelemetryTests {
    @Test("shows counters, gauges and histograms as Prometheus reads them")
    func showsMetrics() {
        let registry = MetricRegistry()
        registry.makeCounter(label: "sold_total", dimensions: [("kind", "a\"b\\c\nd")])
            .increment(by: 3)
        registry.makeCounter(label: "sold_total", dimensions: [("kind", "a\"b\\c\nd")])
            .increment(by: 4)
        registry.makeRecorder(label: "depth", dimensions: [], aggregate: false).record(2.5)
        let timer = registry.makeTimer(label: "wait_seconds", dimensions: [])
        timer.recordNanoseconds(700_000)
        timer.recordNanoseconds(20_000_000_000)
        let text = registry.text(help: ["depth": "How deep it is."])
        #expect(
            text.hasPrefix(
                """
                # HELP depth How deep it is.
                # TYPE depth gauge
                depth 2.5
                # TYPE sold_total counter
                sold_total{kind="a\\"b\\\\c\\nd"} 7
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.0005"} 0
                wait_seconds_bucket{le="0.001"} 1

                """))
        #expect(text.contains("wait_seconds_bucket{le=\"10\"} 1\n"))
        #expect(
            text.hasSuffix(
                """
                wait_seconds_bucket{le="+Inf"} 2
                wait_seconds_sum 20.0007
                wait_seconds_count 2

                """))
    }

    @Test("writes each message as one line of JSON where there is no terminal")
    func writesLines() throws {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        var logger = Logger(label: "test") {
            LineLogHandler(label: $0, level: .info, output: output)
        }
        logger[metadataKey: "odd"] = "a \"quoted\" \\ line\nand \u{1} more"
        logger.info("hello")
        logger.debug("not this")
        logger.warning("careful", metadata: ["position": "7"])
        output.flush()
        try pipe.fileHandleForWriting.close()
        let lines = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            .split(separator: "\n")
        #expect(lines.count == 2)
        let objects = try lines.map {
            try #require(
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String])
        }
        #expect(objects[0]["message"] == "hello" && objects[0]["level"] == "info")
        #expect(objects[0]["odd"] == "a \"quoted\" \\ line\nand \u{1} more")
        #expect(objects[1]["message"] == "careful" && objects[1]["position"] == "7")
        #expect(
            objects[1]["time"]?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z/) != nil
        )
    }

    @Test("writes a line for people on a terminal, and lets nothing from outside move its cursor")
    func writesForPeople() throws {
        let pipe = Pipe()
        let output = LogOutput(
            descriptor: pipe.fileHandleForWriting.fileDescriptor, isTerminal: true)
        let logger = Logger(label: "test") {
            LineLogHandler(label: $0, level: .info, output: output)
        }
        logger.error("broken \u{1B}[2Jhere", metadata: ["reason": "a\nb"])
        output.flush()
        try pipe.fileHandleForWriting.close()
        let line = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let expected =
            #/\u{1B}\[2m\d\d:\d\d:\d\d\.\d{3}\u{1B}\[0m \u{1B}\[31mbroken  \[2Jhere\u{1B}\[0m  \u{1B}\[2mreason=\u{1B}\[0ma b\n/#
        #expect(line.wholeMatch(of: expected) != nil, "\(line.debugDescription)")
    }

    @Test("keeps nobody waiting whose lines nobody reads, and tells how many were dropped")
    func outlivesDeafReaders() async throws {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let logger = Logger(label: "test") {
            LineLogHandler(label: $0, level: .info, output: output)
        }
        let text = String(repeating: "x", count: 100_000)
        // A pipe holds some of it; with a thread of the pool at each line, all of the pool would stand still.
        for _ in 0...2 * LogOutput.limit / text.utf8.count { logger.error("\(text)") }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<50 { group.addTask { logger.warning("\(number)") } }
        }
        async let reading = elsewhere { pipe.fileHandleForReading.readDataToEndOfFile() }
        await elsewhere { output.flush() }
        try pipe.fileHandleForWriting.close()
        let all = String(decoding: await reading, as: UTF8.self)
        #expect(all.utf8.count < 3 * LogOutput.limit)
        #expect(
            all.contains("log lines were dropped"), "none was dropped of \(all.utf8.count) bytes")
    }

    /// What blocks, on no thread of the pool.
    private func elsewhere<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }

    @Test("takes a trace from its header, and none from a malformed one")
    func readsTraces() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let parent = TraceParent("00-\(trace)-00f067aa0ba902b7-01")
        #expect(parent?.traceDigits == trace && parent?.spanDigits == "00f067aa0ba902b7")
        #expect(parent?.description == "00-\(trace)-00f067aa0ba902b7-01")
        for wrong in [
            "", "00-\(trace)", "ff-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-00-01",
            "00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01",
            "00-\(String(repeating: "g", count: 32))-00f067aa0ba902b7-01",
        ] {
            #expect(TraceParent(wrong) == nil, "\(wrong)")
        }
    }
}

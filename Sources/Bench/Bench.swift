internal import Commands
internal import Foundation
internal import LocalServers
public import Logging
internal import Operations
internal import ServiceLifecycle
internal import Synchronization

/// Measures the whole system on this machine, against servers of its own, in one run.
///
/// Each figure is the median of several runs, and those that are compared take turns. Load comes
/// from `wrk` and `pgbench`, on the same processors as everything else.
public struct Bench: Sendable {
    /// Runs of each measurement.
    public var runs = 5
    /// Seconds of each run.
    public var seconds = 3
    /// Events in the log before anything is sold.
    public var eventCount = 1_000_000
    public var isJSON = false
    private let logger: Logger

    public init(logger: Logger) {
        self.logger = logger
    }

    /// Measures and prints; true when every figure is what it should be.
    ///
    /// A signal ends it early, and takes down what it had started.
    public func run() async throws -> Bool {
        let run = Run(bench: self)
        try await runServices([run], logger: logger)
        return run.isReached.withLock { $0 }
    }

    private final class Run: Service {
        let bench: Bench
        let isReached = Mutex(false)

        init(bench: Bench) {
            self.bench = bench
        }

        func run() async throws {
            try await cancelWhenGracefulShutdown {
                let isReached = try await self.bench.report()
                self.isReached.withLock { $0 = isReached }
            }
        }
    }

    private func report() async throws -> Bool {
        _ = try program("wrk")
        let machine = Machine()
        if !isJSON { print(machine.text) }
        let system = try await BenchSystem.start(logger: logger)
        do {
            let figures = try await measure(system)
            await system.stop()
            if isJSON {
                struct Report: Encodable {
                    let machine: Machine
                    let figures: [Figure]
                }
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                print(
                    String(
                        decoding: try encoder.encode(Report(machine: machine, figures: figures)),
                        as: UTF8.self))
            } else {
                print("")
                for figure in figures { print(figure.line) }
            }
            return figures.allSatisfy { $0.isReached ?? true }
        } catch {
            await system.stop()
            throw error
        }
    }

    private func measure(_ system: BenchSystem) async throws -> [Figure] {
        var figures: [Figure] = []
        func add(_ more: [Figure]) {
            if !isJSON { for figure in more { progress(figure.line) } }
            figures += more
        }
        progress("starting once, so that there are read models")
        try await system.up().stop(SIGTERM)
        let fleet = BenchFleet()
        let past = Past(fleet, eventCount: eventCount, runs: runs)
        progress("filling the log with \(eventCount) events")
        try await system.withLoop { loop in
            for envelope in [fleet.founding, fleet.extras] + fleet.assigning(past.berths) {
                _ = try await loop.submit(envelope)
            }
        }
        let logs = [system.connections.log(1), system.connections.log(1)]
        add(try await past.append(to: logs))
        progress("rebuilding the read models")
        let rebuilding = Rebuilding(system)
        add(try await rebuilding.measure())
        add(try await rebuilding.verify())
        add(try await rebuilding.starts())
        progress("letting PostgreSQL tidy up")
        try await system.settle()
        let up = try await system.up()
        do {
            try await sell(system, fleet, past, up.pid, add)
        } catch {
            await up.stop(SIGTERM)
            throw error
        }
        await up.stop(SIGTERM)
        return figures
    }

    private func sell(
        _ system: BenchSystem, _ fleet: BenchFleet, _ past: Past, _ pid: Int32,
        _ add: ([Figure]) -> Void
    ) async throws {
        let selling = Selling(system, fleet, runs: runs, seconds: seconds, progress: progress)
        progress("waiting until everything is published")
        try await selling.untilPublished()
        add(try await selling.hotSailing(orderSize: past.orderSize))
        add(try await selling.oneClient())
        if eventCount >= 1_000_000 {
            add(try await selling.whileRebuilding())
            add(try await selling.whileSwapping())
        }
        add(try await selling.flatness(past))
        add(try await selling.rush())
        add(try await selling.burst(buyers: 250))
        add(try await selling.burst(buyers: 1000))
        add(try await selling.visibility())
        try await selling.untilPublished()
        progress("letting PostgreSQL tidy up, and looking things up")
        try await system.settle()
        add(try await LookingUp(system, fleet, past).measure())
        add([
            Figure(
                name: "resident memory of up's own process",
                value: try BenchSystem.residentMegabytes(of: pid), unit: "MB", aim: .atMost(200))
        ])
    }

    private func progress(_ text: String) {
        FileHandle.standardError.write(Data("  \(text)\n".utf8))
    }
}

/// What the figures were measured on.
struct Machine: Encodable {
    let processor: String
    let processorCount: Int
    let memoryGigabytes: Double
    let kernel: String

    init() {
        func field(_ file: String, _ name: String) -> String {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
            return line.split(separator: ":").last.map {
                $0.trimmingCharacters(in: .whitespaces)
            } ?? "?"
        }
        processor = field("/proc/cpuinfo", "model name")
        processorCount = ProcessInfo.processInfo.activeProcessorCount
        memoryGigabytes = Double(ProcessInfo.processInfo.physicalMemory) / 1_073_741_824
        kernel =
            (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? "?"
    }

    var text: String {
        "\(processorCount) x \(processor), \(number(memoryGigabytes)) GB, Linux \(kernel), "
            + "everything on this machine, fsync on"
    }
}

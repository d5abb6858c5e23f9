internal import AsyncHTTPClient
internal import EventLog
internal import Glibc
internal import LocalServers
internal import NIOCore
internal import NIOHTTP1
internal import Operations
internal import Postgres
internal import ProjectionEngine
internal import Projections

/// Read models built anew from the whole log, beside what reading it costs at the least.
struct Rebuilding {
    private let system: BenchSystem

    init(_ system: BenchSystem) {
        self.system = system
    }

    func measure() async throws -> [Figure] {
        let head = Double(try await system.connections.log(1).head())
        let session = try await PostgresSession.connect(to: system.connections.administrative)
        let copy = try await seconds {
            try await session.execute("COPY log.event TO '/dev/null' (FORMAT binary)")
        }
        var rates: [(name: String, rate: Double)] = []
        for model in AllReadModels.list {
            let spent = try await seconds { try await rebuild([model]) }
            rates.append((model.name, head / spent))
        }
        let slowest = rates.map(\.rate).min() ?? 0
        let seats = rates.first { $0.name == SailingAvailability.name }?.rate ?? 0
        // What was built one after the other is to be written and tidied up by PostgreSQL, which would do so meanwhile.
        try await system.settle()
        var peak = 0.0
        let together = head / (try await seconds { peak = try await rebuildAll("--no-compare") })
        try await system.settle()
        let compared = try await seconds { peak = max(peak, try await rebuildAll()) }
        return [
            Figure(
                name: "rebuild over \(Int(head)) events, the slowest read model", value: slowest,
                unit: "events/s", aim: .atLeast(100_000),
                note: rates.map { "\($0.name) \(number($0.rate))" }.joined(separator: ", ")),
            Figure(
                name: "rebuild, of the rate of COPY to /dev/null", value: slowest / (head / copy),
                unit: "ratio", note: "COPY \(number(head / copy))/s"),
            Figure(
                name: "rebuild of \(SailingAvailability.name)", value: seats, unit: "events/s",
                aim: .atLeast(300_000)),
            Figure(
                name: "rebuild of all read models in one reading", value: together,
                unit: "events/s", aim: .atLeast(100_000),
                note: "with comparison \(number(head / compared))"),
            Figure(
                name: "the most memory of 'rebuild --all'", value: peak, unit: "MB",
                aim: .atMost(1024)),
        ]
    }

    /// The whole log read and its chain of hashes made anew.
    func verify() async throws -> [Figure] {
        let log = system.connections.log(2)
        let head = Double(try await log.head())
        let spent = try await seconds {
            let faults = try await log.verify().faults
            guard faults.isEmpty else { throw BenchError("the log is not sound: \(faults)") }
        }
        return [
            Figure(
                name: "verify of the chain", value: head / spent, unit: "events/s",
                aim: .atLeast(300_000))
        ]
    }

    /// From the start of a role that has a full log before it until it is ready.
    func starts() async throws -> [Figure] {
        var figures: [Figure] = []
        for role in ["command-api", "query-api", "projector"] {
            let began = ContinuousClock.now
            let (child, port) = try system.role(role)
            try await wait(role) {
                let answer = try? await HTTPClient.shared.get(
                    url: "http://127.0.0.1:\(port)/readyz"
                ).get()
                return answer?.status == .ok
            }
            let spent = ContinuousClock.now - began
            await child.stop(SIGTERM)
            figures.append(
                Figure(
                    name: "start of \(role)", value: spent.inSeconds, unit: "s", aim: .atMost(1)))
        }
        return figures
    }

    private func rebuild(_ models: [any ReadModel.Type]) async throws {
        var rebuild = Rebuild(
            models, from: system.connections.log(2), configuration: system.connections.rebuildable)
        rebuild.compares = false
        _ = try await rebuild.run()
    }

    /// All of them as an operator does it; the most memory that it had, in MB.
    private func rebuildAll(_ options: String...) async throws -> Double {
        let child = try system.start(
            ["rebuild", "--all"] + options, log: system.folder + "/rebuild.log")
        var peak = 0.0
        try await wait("the rebuild ends", limit: .seconds(600)) {
            peak = max(peak, (try? BenchSystem.peakMegabytes(of: child.pid)) ?? 0)
            return !child.isRunning
        }
        guard child.hasSucceeded else {
            throw BenchError("the rebuild failed: see \(system.folder)/rebuild.log")
        }
        return peak
    }

    private func seconds(_ work: () async throws -> Void) async throws -> Double {
        let began = ContinuousClock.now
        try await work()
        return (ContinuousClock.now - began).inSeconds
    }
}

internal import EventLog
internal import Glibc
internal import LocalServers
internal import Operations
internal import Postgres
internal import ProjectionEngine
internal import Projections

/// Bookings on one hot sailing while a process of its own rebuilds, and while none does.
extension Selling {
    /// All read models, while the log is read.
    func whileRebuilding() async throws -> [Figure] {
        var (without, with, p99): ([Double], [Double], [Double]) = ([], [], [])
        for run in 1...runs {
            progress("selling while rebuilding, run \(run) of \(runs)")
            without.append(try await loadNewSailing().perSecond)
            let rebuild = try startRebuild("--all")
            try await Task.sleep(for: .milliseconds(500))
            let busy = try await loadNewSailing()
            guard rebuild.isRunning else {
                throw BenchError("the rebuild was over before the selling: it needs more --events")
            }
            await rebuild.stop(SIGKILL)
            try await giveUpRebuilds()
            with.append(busy.perSecond)
            p99.append(busy.p99 / 1000)
        }
        try await untilPublished()
        return [
            Figure(
                name: "hot sailing while all read models are rebuilt",
                value: with.median / without.median, unit: "ratio", aim: .atLeast(0.7),
                note: "\(number(with.median)) of \(number(without.median)) bookings/s"),
            Figure(
                name: "  p99", value: p99.median, unit: "ms", aim: .atMost(100), note: p99.spread),
        ]
    }

    /// The read model with the largest indexes, from where all has been read: it is indexed, compared, catches up
    /// and is swapped.
    func whileSwapping() async throws -> [Figure] {
        let model = BookingSearch.name
        progress("rebuilding \(model), to be swapped while selling")
        let head = try await system.connections.log(1).head()
        let reading = try startRebuild(model, "--until", "\(head)")
        try await end(of: reading)
        try await system.settle()
        var calm: [Double] = []
        for _ in 0..<runs { calm.append(try await loadNewSailing().perSecond) }
        let without = calm.median
        let rebuild = try startRebuild(model)
        let began = ContinuousClock.now
        var loads: [Wrk.Outcome] = []
        while rebuild.isRunning {
            progress("selling while \(model) is swapped, load \(loads.count + 1)")
            loads.append(try await loadNewSailing())
        }
        let spent = ContinuousClock.now - began
        try await end(of: rebuild)
        try await untilPublished()
        // The last went on after the end.
        let rates = (loads.count > 1 ? loads.dropLast() : loads[...]).map(\.perSecond)
        let p99 = loads.map { $0.p99 / 1000 }
        let mean = rates.reduce(0, +) / Double(rates.count)
        return [
            Figure(
                name: "hot sailing while a read model is indexed, compared and swapped",
                value: mean / without, unit: "ratio", aim: .atLeast(0.7),
                note:
                    "\(rates.map { number($0) }.joined(separator: ", ")) of \(number(without)) bookings/s, "
                    + "\(number(spent.inSeconds)) s"),
            Figure(
                name: "  p99", value: p99.median, unit: "ms", aim: .atMost(100), note: p99.spread),
        ]
    }

    private func loadNewSailing() async throws -> Wrk.Outcome {
        try await load(try await launch(1, capacity: Self.amplySeated), Self.connectionCount)
    }

    private func startRebuild(_ arguments: String...) throws -> ChildProcess {
        try system.start(["rebuild"] + arguments, log: system.folder + "/rebuild.log")
    }

    private func end(of rebuild: ChildProcess) async throws {
        try await wait("the rebuild", limit: .seconds(600)) { !rebuild.isRunning }
        guard rebuild.hasSucceeded else {
            throw BenchError("the rebuild failed: see \(system.folder)/rebuild.log")
        }
    }

    private func giveUpRebuilds() async throws {
        let client = system.connections.writingClient(1)
        for model in AllReadModels.list {
            _ = try await RebuildControl.want(.cancel, of: model.name, client)
        }
        await client.close()
    }
}

import Testing

@testable import Postgres

/// Scripts of what is sent and received, and what the callers are told; no server.
@Suite struct PipelineTests {
    private let fault = PostgresError(kind: .other(sqlState: "22012"), message: "division by zero")
    private let skipped = PostgresError(kind: .skipped, message: "an earlier statement failed")

    @Test("answers units in the order in which they were sent")
    func answersInOrder() {
        var pipeline = Pipeline<String>()
        pipeline.sent(.init(steps: [.execute], answer: "first"))
        pipeline.sent(.init(steps: [.execute, .execute], answer: "second"))
        pipeline.received(.success(nil))
        #expect(pipeline.synced().answer == "first")
        pipeline.received(.success(nil))
        pipeline.received(.success(nil))
        let second = pipeline.synced()
        #expect(second.answer == "second")
        #expect(second.results.count == 2)
        #expect(pipeline.isIdle)
    }

    @Test("reports why a statement could not be prepared, and forgets that it was")
    func reportsFailedPreparation() {
        var pipeline = Pipeline<String>()
        pipeline.sent(.init(steps: [.prepare(name: "s0"), .execute], answer: "only"))
        #expect(pipeline.prepared == ["s0"])
        pipeline.received(.failure(fault))
        pipeline.received(.failure(skipped))
        let unit = pipeline.synced()
        guard case .failure(let error) = unit.results[0] else {
            Issue.record("the failed preparation was not reported")
            return
        }
        #expect(error.kind == fault.kind)
        #expect(pipeline.prepared.isEmpty)
    }

    @Test("takes what fails at the sync point for the failure of all of the unit")
    func failsAtSync() {
        var pipeline = Pipeline<String>()
        pipeline.sent(.init(steps: [.execute], answer: "first"))
        pipeline.sent(.init(steps: [], answer: "empty"))
        for expected in ["first", "empty"] {
            if expected == "first" { pipeline.received(.success(nil)) }
            pipeline.received(.failure(fault))
            let unit = pipeline.synced()
            #expect(unit.answer == expected)
            #expect(throws: PostgresError.self) { _ = try unit.results.last?.get() }
        }
        #expect(pipeline.isIdle)
    }

    @Test("fails everything that is in flight, once")
    func failsAll() {
        var pipeline = Pipeline<Int>()
        for number in 1...3 { pipeline.sent(.init(steps: [.execute], answer: number)) }
        pipeline.received(.success(nil))
        _ = pipeline.synced()
        #expect(pipeline.failAll() == [2, 3])
        #expect(pipeline.failAll().isEmpty)
    }

    @Test("keeps count over thousands of units")
    func survivesManyUnits() {
        var pipeline = Pipeline<Int>()
        for number in 0..<5000 { pipeline.sent(.init(steps: [.execute], answer: number)) }
        for number in 0..<5000 {
            pipeline.received(.success(nil))
            #expect(pipeline.synced().answer == number)
        }
        #expect(pipeline.isIdle)
    }
}

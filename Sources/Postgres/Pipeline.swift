/// Statements sent and not yet answered, in the order in which their answers come.
///
/// A pure value: it says what an answer means, and does nothing. See "Pipeline Mode" in libpq's
/// documentation: each statement yields one result, each sync point one more.
struct Pipeline<Answer> {
    enum Step: Equatable {
        case prepare(name: String)
        case execute
    }

    /// What was sent between two sync points: one implicit transaction.
    struct Unit {
        var steps: [Step]
        var answer: Answer
        fileprivate(set) var results: [Result<Rows?, PostgresError>] = []
        fileprivate(set) var answeredCount = 0
    }

    private var units: [Unit] = []
    private var first = 0
    /// Statements that the server has, or will have when it gets to them.
    private(set) var prepared: Set<String> = []

    var isIdle: Bool { first == units.count }
    /// The number of units not yet answered.
    var depth: Int { units.count - first }

    mutating func sent(_ unit: Unit) {
        for case .prepare(let name) in unit.steps { prepared.insert(name) }
        units.append(unit)
    }

    mutating func received(_ result: Result<Rows?, PostgresError>) {
        precondition(!isIdle, "an answer to nothing")
        guard units[first].answeredCount < units[first].steps.count else {
            return receivedAtSync(result)
        }
        let step = units[first].steps[units[first].answeredCount]
        units[first].answeredCount += 1
        switch (step, result) {
        case (.prepare(let name), .failure(let error)):
            prepared.remove(name)
            // The statement that follows is reported as skipped; its reason stands here.
            if error.kind != .skipped { units[first].results.append(.failure(error)) }
        case (.prepare, .success): break
        case (.execute, _): units[first].results.append(result)
        }
    }

    /// Every statement was answered, and the sync point is not reached: it is there that PostgreSQL commits,
    /// and what fails then, or ends the connection, belongs to no statement but to all of the unit.
    private mutating func receivedAtSync(_ result: Result<Rows?, PostgresError>) {
        guard case .failure = result else { preconditionFailure("an answer to no statement") }
        units[first].results.append(result)
    }

    /// The server reached the sync point that ends the oldest unit.
    mutating func synced() -> (answer: Answer, results: [Result<Rows?, PostgresError>]) {
        precondition(!isIdle, "a sync point that nobody sent")
        let unit = units[first]
        precondition(unit.answeredCount == unit.steps.count, "a statement went unanswered")
        first += 1
        if first == units.count || first > 1024 {
            units.removeFirst(first)
            first = 0
        }
        return (unit.answer, unit.results)
    }

    /// Nothing that was sent will be answered any more.
    mutating func failAll() -> [Answer] {
        defer {
            units.removeAll()
            first = 0
            prepared.removeAll()
        }
        return units[first...].map(\.answer)
    }
}

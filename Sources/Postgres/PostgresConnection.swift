internal import CPostgres
internal import Glibc

/// One execution of a statement, with its parameters in PostgreSQL's binary format.
public struct PostgresCall: Sendable {
    public var sql: String
    public var parameters: [PostgresValue]

    public init(_ sql: String, _ parameters: [PostgresValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}

/// One connection in pipeline mode. Every libpq call on it happens on the loop's thread.
///
/// Each statement is prepared the first time it is used; parameters and results are binary.
public actor PostgresConnection {
    /// Units in flight above which ``run(_:)`` refuses: somebody is not waiting for his answers.
    public static let depthLimit = 4096

    private let handle: ConnectionHandle
    /// libpq forgets the number when it closes a broken socket, and the loop still watches it.
    private let socket: CInt
    private var pipeline = Pipeline<CheckedContinuation<[Result<Rows?, PostgresError>], Never>>()
    private var names: [String: String] = [:]
    private var failure: PostgresError?
    private let answerTimeout: Duration
    /// When the server was heard last, or something was sent of which it is to be heard.
    private var waitingSince = ContinuousClock.now

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        PostgresLoop.shared.asUnownedSerialExecutor()
    }

    /// Connects. Throws ``PostgresError`` of kind `unreachable` when that fails or takes too long.
    public static func connect(
        to configuration: PostgresConfiguration
    ) async throws(PostgresError) -> PostgresConnection {
        let handle = try await Connector().connect(configuration)
        let isLimited = configuration.statementTimeout > .zero
        let connection = PostgresConnection(
            handle, answerTimeout: isLimited ? configuration.answerTimeout : .zero)
        await connection.start()
        return connection
    }

    private init(_ handle: ConnectionHandle, answerTimeout: Duration) {
        self.handle = handle
        self.answerTimeout = answerTimeout
        socket = handle.socket
    }

    private func start() {
        precondition(PQenterPipelineMode(handle.pointer) == 1, "a fresh connection is busy")
        PostgresLoop.shared.watch(socket, for: POLLIN) { [weak self] _ in
            guard let self else { return }
            assumeIsolated { $0.socketIsReady() }
        }
        guard answerTimeout > .zero else { return }
        let interval = answerTimeout / 10
        Task { [weak self] in
            while true {
                try? await Task.sleep(for: interval)
                guard let self, await self.isAnswering() else { return }
            }
        }
    }

    /// Gives the link up when the server has been silent for too long; false when it is broken.
    private func isAnswering() -> Bool {
        if !pipeline.isIdle, .now - waitingSince > answerTimeout {
            fail(because: "PostgreSQL did not answer within \(answerTimeout)")
        }
        return failure == nil
    }

    /// Units that wait for their answers.
    var waitingCount: Int { pipeline.depth }

    /// Whether the link is known to be broken; it never mends, connect anew.
    public var isBroken: Bool { failure != nil }

    /// Runs `calls` as one implicit transaction: all take effect, or none does.
    ///
    /// Returns one result set for each call, in the same order. Throws the error of the call that
    /// failed; of kind `connectionLost` when the outcome is unknown. Cancelling the task does not
    /// cancel the statements: they were sent, and may commit.
    @discardableResult
    public func run(_ calls: [PostgresCall]) async throws(PostgresError) -> [Rows] {
        if let failure {
            throw PostgresError(kind: .unreachable, message: failure.message)
        }
        guard pipeline.depth < Self.depthLimit else {
            throw PostgresError(kind: .unreachable, message: "too many statements in flight")
        }
        let results = await withCheckedContinuation { answer in
            send(calls, answer)
        }
        var rows: [Rows] = []
        for result in results {
            if let result = try result.get() { rows.append(result) }
        }
        return rows
    }

    @discardableResult
    public func run(
        _ sql: String, _ parameters: [PostgresValue] = []
    ) async throws(PostgresError) -> Rows {
        try await run([PostgresCall(sql, parameters)])[0]
    }

    private func send(
        _ calls: [PostgresCall],
        _ answer: CheckedContinuation<[Result<Rows?, PostgresError>], Never>
    ) {
        var steps: [Pipeline<CheckedContinuation<[Result<Rows?, PostgresError>], Never>>.Step] = []
        var isSent = true
        for call in calls where isSent {
            let name = name(of: call.sql)
            if !pipeline.prepared.contains(name), !steps.contains(.prepare(name: name)) {
                steps.append(.prepare(name: name))
                isSent = PQsendPrepare(handle.pointer, name, call.sql, 0, nil) == 1
            }
            steps.append(.execute)
            isSent = isSent && call.send(name, on: handle.pointer)
        }
        if pipeline.isIdle { waitingSince = .now }
        pipeline.sent(.init(steps: steps, answer: answer))
        guard isSent, PQpipelineSync(handle.pointer) == 1 else { return fail() }
        flush()
    }

    private func name(of sql: String) -> String {
        if let name = names[sql] { return name }
        let name = "s\(names.count)"
        names[sql] = name
        return name
    }

    /// Writes what the socket will take, and asks to be woken when it will take more.
    private func flush() {
        let pending = PQflush(handle.pointer)
        guard pending >= 0 else { return fail() }
        PostgresLoop.shared.setEvents(pending == 1 ? POLLIN | POLLOUT : POLLIN, of: socket)
    }

    /// Reads before it writes: the server may be blocked sending to us and not reading.
    private func socketIsReady() {
        guard failure == nil else { return }
        guard PQconsumeInput(handle.pointer) == 1 else { return fail() }
        waitingSince = .now
        receive()
        if failure == nil { flush() }
    }

    /// Takes each result that has fully arrived; a nil one only separates two statements.
    private func receive() {
        while !pipeline.isIdle, PQisBusy(handle.pointer) == 0 {
            guard let result = PQgetResult(handle.pointer) else {
                if PQstatus(handle.pointer) == CONNECTION_BAD { return fail() }
                continue
            }
            if PQresultStatus(result) == PGRES_PIPELINE_SYNC {
                PQclear(result)
                let unit = pipeline.synced()
                unit.answer.resume(returning: unit.results)
            } else {
                let outcome = Rows(owning: result).outcome(result)
                if case .failure(let error) = outcome, PQstatus(handle.pointer) == CONNECTION_BAD {
                    return fail(because: error.message)
                }
                pipeline.received(outcome)
            }
        }
    }

    private func fail(because message: String? = nil) {
        guard failure == nil else { return }
        let lost = PostgresError(kind: .connectionLost, connection: handle.pointer)
        let error = PostgresError(kind: .connectionLost, message: message ?? lost.message)
        failure = error
        PostgresLoop.shared.unwatch(socket)
        for answer in pipeline.failAll() { answer.resume(returning: [.failure(error)]) }
    }
}

/// Connects on the loop's thread, where libpq calls belong.
actor Connector {
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        PostgresLoop.shared.asUnownedSerialExecutor()
    }

    func connect(
        _ configuration: PostgresConfiguration
    ) async throws(PostgresError) -> ConnectionHandle {
        try await ConnectionHandle.connect(configuration)
    }
}

extension Rows {
    /// Maps the status of a result at the place where it is taken.
    func outcome(_ result: OpaquePointer) -> Result<Rows?, PostgresError> {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: .success(self)
        case PGRES_PIPELINE_ABORTED:
            .failure(PostgresError(kind: .skipped, message: "an earlier statement failed"))
        default: .failure(PostgresError(result: result))
        }
    }
}

extension PostgresCall {
    /// libpq copies the parameters before it returns, so the pointers only live for the call.
    fileprivate func send(_ name: String, on connection: OpaquePointer) -> Bool {
        let bytes = parameters.flatMap { $0.bytes ?? [] }
        let lengths = parameters.map { CInt($0.bytes?.count ?? 0) }
        let formats = [CInt](repeating: 1, count: parameters.count)
        return bytes.withUnsafeBytes { bytes in
            // An empty value needs a pointer that is not nil, for nil means NULL.
            withUnsafePointer(to: CChar(0)) { nothing in
                var next = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) ?? nothing
                var values: [UnsafePointer<CChar>?] = []
                values.reserveCapacity(parameters.count)
                for parameter in parameters {
                    values.append(parameter.bytes == nil ? nil : next)
                    next += parameter.bytes?.count ?? 0
                }
                return PQsendQueryPrepared(
                    connection, name, CInt(parameters.count), values, lengths, formats, 1) == 1
            }
        }
    }
}

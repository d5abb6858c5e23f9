internal import CNATS
internal import NIOConcurrencyHelpers

/// Publishes runs of messages to JetStream, each expecting to follow the one before it.
///
/// `@unchecked Sendable`: libnats locks inside its own calls, `context` never changes, and what
/// the acknowledgement thread shares with us is behind `runs`.
public final class StreamPublisher: @unchecked Sendable {
    /// The most messages of one run; libnats blocks a publish only above twice as many in flight.
    public static let runLimit = 1000

    private let bus: BusConnection
    private let context: OpaquePointer
    /// The run in flight, and whether the publisher is closed.
    private let runs = NIOLockedValueBox(Runs())

    private struct Runs {
        var current: Run?
        var isClosed = false
    }

    private struct Run {
        var pendingCount: Int
        var acknowledgedCount = 0
        var failure: BusError?
        var answer: CheckedContinuation<Result<Void, BusError>, Never>?
    }

    public init(on bus: BusConnection) throws(BusError) {
        self.bus = bus
        var options = jsOptions()
        jsOptions_Init(&options)
        options.Wait = BusConnection.requestTimeoutMilliseconds
        options.PublishAsync.MaxPending = Int64(Self.runLimit * 2)
        let box = AcknowledgementBox()
        options.PublishAsync.AckHandler = { _, message, acknowledged, failed, closure in
            let box = Unmanaged<AcknowledgementBox>.fromOpaque(closure!).takeUnretainedValue()
            let error = failed.map { BusError($0.pointee.Err, code: $0.pointee.ErrCode) }
            box.publisher?.settle(acknowledged == nil ? error ?? BusError(NATS_ERR) : nil)
            // "The user is responsible for destroying the message" (nats.h).
            natsMsg_Destroy(message)
        }
        options.PublishAsync.AckHandlerClosure = Unmanaged.passUnretained(box).toOpaque()
        var context: OpaquePointer?
        let status = natsConnection_JetStream(&context, bus.connection, &options)
        guard status == NATS_OK, let context else { throw BusError(status) }
        self.context = context
        self.box = box
        box.publisher = self
    }

    private let box: AcknowledgementBox

    /// Publishes `messages` so that they get the sequences after `lastSequence`, in order.
    ///
    /// Each message is taken at its own sequence or not at all; so of a run that begins too early
    /// the stream takes what comes after its end. Returns when all are acknowledged. Throws ``BusError``: `wrongLastSequence` when the stream
    /// goes on from elsewhere; `timedOut` and others when some may be in the stream and some not,
    /// in which case the stream's state says where to go on. One run at a time.
    public func publish(
        _ messages: [BusMessage], after lastSequence: Int
    ) async throws(BusError) {
        precondition(messages.count <= Self.runLimit, "a run of \(messages.count) messages")
        guard !messages.isEmpty else { return }
        let result: Result<Void, BusError> = await withCheckedContinuation { answer in
            let isOpen = runs.withLockedValue { runs in
                precondition(runs.current == nil, "two runs at a time")
                guard !runs.isClosed else { return false }
                runs.current = Run(pendingCount: messages.count, answer: answer)
                return true
            }
            guard isOpen else {
                return answer.resume(
                    returning: .failure(BusError(kind: .closed, message: "the publisher is closed"))
                )
            }
            Task { try? await bus.call { [self] in send(messages, after: lastSequence) } }
        }
        try result.get()
    }

    /// libnats drops what is in flight without calling back, so we answer for it.
    public func close() {
        let run = runs.withLockedValue { runs in
            defer { runs.current = nil }
            runs.isClosed = true
            return runs.current
        }
        run?.answer?.resume(
            returning: .failure(
                BusError(kind: .closed, message: "closed before the server answered")))
    }

    deinit {
        // No acknowledgement is under way any more once this returns, so the box may go.
        jsCtx_Destroy(context)
    }

    private func send(_ messages: [BusMessage], after lastSequence: Int) {
        for (index, message) in messages.enumerated() {
            do throws(BusError) {
                try send(message, after: lastSequence + index)
            } catch {
                for _ in index..<messages.count { settle(error) }
                return
            }
        }
    }

    private func send(_ message: BusMessage, after sequence: Int) throws(BusError) {
        var message: OpaquePointer? = try message.makeMessage()
        var options = jsPubOptions()
        jsPubOptions_Init(&options)
        // Without a limit, an answer that is lost is never reported.
        options.MaxWait = BusConnection.requestTimeoutMilliseconds
        if sequence > 0 {
            options.ExpectLastSeq = UInt64(sequence)
        } else {
            // Zero in the options means "not set"; the header says it.
            natsMsgHeader_Set(message, "Nats-Expected-Last-Sequence", "0")
        }
        let status = js_PublishMsgAsync(context, &message, &options)
        guard status == NATS_OK else {
            natsMsg_Destroy(message)
            throw BusError(status)
        }
    }

    /// Counts one message of the run as answered. Runs on a libnats thread: count, hand over.
    fileprivate func settle(_ error: BusError?) {
        let finished: Run? = runs.withLockedValue { runs in
            guard var run = runs.current else { return nil }
            run.pendingCount -= 1
            // The first failure is the reason; the ones after it only follow from it.
            if let error, run.failure == nil { run.failure = error }
            runs.current = run.pendingCount == 0 ? nil : run
            return run.pendingCount == 0 ? run : nil
        }
        guard let finished else { return }
        finished.answer?.resume(
            returning: finished.failure.map { .failure($0) } ?? .success(()))
    }
}

/// Lets the acknowledgement handler find its publisher without keeping it alive.
///
/// `@unchecked Sendable`: `publisher` is set once, before anything is published.
private final class AcknowledgementBox: @unchecked Sendable {
    weak var publisher: StreamPublisher?
}

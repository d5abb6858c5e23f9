internal import CNATS
internal import Dispatch
public import Logging

/// A link to NATS that mends itself, and what hangs on it: streams, runs of messages, subscriptions.
///
/// `@unchecked Sendable`: "The library is thread-safe" where a connection is concerned (README of
/// libnats); both pointers never change, and are freed once, after `deinit`, when nobody has them.
public final class BusConnection: @unchecked Sendable {
    let connection: OpaquePointer
    let context: OpaquePointer
    /// libnats calls block; they run here, never on the cooperative pool.
    private let queue = DispatchQueue(label: "quartermaster.bus")

    /// How long a question to the server may take.
    public static let requestTimeoutMilliseconds: Int64 = 5_000
    static let reconnectWaitMilliseconds: Int64 = 100
    static let reconnectJitterMilliseconds: Int64 = 100

    /// Connects; throws ``BusError`` of kind `unreachable` when nobody answers.
    ///
    /// A link that breaks later is mended in the background for as long as it takes.
    public static func connect(to url: String, logger: Logger) async throws(BusError)
        -> BusConnection
    {
        let queue = DispatchQueue(label: "quartermaster.bus.connect")
        return try await run(on: queue) { () throws(BusError) in
            try BusConnection(url: url)
        }
    }

    private init(url: String) throws(BusError) {
        var options: OpaquePointer?
        var status = natsOptions_Create(&options)
        defer { natsOptions_Destroy(options) }
        if status == NATS_OK { status = natsOptions_SetURL(options, url) }
        if status == NATS_OK { status = natsOptions_SetName(options, "quartermaster") }
        if status == NATS_OK { status = natsOptions_SetMaxReconnect(options, -1) }
        if status == NATS_OK {
            status = natsOptions_SetTimeout(options, Self.requestTimeoutMilliseconds)
        }
        if status == NATS_OK {
            status = natsOptions_SetReconnectWait(options, Self.reconnectWaitMilliseconds)
        }
        if status == NATS_OK {
            status = natsOptions_SetReconnectJitter(
                options, Self.reconnectJitterMilliseconds, Self.reconnectJitterMilliseconds)
        }
        if status == NATS_OK {
            status = natsOptions_SetWriteDeadline(options, Self.requestTimeoutMilliseconds)
        }
        var connection: OpaquePointer?
        if status == NATS_OK { status = natsConnection_Connect(&connection, options) }
        guard status == NATS_OK, let connection else { throw BusError(status) }
        var context: OpaquePointer?
        var streamOptions = jsOptions()
        jsOptions_Init(&streamOptions)
        streamOptions.Wait = Self.requestTimeoutMilliseconds
        status = natsConnection_JetStream(&context, connection, &streamOptions)
        guard status == NATS_OK, let context else {
            natsConnection_Destroy(connection)
            throw BusError(status)
        }
        self.connection = connection
        self.context = context
    }

    /// To close a link waits for its threads, one of which may be looking for a server that does not answer: nobody
    /// else is to wait with it.
    static let reaper = DispatchQueue(label: "quartermaster.bus.reaper")

    deinit {
        let addresses = [UInt(bitPattern: context), UInt(bitPattern: connection)]
        Self.reaper.async {
            jsCtx_Destroy(OpaquePointer(bitPattern: addresses[0]))
            natsConnection_Destroy(OpaquePointer(bitPattern: addresses[1]))
        }
    }

    /// Runs a blocking call aside.
    func call<Answer: Sendable>(
        _ body: @escaping @Sendable () throws(BusError) -> Answer
    ) async throws(BusError) -> Answer {
        try await run(on: queue, body)
    }

    // MARK: Plain messages

    /// Sends without any promise that it arrives.
    public func send(_ message: BusMessage) throws(BusError) {
        let sent = try message.makeMessage()
        defer { natsMsg_Destroy(sent) }
        let status = natsConnection_PublishMsg(connection, sent)
        guard status == NATS_OK else { throw BusError(status) }
    }

    /// The messages of `subject` (which may hold wildcards) from now on, until the reader stops.
    ///
    /// Of messages that are not read in time the oldest are dropped, above `bufferLimit`.
    public func messages(
        of subject: String, bufferLimit: Int = 1024
    ) throws(BusError) -> AsyncStream<BusMessage> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: BusMessage.self, bufferingPolicy: .bufferingNewest(bufferLimit))
        let reader = SubscriptionReader(continuation)
        let closure = Unmanaged.passRetained(reader).toOpaque()
        var pointer: OpaquePointer?
        let status = natsConnection_Subscribe(
            &pointer, connection, subject,
            { _, _, message, closure in
                let reader = Unmanaged<SubscriptionReader>.fromOpaque(closure!)
                    .takeUnretainedValue()
                reader.continuation.yield(BusMessage(copying: message!))
                natsMsg_Destroy(message)
            }, closure)
        guard status == NATS_OK, let pointer else {
            Unmanaged<SubscriptionReader>.fromOpaque(closure).release()
            throw BusError(status)
        }
        // Released when "the last message has been processed" (nats.h), not when we unsubscribe; so it is too when the
        // link is closed for good, as after a password that is no longer right.
        let isHeard = natsSubscription_SetOnCompleteCB(
            pointer,
            { closure in
                let reader = Unmanaged<SubscriptionReader>.fromOpaque(closure!)
                reader.takeUnretainedValue().continuation.finish()
                reader.release()
            }, closure)
        guard isHeard == NATS_OK else {
            natsSubscription_Destroy(pointer)
            throw BusError(isHeard)
        }
        let address = UInt(bitPattern: pointer)
        continuation.onTermination = { [self] _ in
            queue.async {
                natsSubscription_Destroy(OpaquePointer(bitPattern: address))
                withExtendedLifetime(self) {}
            }
        }
        return stream
    }
}

private final class SubscriptionReader: Sendable {
    let continuation: AsyncStream<BusMessage>.Continuation

    init(_ continuation: AsyncStream<BusMessage>.Continuation) {
        self.continuation = continuation
    }
}

/// Runs a blocking call on `queue`, and waits for it without blocking.
func run<Answer: Sendable>(
    on queue: DispatchQueue, _ body: @escaping @Sendable () throws(BusError) -> Answer
) async throws(BusError) -> Answer {
    let result: Result<Answer, BusError> = await withCheckedContinuation { continuation in
        queue.async {
            do throws(BusError) {
                continuation.resume(returning: .success(try body()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
}

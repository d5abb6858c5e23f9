internal import CNATS

extension BusConnection {
    /// The most messages of one run, and so of those on their way that nobody has acknowledged.
    public static let runLimit = 1000

    /// Publishes `messages` to JetStream so that they get the sequences after `lastSequence`, in
    /// order, and returns when they stand there.
    ///
    /// Each message is taken at its own sequence or not at all, and there is one publisher at a time;
    /// so only the first and the last of a run are acknowledged: where those two are in their places,
    /// all between them are. Throws ``BusError``: `wrongLastSequence` when the stream goes on from
    /// elsewhere, or has refused a message between the two, whose own reason comes when the next run
    /// begins with it; `timedOut` and others when some may be in the stream and some not. In each case
    /// the stream's state says where to go on.
    ///
    /// Source: NATS documentation, "JetStream headers", `Nats-Expected-Last-Sequence`.
    public func publish(
        _ messages: [BusMessage], after lastSequence: Int
    ) async throws(BusError) {
        precondition(messages.count <= Self.runLimit, "a run of \(messages.count) messages")
        guard !messages.isEmpty else { return }
        try await call { [self] () throws(BusError) in
            for (index, message) in messages.enumerated() {
                let isAcknowledged = index == 0 || index == messages.count - 1
                try publish(message, after: lastSequence + index, isAcknowledged: isAcknowledged)
            }
        }
    }

    private func publish(
        _ message: BusMessage, after sequence: Int, isAcknowledged: Bool
    ) throws(BusError) {
        let pointer = try message.makeMessage()
        defer { natsMsg_Destroy(pointer) }
        // The option of the same meaning takes zero for "not set"; the header does not.
        var status = natsMsgHeader_Set(pointer, "Nats-Expected-Last-Sequence", "\(sequence)")
        var code = jsErrCode(0)
        if status == NATS_OK {
            status =
                isAcknowledged
                ? js_PublishMsg(nil, context, pointer, nil, &code)
                : natsConnection_PublishMsg(connection, pointer)
        }
        guard status == NATS_OK else { throw BusError(status, code: code) }
    }
}

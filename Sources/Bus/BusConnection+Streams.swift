internal import CNATS

/// A JetStream stream, as it ought to be.
public struct StreamConfiguration: Sendable {
    public var name: String
    public var subjects: [String]
    /// nil: all of them are kept.
    public var messagesPerSubjectLimit: Int?

    public init(name: String, subjects: [String], messagesPerSubjectLimit: Int? = nil) {
        self.name = name
        self.subjects = subjects
        self.messagesPerSubjectLimit = messagesPerSubjectLimit
    }
}

/// How far a stream goes.
public struct StreamState: Hashable, Sendable {
    public var messageCount: Int
    public var firstSequence: Int
    /// 0 when nothing was ever published.
    public var lastSequence: Int
}

extension BusConnection {
    /// Makes the stream unless there is one of its name; returns its state.
    public func makeStream(
        _ configuration: StreamConfiguration
    ) async throws(BusError) -> StreamState {
        try await call { [self] () throws(BusError) in
            do throws(BusError) {
                return try streamState(of: configuration.name)
            } catch {
                guard error.kind == .notFound else { throw error }
                return try addStream(configuration)
            }
        }
    }

    /// Throws ``BusError`` of kind `notFound` when there is no such stream.
    public func state(ofStream name: String) async throws(BusError) -> StreamState {
        try await call { [self] () throws(BusError) in try streamState(of: name) }
    }

    /// Throws ``BusError`` of kind `notFound` when there is no such stream.
    public func deleteStream(_ name: String) async throws(BusError) {
        try await call { [self] () throws(BusError) in
            var code = jsErrCode(0)
            let status = js_DeleteStream(context, name, nil, &code)
            guard status == NATS_OK else { throw BusError(status, code: code) }
        }
    }

    /// The message with this sequence; throws of kind `notFound` when there is none.
    public func message(at sequence: Int, ofStream name: String) async throws(BusError)
        -> BusMessage
    {
        try await call { [self] () throws(BusError) in
            var code = jsErrCode(0)
            var message: OpaquePointer?
            let status = js_GetMsg(&message, context, name, UInt64(sequence), nil, &code)
            guard status == NATS_OK, let message else { throw BusError(status, code: code) }
            defer { natsMsg_Destroy(message) }
            return BusMessage(copying: message)
        }
    }

    private func streamState(of name: String) throws(BusError) -> StreamState {
        var code = jsErrCode(0)
        var info: UnsafeMutablePointer<jsStreamInfo>?
        let status = js_GetStreamInfo(&info, context, name, nil, &code)
        guard status == NATS_OK, let info else { throw BusError(status, code: code) }
        defer { jsStreamInfo_Destroy(info) }
        return StreamState(info.pointee.State)
    }

    private func addStream(_ configuration: StreamConfiguration) throws(BusError) -> StreamState {
        var code = jsErrCode(0)
        var info: UnsafeMutablePointer<jsStreamInfo>?
        let status = withCStrings([configuration.name] + configuration.subjects) { texts in
            var names = Array(texts.dropFirst())
            return names.withUnsafeMutableBufferPointer { names in
                var options = jsStreamConfig()
                jsStreamConfig_Init(&options)
                options.Name = texts[0]
                options.Subjects = names.baseAddress
                options.SubjectsLen = CInt(names.count)
                options.MaxMsgsPerSubject = Int64(configuration.messagesPerSubjectLimit ?? -1)
                return js_AddStream(&info, context, &options, nil, &code)
            }
        }
        guard status == NATS_OK, let info else { throw BusError(status, code: code) }
        defer { jsStreamInfo_Destroy(info) }
        return StreamState(info.pointee.State)
    }
}

extension StreamState {
    init(_ state: jsStreamState) {
        messageCount = Int(state.Msgs)
        firstSequence = Int(state.FirstSeq)
        lastSequence = Int(state.LastSeq)
    }
}

/// Lends C strings for the length of a call.
private func withCStrings<R>(_ texts: [String], _ body: ([UnsafePointer<CChar>?]) -> R) -> R {
    func lend(_ index: Int, _ pointers: [UnsafePointer<CChar>?]) -> R {
        guard index < texts.count else { return body(pointers) }
        return texts[index].withCString { lend(index + 1, pointers + [$0]) }
    }
    return lend(0, [])
}

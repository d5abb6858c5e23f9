internal import CNATS
internal import Dispatch

/// One message of a stream, to be acknowledged when it has been dealt with.
public struct Delivery: Sendable {
    public let message: BusMessage
    public let sequence: Int
    fileprivate let box: DeliveryBox
}

/// Owns a `natsMsg` until it is acknowledged or dropped.
///
/// `@unchecked Sendable`: one owner at a time, and libnats locks inside `natsMsg_Ack`.
private final class DeliveryBox: @unchecked Sendable {
    let pointer: OpaquePointer
    init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { natsMsg_Destroy(pointer) }
}

/// Pulls batches of a stream: the next is asked for only when the last is done, so a slow reader
/// slows the pull instead of filling a buffer.
///
/// `@unchecked Sendable`: the pointer never changes, and libnats locks inside its calls.
public final class StreamConsumer: @unchecked Sendable {
    private let subscription: OpaquePointer
    private let bus: BusConnection
    /// `Fetch` blocks for as long as it waits, so each consumer has a queue of its own.
    private let queue = DispatchQueue(label: "quartermaster.bus.consumer")

    /// How long the server keeps a consumer without a name that asks for nothing, because what it got takes long.
    private static let patienceNanoseconds: Int64 = 600_000_000_000

    /// Starts at the stream's beginning, or where the durable consumer of this name stands.
    public init(
        of stream: String, subject: String, durable: String?, on bus: BusConnection
    ) async throws(BusError) {
        self.bus = bus
        let address: UInt = try await bus.call { () throws(BusError) in
            var code = jsErrCode(0)
            var pointer: OpaquePointer?
            let status = stream.withCString { stream in
                var options = jsSubOptions()
                jsSubOptions_Init(&options)
                options.Stream = stream
                options.ManualAck = true
                if durable == nil {
                    options.Config.InactiveThreshold = Self.patienceNanoseconds
                }
                return js_PullSubscribe(
                    &pointer, bus.context, subject, durable, nil, &options, &code)
            }
            guard status == NATS_OK else { throw BusError(status, code: code) }
            return UInt(bitPattern: pointer)
        }
        guard let pointer = OpaquePointer(bitPattern: address) else {
            throw BusError(kind: .closed, message: "no subscription was made")
        }
        subscription = pointer
    }

    deinit {
        let (address, bus) = (UInt(bitPattern: subscription), bus)
        BusConnection.reaper.async {
            natsSubscription_Destroy(OpaquePointer(bitPattern: address))
            withExtendedLifetime(bus) {}
        }
    }

    /// At most `limit` messages; none when none came within `waitMilliseconds`.
    public func fetch(
        limit: Int, waitMilliseconds: Int64
    ) async throws(BusError) -> [Delivery] {
        try await run(on: queue) { [self] () throws(BusError) in
            var list = natsMsgList()
            var code = jsErrCode(0)
            let status = natsSubscription_Fetch(
                &list, subscription, CInt(limit), waitMilliseconds, &code)
            guard status != NATS_TIMEOUT else { return [] }
            guard status == NATS_OK else { throw BusError(status, code: code) }
            defer { natsMsgList_Destroy(&list) }
            return (0..<Int(list.Count)).compactMap { index in
                guard let pointer = list.Msgs[index] else { return nil }
                list.Msgs[index] = nil  // Ours now: the list will not destroy it.
                return Delivery(owning: pointer)
            }
        }
    }

    public func acknowledge(_ delivery: Delivery) {
        natsMsg_Ack(delivery.box.pointer, nil)
    }
}

extension Delivery {
    fileprivate init(owning pointer: OpaquePointer) {
        box = DeliveryBox(owning: pointer)
        message = BusMessage(copying: pointer)
        var metadata: UnsafeMutablePointer<jsMsgMetaData>?
        if natsMsg_GetMetaData(&metadata, pointer) == NATS_OK, let metadata {
            sequence = Int(metadata.pointee.Sequence.Stream)
            jsMsgMetaData_Destroy(metadata)
        } else {
            sequence = 0
        }
    }
}

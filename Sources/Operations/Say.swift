internal import Glibc
internal import Synchronization

/// Prints a line at once, also where standard output is a file or a pipe.
func say(_ text: String) {
    say(Array("\(text)\n".utf8))
}

/// The same for bytes as they are.
func say(_ bytes: [UInt8]) {
    if !write(bytes, to: STDOUT_FILENO) { Output.fault.withLock { $0 = $0 ?? errno } }
}

/// Prints a line that is no result, for whoever watches.
func complain(_ text: String) {
    _ = write(Array("quartermaster: \(text)\n".utf8), to: STDERR_FILENO)
}

/// What could not be printed ends no service, but a verb whose result is lost must not end as if it were not.
public enum Output {
    fileprivate static let fault = Mutex<Int32?>(nil)

    /// Throws ``OperationError`` when something that was to be printed has been lost.
    public static func check() throws(OperationError) {
        guard let fault = fault.withLock({ $0 }) else { return }
        throw OperationError("what was to be printed is lost: \(String(cString: strerror(fault)))")
    }
}

private func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
            // A terminal that somebody else has put into that mode.
            usleep(1_000)
        } else if errno != EINTR {
            return false
        }
    }
    return true
}

extension Duration {
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

internal import Glibc
internal import NIOConcurrencyHelpers

/// Whether somebody listens on this port of the loopback interface.
public func isListening(onPort port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// Whether a server can listen somewhere, and why not.
public enum Listening: Sendable {
    case yes
    case isTaken
    /// Low ports are for root.
    case isNotAllowed
    /// There is no such address on this machine.
    case isNoAddress
}

/// Tries it, and lets go at once; `address` is a name or a number.
public func canListen(onPort port: Int, at address: String) -> Listening {
    var wanted = addrinfo()
    wanted.ai_family = AF_UNSPEC
    wanted.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &wanted, &found) == 0, let first = found else {
        return .isNoAddress
    }
    defer { freeaddrinfo(found) }
    let descriptor = socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    // As servers do: connections of one that has just gone do not count.
    var isOn: Int32 = 1
    setsockopt(
        descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
        return errno == EADDRINUSE ? .isTaken : errno == EACCES ? .isNotAllowed : .isNoAddress
    }
    return listen(descriptor, 1) == 0 ? .yes : .isTaken
}

/// A free port of the loopback interface, free at least when it was looked for.
///
/// It is drawn below the range from which Linux gives numbers to outgoing connections (32768 and up,
/// see `ip_local_port_range`), or one of those could take it before a server does.
///
/// This process gets none twice: what was drawn may not be in use yet. Ports that another process is to use
/// are best drawn from a range of their own, because it draws some itself.
public func freeLoopbackPort(
    in range: Range<Int> = 20_000..<32_768
) throws(ServerError) -> Int {
    for _ in 0..<100 {
        let port = Int.random(in: range)
        let isNew = drawnPorts.withLockedValue { $0.insert(port).inserted }
        if isNew, canBind(to: port) { return port }
    }
    throw ServerError(
        "no free port on 127.0.0.1 from \(range.lowerBound) to \(range.upperBound - 1)")
}

/// Starts a server on `port`, or on one that is drawn: on another one when somebody else was faster to take it.
func withPort<Server>(
    _ port: Int?, _ start: (Int) async throws(ServerError) -> Server
) async throws(ServerError) -> Server {
    if let port { return try await start(port) }
    for _ in 0..<4 {
        let drawn = try freeLoopbackPort()
        do throws(ServerError) {
            return try await start(drawn)
        } catch {
            guard !canBind(to: drawn) else { throw error }
        }
    }
    return try await start(freeLoopbackPort())
}

private let drawnPorts = NIOLockedValueBox<Set<Int>>([])

private func canBind(to port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

import Glibc

/// Takes connections into its backlog and never answers one.
final class SilentServer {
    let port: Int
    private let descriptor: CInt

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = descriptor
        port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(bind(socket, address, length) == 0 && listen(socket, 8) == 0)
                precondition(getsockname(socket, address, &length) == 0)
            }
            return Int(pointer.pointee.sin_port.bigEndian)
        }
    }

    deinit { close(descriptor) }
}

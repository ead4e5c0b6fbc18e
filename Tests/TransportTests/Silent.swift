import Glibc
import NIOCore

/// An address on this machine that answers nothing: its queue of waiting connections is full.
final class Silent {
    let address: SocketAddress
    private var sockets: [CInt] = []

    init() throws {
        let listening = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        sockets.append(listening)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let waiting = try withUnsafeMutablePointer(to: &name) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard bind(listening, pointer, size) == 0, listen(listening, 0) == 0,
                    getsockname(listening, pointer, &size) == 0
                else { throw IOError(errnoCode: errno, reason: "silent") }
                return (0..<4).map { _ in
                    let caller = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
                    connect(caller, pointer, size)
                    return caller
                }
            }
        }
        sockets += waiting
        address = SocketAddress(name)
    }

    deinit { for socket in sockets { close(socket) } }
}

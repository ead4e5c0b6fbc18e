import Glibc
import Synchronization

/// A port of 127.0.0.1 where nobody listens, and nobody can begin to while it is held: it is bound, and connections are
/// refused (tcp(7)). It lies below those that the kernel gives to whoever asks for any, and below those that pairs take
/// beforehand (FreePorts), so that it is in nobody's way.
package final class QuietPort: Sendable {
    package let number: Int
    private let descriptor: Mutex<Int32>

    package init() throws(NoQuietPort) {
        for _ in 0..<1000 {
            let number = Int.random(in: 5000..<10_000)
            let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { break }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(number).bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let isMine = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isMine else {
                close(descriptor)
                continue
            }
            self.number = number
            self.descriptor = Mutex(descriptor)
            return
        }
        throw NoQuietPort()
    }

    deinit { release() }

    /// For whoever is to listen there now.
    package func release() {
        descriptor.withLock {
            if $0 >= 0 { close($0) }
            $0 = -1
        }
    }
}

package struct NoQuietPort: Error {}

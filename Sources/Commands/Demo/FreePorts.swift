import Foundation
import Glibc
import NIOCore
import NIOPosix

/// Ports for parts that have to name each other before they listen, and that don't listen while they are dead.
///
/// None that the kernel gives to outgoing connections (ip(7), ip_local_port_range), which could have it by then; and
/// none that another process has taken in the same way and does not listen on just now. A taken port is a name in the
/// abstract namespace of Unix sockets (unix(7)): of one network, as ports are, and given back by the kernel with the
/// process, however that ends.
enum FreePorts {

    /// Free on all these hosts, as far as anyone can say.
    static func find(_ count: Int, on hosts: [String]) throws -> [Int] {
        var ports: [Int] = []
        while ports.count < count {
            let port = Int.random(in: candidates)
            guard take(port), try isFree(port, on: hosts) else { continue }
            ports.append(port)
        }
        return ports
    }

    /// False: somebody has it. The socket stays open as long as this process.
    private static func take(_ port: Int) -> Bool {
        let name = Array("twinline port \(port)".utf8)
        let place = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // Without a place to note it, as before: free as far as anyone can say.
        guard place >= 0 else { return true }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A name that begins with a zero byte is an abstract one.
        withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        let isMine = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(place, $0, length) == 0 }
        }
        if !isMine { close(place) }
        return isMine
    }

    private static func isFree(_ port: Int, on hosts: [String]) throws -> Bool {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        for host in hosts {
            do {
                try bootstrap.bind(host: host, port: port).wait().close().wait()
            } catch let error as IOError where error.errnoCode == EADDRINUSE {
                return false
            }
        }
        return true
    }

    private static let candidates: Range<Int> = {
        let range = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        let first = range?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 32_768
        return first > 12_000 ? 10_000..<first : 1024..<65_536
    }()
}

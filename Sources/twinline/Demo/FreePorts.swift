import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Ports for parts that have to name each other before they listen, and that don't listen while they are dead.
///
/// None that the kernel gives to outgoing connections (ip(7), ip_local_port_range), which could have it by then; and
/// none twice in one process.
enum FreePorts {
    private static let given = Mutex<Set<Int>>([])

    /// Free on all these hosts, as far as anyone can say.
    static func find(_ count: Int, on hosts: [String]) throws -> [Int] {
        var ports: [Int] = []
        while ports.count < count {
            let port = Int.random(in: candidates)
            guard given.withLock({ $0.insert(port).inserted }), try isFree(port, on: hosts) else { continue }
            ports.append(port)
        }
        return ports
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

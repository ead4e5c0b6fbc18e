import Glibc
import NIOCore
import NIOPosix

/// Where a route leads: a numeric address, or one of those that a name stands for. A name is looked up again for each
/// connection, so that a node which has moved is found after the loss.
struct RouteAddress: Sendable {
    /// As configured.
    let host: String
    let port: Int
    /// Which of the name's addresses, should it have several.
    let index: Int
    /// Nil: it is to be looked up.
    private let numeric: SocketAddress?
    /// As it was looked up last.
    private var found: SocketAddress?

    private init(
        _ host: String, _ port: Int, _ index: Int, numeric: SocketAddress? = nil, found: SocketAddress? = nil
    ) {
        (self.host, self.port, self.index, self.numeric, self.found) = (host, port, index, numeric, found)
    }

    /// One for each address that stands behind it now; one for a name that nobody knows at the moment.
    static func all(_ host: String, _ port: Int) -> [RouteAddress] {
        if let numeric = try? SocketAddress(ipAddress: host, port: port) {
            return [RouteAddress(host, port, 0, numeric: numeric)]
        }
        let found = lookUp(host, port)
        guard !found.isEmpty else { return [RouteAddress(host, port, 0)] }
        return found.enumerated().map { RouteAddress(host, port, $0.offset, found: $0.element) }
    }

    /// For people.
    var text: String {
        guard numeric == nil else { return "\(host):\(port)" }
        return "\(host):\(port)" + (found.map { " (\($0.ipAddress ?? "?"))" } ?? "")
    }

    /// The address to dial now. Nil: the name is not known, and never was.
    func resolve(on eventLoop: any EventLoop) -> EventLoopFuture<SocketAddress?> {
        if let numeric { return eventLoop.makeSucceededFuture(numeric) }
        let (host, port, index, found) = (host, port, index, found)
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            let addresses = Self.lookUp(host, port)
            // A name server that is away is no reason to forget where the node was.
            return addresses.isEmpty ? found : addresses[index % addresses.count]
        }
    }

    mutating func note(_ address: SocketAddress) { if numeric == nil { found = address } }

    /// Each once, in the system's order. Takes as long as the name server does.
    private static func lookUp(_ host: String, _ port: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let info = next?.pointee {
            next = info.ai_next
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            guard
                getnameinfo(
                    info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0,
                let end = text.firstIndex(of: 0),
                let address = try? SocketAddress(
                    ipAddress: String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self), port: port),
                !found.contains(address)
            else { continue }
            found.append(address)
        }
        return found
    }
}

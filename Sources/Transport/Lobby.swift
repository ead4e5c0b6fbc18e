import NIOCore
import Planted
import Synchronization

/// Those who have connected to a listener and are not known yet. There is room for so many; one more, and the oldest of
/// those from where most of them come has to go.
///
/// So it is never a known peer who is closed for a stranger's sake, and whoever floods a port pushes out its own.
final class Lobby: Sendable {
    /// An address, or for IPv6 the network it is in: one machine has as many addresses there as it likes.
    enum Origin: Hashable, Sendable {
        case v4(UInt32)
        case v6(UInt64)
        case other

        init(_ address: SocketAddress?) {
            switch address {
            case .v4(let address): self = .v4(address.address.sin_addr.s_addr)
            case .v6(let address):
                self = .v6(withUnsafeBytes(of: address.address.sin6_addr) { $0.loadUnaligned(as: UInt64.self) })
            case .unixDomainSocket, nil: self = .other
            }
        }
    }

    private struct State {
        /// The oldest first.
        var crowds: [Origin: [any Channel]] = [:]
        var count = 0

        mutating func remove(_ channel: any Channel, from origin: Origin) {
            guard let index = crowds[origin]?.firstIndex(where: { $0 === channel }) else { return }
            crowds[origin]?.remove(at: index)
            if crowds[origin]?.isEmpty == true { crowds[origin] = nil }
            count -= 1
        }

        /// The oldest of the largest crowd.
        mutating func evict() -> (any Channel)? {
            guard let (origin, crowd) = crowds.max(by: { $0.value.count < $1.value.count }) else { return nil }
            remove(crowd[0], from: origin)
            return crowd[0]
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.count } }

    func enter(_ channel: any Channel, from origin: Origin) {
        let evicted: (any Channel)? = state.withLock { state in
            let evicted = state.count >= limit && !planted("anyNumberOfStrangers") ? state.evict() : nil
            state.crowds[origin, default: []].append(channel)
            state.count += 1
            return evicted
        }
        evicted?.triggerUserOutboundEvent(Eviction(limit: limit), promise: nil)
    }

    /// It is known, or gone.
    func leave(_ channel: any Channel, from origin: Origin) { state.withLock { $0.remove(channel, from: origin) } }
}

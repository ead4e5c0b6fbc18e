import Daemon
import Replication
import Seat
import Synchronization

/// What both nodes say they are, as a seat is told that looks on over a network of its own.
final class RoleWatch: Sendable {
    private let client: SeatClient
    private let changes = Mutex<PerNode<[RoleBand]>>(PerNode(a: [], b: []))

    init(_ client: SeatClient) { self.client = client }

    /// Until cancelled.
    func watch() async {
        while !Task.isCancelled {
            let connections = await client.connections
            let now = monotonicNow().nanoseconds
            changes.withLock { changes in
                for node in NodeName.allCases {
                    let states = connections.filter { $0.link.node == node }.map(\.state)
                    let role = states.first { $0 != .away }?.rawValue ?? "away"
                    if changes[node].last?.role == role {
                        changes[node][changes[node].count - 1].to = now
                    } else {
                        changes[node].append(RoleBand(role: role, from: changes[node].last?.to ?? now, to: now))
                    }
                }
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Within a time, cut to it.
    func bands(of node: NodeName, from start: UInt64, to end: UInt64) -> [RoleBand] {
        changes.withLock { $0[node] }.filter { $0.to > start && $0.from < end }.map {
            RoleBand(role: $0.role, from: max($0.from, start), to: min($0.to, end))
        }
    }
}

/// A node was this for some time: nanoseconds of the monotonic clock.
struct RoleBand: Equatable, Sendable {
    /// As in `twinline status`; "away" while it does not answer.
    var role: String
    var from, to: UInt64
}

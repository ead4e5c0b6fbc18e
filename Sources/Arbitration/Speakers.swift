import NIOCore
import Replication

/// Which process speaks for each node. The requests of another one with the same certificate are not obeyed as long as
/// the first is heard: it would claim, and a pair with three nodes can lose what was answered.
struct Speakers {
    /// A node asks every second. One that is silent for longer than this is dead, or frozen, or cut off; and whoever
    /// comes then is it. Only who is let in hangs on this: what a request may do is decided by the register.
    static let patience = TimeAmount.seconds(3)

    private struct Speaker: Equatable {
        var process: UInt64
        var client: UInt64
        var heardAt: NIODeadline
    }
    private var speakers = PerNode<Speaker?>(a: nil, b: nil)

    /// A request has come.
    /// - Returns: whose connection must end: `client` itself, or that of the process whose place it takes.
    mutating func heard(_ node: NodeName, _ process: UInt64, from client: UInt64, at now: NIODeadline) -> UInt64? {
        var silent: UInt64?
        if let known = speakers[node], known.process != process {
            if now - known.heardAt < Self.patience { return client }
            silent = known.client
        }
        speakers[node] = Speaker(process: process, client: client, heardAt: now)
        return silent
    }

    /// A process that dies leaves its place at once.
    mutating func left(_ client: UInt64) {
        for node in NodeName.allCases where speakers[node]?.client == client { speakers[node] = nil }
    }
}

import Replication
import Wire

// How old a standby's answers are.
extension NodeEngine {
    func noteAge(_ envelope: PeerEnvelope) {
        guard envelope.stamp != 0, envelope.message.epoch == replica.epoch else { return }
        switch (replica.role, envelope.message.body) {
        case (.primary(let primary), .acknowledge) where primary.session?.id == envelope.message.session:
            freshness.enter(envelope.message.session)
            freshness.stamped(envelope.stamp)
        case (.standby(let standby), .heartbeat(let committed, _, _)),
            (.standby(let standby), .append(_, let committed)):
            guard standby.session == envelope.message.session else { return }
            freshness.enter(envelope.message.session)
            freshness.echoed(envelope.stamp, committed: committed, applied: replica.applied)
        default: break
        }
    }

    /// What goes with a message to the other node.
    func stamp(of message: Message) -> UInt64 {
        switch message.body {
        case .acknowledge: shell.now.nanoseconds
        case .heartbeat, .append: freshness.echo(in: message.session)
        default: 0
        }
    }

    /// Nanoseconds; nil: not known.
    var age: UInt64? {
        guard case .standby(let standby) = replica.role, let session = standby.session else { return nil }
        return freshness.age(at: shell.now, in: session)
    }
}

extension Replica {
    var isFollowing: Bool {
        if case .standby(let standby) = role { standby.session != nil } else { false }
    }
}

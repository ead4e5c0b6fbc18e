@testable import Replication

/// Where a row of the table begins: a replica that facts alone brought there.
struct Situation: Sendable {
    let name: String
    /// In a sentence, for the head of its part of the table.
    let says: String
    let replica: Replica

    init(_ name: String, _ says: String, _ replica: Replica) {
        (self.name, self.says, self.replica) = (name, says, replica)
    }

    /// The session that the replica is in or asks for, if any.
    var session: UniqueNumber? {
        switch replica.role {
        case .standby(let standby):
            switch standby.phase {
            case .joining(let session), .following(let session): session
            case .cutting(let session, _): session == .none ? nil : session
            case .idle, .adopting, .fetching: nil
            }
        case .primary(let primary): primary.session?.id
        case .claiming, .fenced: nil
        }
    }

    static let all = standbys + claimants + primaries + outranked
}

// MARK: standby

extension Situation {
    private static let standbys = [
        Situation("idle", "Node b followed a in e3 until the link broke. It is back, and a has not spoken.", idle()),
        Situation(
            "named", "Node a was restarted. The register names it, and b has not answered yet (R6).", named()),
        Situation("fetching", "Like that; but b has further entries, and node a has asked for them (R6).", fetching()),
        Situation(
            "adopting", "Node b, in e2 with e2:2..3 of its own, has met the leader of e3. The epoch is being saved.",
            adopting()),
        Situation("joining", "The epoch is saved, and node b has asked to join.", joining()),
        Situation("cutting", "The join is accepted, and e2:2..3 are being cut off the log.", cutting()),
        Situation("cutting, alone", "While they are cut, the link has broken and is there again.", cuttingAlone()),
        Situation("following", "Node b follows a in e3: e3:1 is committed, e3:2 is being synced.", following()),
    ]

    private static func idle() -> Replica {
        var b = Stage.following()
        _ = b.peerDisconnected()
        _ = b.peerConnected()
        return b
    }

    private static func named() -> Replica {
        let register = Stage.register(5, 3, .a, .solo)
        var a = Stage.started(.a, epoch: 3, register: register, log: EpochTable(epochs: 3, 3), applied: LSN(1))
        _ = a.witnessConnected()
        _ = a.witnessSays(.current(register))
        _ = a.peerConnected()
        return a
    }

    private static func fetching() -> Replica {
        var a = named()
        _ = a.receive(Stage.hello(from: .b, epoch: 3, synced: Position(3, 4)))
        return a
    }

    private static func adopting() -> Replica {
        let register = Stage.register(5, 3, .a, .solo)
        var b = Stage.started(.b, epoch: 2, log: EpochTable(epochs: 1, 2, 2), applied: LSN(1))
        _ = b.witnessConnected()
        _ = b.witnessSays(.current(register))
        _ = b.peerConnected()
        b.allSaved()
        _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 2)))
        return b
    }

    private static func joining() -> Replica {
        var b = adopting()
        b.allSaved()
        return b
    }

    private static func cutting() -> Replica {
        var b = joining()
        guard let session = b.joining else { return b }
        _ = b.receive(Message(Epoch(3), session, .joinAccepted(common: Position(1, 1))))
        return b
    }

    private static func cuttingAlone() -> Replica {
        var b = cutting()
        _ = b.peerDisconnected()
        _ = b.peerConnected()
        return b
    }

    private static func following() -> Replica {
        var b = Stage.following()
        guard let session = b.followed else { return b }
        _ = b.receive(Message(Epoch(3), session, .append(Run(Position(3, 2)), committed: LSN(1))))
        return b
    }
}

// MARK: claiming

extension Situation {
    private static let claimants = [
        Situation("claiming", "Node b has not heard of a for 300 ms: its number e4 is being saved (R4).", claiming()),
        Situation("claiming, saved", "The number is saved, and the register not yet read since.", claimSaved()),
        Situation("claiming, read", "The register is read, and the number not yet saved.", claimRead()),
        Situation("claiming, asked", "Both, and the witness has been asked for e4.", claimAsked()),
    ]

    private static func claiming() -> Replica {
        var b = following()
        _ = b.later(milliseconds: 300)
        return b
    }

    private static func claimSaved() -> Replica {
        var b = claiming()
        b.allSaved()
        return b
    }

    private static func claimRead() -> Replica {
        var b = claiming()
        _ = b.witnessSays(.current(b.record.register))
        return b
    }

    private static func claimAsked() -> Replica {
        var b = claimRead()
        b.allSaved()
        return b
    }

    static func claimWon() -> Replica {
        var b = claimAsked()
        _ = b.witnessSays(.won(Stage.register(4, 4, .b, .solo, floor: Position(3, 1))))
        return b
    }
}

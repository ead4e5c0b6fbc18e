/// A full disk, which is noticed while there is still room for all that is under way. The primary hands over to a
/// standby that has room; a full standby is dropped by a primary that has. When both are full nothing more is written:
/// whoever drives the replica takes no requests while `hasRoom` is false.
extension Replica {
    public mutating func roomChanged(_ hasRoom: Bool) -> [Effect] {
        guard hasRoom != self.hasRoom else { return [] }
        return step {
            $0.hasRoom = hasRoom
            $0.acknowledge()
            $0.sendHello()
        }
    }

    /// The same for a database that does not move: the other node's may.
    public mutating func databaseStuck(_ isStuck: Bool) -> [Effect] {
        guard isStuck != databaseStuck else { return [] }
        return step {
            $0.databaseStuck = isStuck
            $0.acknowledge()
            $0.sendHello()
        }
    }

    /// It can lead and follow.
    var isFit: Bool { hasRoom && !databaseStuck }

    /// At each tick.
    mutating func handOverIfFull() {
        guard !isFit, case .primary(let primary) = role, primary.handover == nil, failoverObstacle == nil else {
            return
        }
        beginHandover()
    }

    /// Its last acknowledgement counts: what it has it has.
    mutating func standbyFull() {
        // Both are: nothing is written, and nothing is won by parting.
        guard leading?.session != nil, isFit else { return }
        sessionLost()
        peer.hello?.full = true
    }
}

@testable import Replication

extension Situation {
    static let primaries = [
        Situation("rising", "Node b has won e4. Epoch, log and mark are being saved (R5).", claimWon()),
        Situation("rising, saved", "The epoch is saved, and the end of the log is not.", risingSaved()),
        Situation("solo", "Node a leads e3 solo: e3:1 is committed, e3:2 is being synced.", solo()),
        Situation("joined", "Node b has joined, and lacks e3:2, which was committed without it (R3).", joined()),
        Situation("level", "Node b has acknowledged all. Node a has asked for paired.", level()),
        Situation(
            "settled", "Paired is won. Of e3:3 neither disk has said that it has it; a read waits for round 1.",
            settled()),
        Situation("draining", "Like that; then a switchover was asked for.", draining()),
        Situation("handing over", "All is drained, and node b has been asked to claim.", handingOver()),
        Situation("lacking", "Node a was settled, and the link broke; it is back. Solo is asked for.", lacking()),
        Situation("forced", "Node b and the witness are gone, and node a is forced to go on alone.", forced()),
    ]

    static let outranked = [
        Situation("fenced", "Node a led e3 and has heard of e4. That is being saved.", fenced()),
        Situation("fenced, saved", "It is saved.", fencedSaved()),
    ]

    private static func risingSaved() -> Replica {
        var b = claimWon()
        b.allSaved()
        return b
    }

    private static func solo() -> Replica {
        var a = Stage.solo()
        _ = a.peerConnected()
        _ = a.propose()
        return a
    }

    private static func joined() -> Replica {
        var a = solo()
        _ = a.logSynced(through: LSN(2))
        _ = a.receive(Stage.join())
        _ = a.receive(Stage.acknowledge(1))
        return a
    }

    private static func level() -> Replica {
        var a = joined()
        _ = a.receive(Stage.acknowledge(2))
        return a
    }

    private static func settled() -> Replica {
        var a = level()
        _ = a.witnessSays(.won(Stage.register(3, 3, .a, .paired, floor: Position(3, 2))))
        a.allSaved()
        _ = a.propose()
        _ = a.read()
        return a
    }

    private static func draining() -> Replica {
        var a = settled()
        _ = a.switchOver()
        return a
    }

    private static func handingOver() -> Replica {
        var a = draining()
        _ = a.logSynced(through: LSN(3))
        _ = a.receive(Stage.acknowledge(3))
        return a
    }

    private static func lacking() -> Replica {
        var a = settled()
        _ = a.losesStandby()
        _ = a.peerConnected()
        return a
    }

    private static func forced() -> Replica {
        var a = settled()
        _ = a.witnessDisconnected()
        _ = a.peerDisconnected()
        _ = a.force(.solo)
        a.allSaved()
        _ = a.logSynced(through: a.log.last.lsn)
        return a
    }

    private static func fenced() -> Replica {
        var a = settled()
        _ = a.receive(Stage.hello(from: .b, epoch: 4))
        return a
    }

    private static func fencedSaved() -> Replica {
        var a = fenced()
        a.allSaved()
        return a
    }
}

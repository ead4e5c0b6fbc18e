import NIOCore
import Replication

/// What a person asks of a node.
extension Node {
    /// Nil: begun.
    func switchOver() -> FailoverObstacle? { engine?.switchOver() ?? nil }

    /// Soon nobody will talk to this node any more: while they still do, the other one takes the lead, should its own
    /// certificate last longer. Looked at every second.
    func handOverBeforeExpiry() {
        guard let engine, engine.replica.serves, let own = certificates.own,
            let other = certificates.expiry(
                of: settings.node.other)
        else { return }
        let left = own.notAfter - wallClockNow() / 1000
        guard left <= Self.leadsNoLongerThan, other > own.notAfter + Self.leadsNoLongerThan, switchOver() == nil else {
            return
        }
        log.critical(
            "this node's certificate is about to expire; handing over: issue a new one and put it in its place",
            metadata: ["seconds-left": "\(left)"])
    }

    /// Seconds before the end of its certificate.
    private static let leadsNoLongerThan: Int64 = 60

    /// Nil: begun.
    func force(_ act: Replica.Force) -> Replica.ForceObstacle? {
        guard let engine else { return .doesNotLead }
        let obstacle = engine.force(act)
        if obstacle == nil { log.critical("forced to lead, by hand", metadata: ["act": "\(act)"]) }
        return obstacle
    }

    /// Nil: begun, or under way.
    func adoptWitness(_ id: RandomID, at address: SocketAddress?) -> Replica.AdoptionObstacle? {
        if let address { arbiter.move(to: address) }
        guard let engine else { return .notLeading }
        return engine.adoptWitness(id)
    }
}

import NIOCore
import Replication

/// What a person asks of a node.
extension Node {
    /// Nil: begun.
    func switchOver() -> FailoverObstacle? { engine?.switchOver() ?? nil }

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

import Replication

/// What a person asks of a node.
extension NodeEngine {
    /// From time to time.
    package func measureRoom() { log.measureRoom() }

    package func databaseStuck(_ isStuck: Bool) { run { $0.databaseStuck(isStuck) } }

    /// Nil: begun. Else why not.
    package func switchOver() -> FailoverObstacle? {
        var obstacle: FailoverObstacle?
        run {
            let (found, effects) = $0.switchOver()
            obstacle = found
            return effects
        }
        return obstacle
    }

    /// Nil: begun. Else why not.
    package func force(_ act: Replica.Force) -> Replica.ForceObstacle? {
        var obstacle: Replica.ForceObstacle?
        run {
            let (found, effects) = $0.force(act)
            obstacle = found
            return effects
        }
        return obstacle
    }

    /// Nil: begun, or under way. Else why not.
    package func adoptWitness(_ id: RandomID) -> Replica.AdoptionObstacle? {
        var obstacle: Replica.AdoptionObstacle?
        run {
            let (found, effects) = $0.adoptWitness(id)
            obstacle = found
            return effects
        }
        return obstacle
    }
}

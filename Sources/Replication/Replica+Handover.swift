/// Planned switchover, stop and gray failure, one way: the primary drains and asks the standby to claim; the claim is
/// the switch, and the primary never names another.
extension Replica {
    /// Nil: begun. Else the reason why not, and nothing has changed.
    public mutating func switchOver() -> (obstacle: FailoverObstacle?, effects: [Effect]) {
        if let obstacle = failoverObstacle { return (obstacle, []) }
        return (nil, step { $0.beginHandover() })
    }

    mutating func beginHandover() {
        let handover = Primary.Handover(since: now)
        leading?.handover = handover
    }

    mutating func pursueHandover() {
        guard case .primary(let primary) = role, let session = primary.session, let handover = primary.handover,
            !handover.asked, session.settled
        else { return }
        let drained = committed == log.last.lsn && session.acked == log.last.lsn
        guard drained || handover.stalled else { return }
        leading?.handover?.asked = true
        send(.handOver(through: session.acked))
    }
}

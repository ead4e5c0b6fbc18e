/// Forced acts: a person makes this node lead where the rules forbid it, since two of the three are lost. Until the
/// other node has joined again the pair's promises are not claimed: what the other node answered and this one lacks is
/// lost, and should it serve all the same, the two answer differently.
///
/// The epoch is this node's own and above all that it has seen (rule R7), so no epoch gets two leaders. At the first
/// contact with the witness the node must win the register, like anybody (rule R2).
extension Replica {
    public enum Force: Equatable, Sendable {
        /// A primary that needs its standby, and reaches no witness that would let it go on alone.
        case solo
        /// A node that does not lead.
        case promote
    }

    public enum ForceObstacle: Equatable, Sendable {
        /// For `promote`: it is the primary already; for `solo`: it isn't.
        case leads, doesNotLead
        /// It goes on without its standby already.
        case needsNobody
        /// The other node is connected, and alive.
        case otherIsThere
        /// The witness is there, and lets this node go on by itself.
        case witnessAllows
    }

    /// Nil: begun. Else the reason why not, and nothing has changed.
    public mutating func force(_ force: Force) -> (obstacle: ForceObstacle?, effects: [Effect]) {
        if let obstacle = obstacle(to: force) { return (obstacle, []) }
        return (nil, step { $0.begin(force) })
    }

    private func obstacle(to force: Force) -> ForceObstacle? {
        if peer.linked, !peerSilent { return .otherIsThere }
        switch (force, role) {
        case (.solo, .primary(let primary)):
            if !primary.needsStandby { return .needsNobody }
            return reachesWitness && arbiter.refusal == nil ? .witnessAllows : nil
        case (.promote, .primary): return .leads
        case (.solo, _): return .doesNotLead
        case (.promote, _):
            return reachesWitness && arbiter.refusal == nil && obstacleToClaim == nil ? .witnessAllows : nil
        }
    }

    private mutating func begin(_ force: Force) {
        let number = name.epoch(above: max(epoch, record.epoch, record.claimed, record.register.epoch, log.last.epoch))
        arbiter.pending = nil
        arbiter.retryAt = nil
        lead(number, forced: true)
    }

    /// It leads because a person said so: the register does not name it in this epoch yet.
    public var lacksRegister: Bool {
        guard case .primary(let primary) = role, primary.forced, saved.epoch == primary.epoch else { return false }
        return record.register.epoch != primary.epoch || record.register.primary != name
    }
}

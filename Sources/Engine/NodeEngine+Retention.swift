import Planted
import Replication

extension NodeEngine {
    /// Segments are kept until the standby has them, and this node's database, for certain. A standby keeps what is not
    /// yet known to be committed: that is all that the other node could ever ask it for. What follows a copy that is
    /// being fetched stays until the standby has it. The newest entry known to be committed stays, too: those after it
    /// may be cut, and without any entry the log would not tell the digest and the schema version that the next one
    /// continues.
    ///
    /// - Parameter checkpointed: what no crash of this machine takes out of the database any more.
    func releaseLog(_ checkpointed: LSN) {
        var possible = min(checkpointed, replica.committed)
        var needed = possible
        switch replica.role {
        case .primary(let primary):
            // Without a session: what the standby has acknowledged in this epoch, or nothing that is known.
            needed = min(possible, primary.session?.acked ?? primary.acknowledged?.through ?? .zero)
            if planted("releaseWhatTheStandbyLacks") { needed = possible }
            if primary.session != nil { possible = needed }
        case .standby(let standby) where standby.follows: break
        case .standby, .claiming, .fenced: return
        }
        if let pinned, !planted("releaseBehindACopy") {
            (needed, possible) = (min(needed, pinned), min(possible, pinned))
        }
        guard possible > replica.log.base.lsn else { return }
        log.release(before: needed, possible: possible)
    }
}

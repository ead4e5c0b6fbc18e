import Replication

/// Why a node's engine does no more.
package enum HaltReason: Sendable {
    case violation(Violation)
    case worker(WorkerFailure)
    /// The entry at this position in the other node's log is not the one that this log continues.
    case chainDiffers(at: Position)
    /// The primary's log no longer reaches back to this one: the node needs a copy of the primary's database.
    case reseedNeeded
}

import Replication
import Tickets
import Wire

/// What the engine asks of the program around it: sockets out, clock in.
package protocol NodeShell: AnyObject {
    var now: Instant { get }
    /// To the other node, over the best connection; a heartbeat over all.
    func send(_ envelope: PeerEnvelope, everywhere: Bool)
    func ask(_ request: RegisterRequest)
    func deliver(_ answers: [WriteAnswer])
    func deliver(_ answers: [ReadAnswer])
    /// Role, epoch or who may be asked has changed: tell the seats.
    func standingChanged(_ standing: Standing)
    /// The node can't go on: say why, answer nobody, end the process.
    func halt(_ reason: HaltReason)
}

/// What seats know of a node.
package struct Standing: Equatable, Sendable {
    package enum Role: Sendable { case primary, standby, starting }
    package var epoch: Epoch
    package var role: Role
    package init(epoch: Epoch, role: Role) { (self.epoch, self.role) = (epoch, role) }
}

package enum HaltReason: Sendable {
    case violation(Violation)
    case worker(WorkerFailure)
    /// The entry at this position in the other node's log is not the one that this log continues.
    case chainDiffers(at: Position)
    /// The primary's log no longer reaches back to this one: the node needs a copy of the primary's database.
    case reseedNeeded
}

import Replication
import Wire

/// How a node's record passes through a reseeding. Pure: who takes a step saves what it leaves.
extension NodeFile {
    /// Of a disk that knows no pair, and holds nothing.
    package static func blank(pair: String, node: NodeName) -> NodeFile {
        let register = Register(
            version: 0, epoch: .zero, primary: node.other, mode: .solo, disks: PerNode(a: .zero, b: .zero),
            starts: PerNode(a: 0, b: 0), floor: .zero)
        return NodeFile(
            pair: pair, pairID: .zero, node: node,
            record: NodeRecord(
                epoch: .zero, claimed: .zero, disk: .zero, starts: 0, register: register,
                witness: WitnessChoice(.zero)),
            copy: 0)
    }

    /// From now on it is being reseeded. It counts as a new disk at once (rule R11), so the register does not know it,
    /// and it can't claim.
    package mutating func beginReseeding(disk: RandomID, into copy: UInt64) {
        record.disk = disk
        incoming = copy
    }

    /// A copy begins to come. A wiped disk learns whose it is, too; another pair's copy teaches nothing.
    package mutating func learn(from offer: CopyOffer) {
        let wiped = pairID == .zero
        guard wiped || pairID == offer.pair else { return }
        pairID = offer.pair
        record.learn(wiped: wiped, leads: offer.leads, register: offer.register, witness: offer.witness)
    }

    /// The new copy is whole and synced, and counts.
    package mutating func install() { (copy, incoming) = (incoming, 0) }
}

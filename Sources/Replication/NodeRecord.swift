/// What a node keeps on its disk beside log and database; small, and synced before anything is sent that rests on it.
public struct NodeRecord: Equatable, Sendable {
    /// The epoch that this node follows or leads. Never goes back (rule R7).
    public var epoch: Epoch
    /// The highest number that this node was ever going to claim; no two claims share one (rule R4).
    public var claimed: Epoch
    /// Names the contents of this disk; a disk that may have forgotten gets a new one (rule R11).
    public var disk: RandomID
    /// How often the node has started on this disk.
    public var starts: UInt64
    /// The register of the highest version that this node has seen; it never acts on a lower one (rule R12).
    public var register: Register
    /// The witness that the register lives at; answers of another one don't count (rule R12).
    public var witness: WitnessChoice

    public init(
        epoch: Epoch, claimed: Epoch, disk: RandomID, starts: UInt64, register: Register, witness: WitnessChoice
    ) {
        self.epoch = epoch
        self.claimed = claimed
        self.disk = disk
        self.starts = starts
        self.register = register
        self.witness = witness
    }

    /// A node that is being reseeded learns from the leader whose copy it takes where its epochs begin, if its disk was
    /// wiped (rule R7), and that the pair has moved to another witness, if it has (rule R12).
    public mutating func learn(wiped: Bool, leads: Epoch, register: Register, witness: WitnessChoice) {
        if wiped { (epoch, claimed) = (max(epoch, leads), max(claimed, leads)) }
        guard wiped || witness.number > self.witness.number else { return }
        self.witness = witness
        if register.version > self.register.version { self.register = register }
    }
}

/// The witness that a pair's register lives at.
public struct WitnessChoice: Equatable, Sendable {
    public var id: RandomID
    /// How often the pair had moved its register when it chose this one: of two choices the higher is the newer.
    public var number: UInt64
    public init(_ id: RandomID, number: UInt64 = 0) { (self.id, self.number) = (id, number) }
}

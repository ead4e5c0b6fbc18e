/// What a node does in the pair. Each case says what it guarantees and how it is left.
public enum Role: Equatable, Sendable {
    /// Follows, or looks for somebody to follow. Left for `claiming` when the primary is lost or asks for it.
    case standby(Standby)
    /// Acknowledges and confirms nothing any more (rule R4). Left for `primary` by a won claim, else for `standby`.
    case claiming(Claim)
    /// Won the claim of its epoch in this life of the process (rule R5). Left for `fenced` only.
    case primary(Primary)
    /// Outranked by a newer epoch; answers nobody. Left for `standby` once the register is reread, or by a join.
    case fenced
}

public struct Standby: Equatable, Sendable {
    public enum Phase: Equatable, Sendable {
        /// No session: waits for a leader, or for a reason to claim.
        case idle
        /// The leader's epoch is being written to this disk, and the log's tail; joining comes after (rule R7).
        case adopting(Epoch)
        case joining(UniqueNumber)
        /// The diverged tail is being cut off the log. `.none` when the session has ended meanwhile.
        case cutting(UniqueNumber, to: LSN)
        case following(UniqueNumber)
        /// Takes from the other node the entries that the register's primary lacks (rule R6).
        case fetching
    }
    public var phase = Phase.idle
    /// When the phase began.
    public var since: Instant
    /// The last refusal of a join, for status.
    public var refusal: JoinRefusal?
    /// When it last asked the other node for entries.
    public var fetchedAt: Instant?

    public init(since: Instant) { self.since = since }

    /// The primary has accepted it.
    public var session: UniqueNumber? {
        switch phase {
        case .following(let session): session
        case .cutting(let session, _): session == .none ? nil : session
        case .idle, .adopting, .joining, .fetching: nil
        }
    }

    /// It takes entries, acknowledges and confirms.
    public var follows: Bool {
        if case .following = phase { true } else { false }
    }
}

public struct Claim: Equatable, Sendable {
    public var number: Epoch
    public var since: Instant
    /// The register has been read since the claim began.
    public var registerRead = false
    /// The compare-and-set is on its way.
    public var asked = false
    public init(number: Epoch, since: Instant) { (self.number, self.since) = (number, since) }
}

public struct Primary: Equatable, Sendable {
    /// A standby's join and what came of it.
    public struct Session: Equatable, Sendable {
        public var id: UniqueNumber
        public var disk: RandomID
        public var starts: UInt64
        /// The witness that it goes by. Failover is promised only while that is this node's too.
        public var witness: WitnessChoice
        public var reachesWitness = true
        public var hasRoom = true
        /// The newest position that both logs held at the join; the standby cuts its own back to it.
        public var common: LSN
        /// It lacks much of the log, and this primary, which has won solo, goes on without it meanwhile: rule R3 begins
        /// when it is nearly level. Until then this session is as good as none.
        public var isCatchingUp = false
        /// It has, and takes entries.
        public var follows = false
        /// All up to here was committed without this standby; it must hold it before failover is promised (rule R3).
        public var levelAt: LSN
        /// Newest LSN that the standby reported as synced in this session.
        public var acked: LSN
        public var applied = LSN.zero
        /// When `acked` last moved, or had nothing to move for, or a part of something long did.
        public var progressAt: Instant
        /// How often it was only such a part since `acked` moved.
        public var workings = 0
        /// A change to paired naming this session's disks was won: a failover is possible (rule R3).
        public var settled = false
    }

    public struct Acknowledged: Equatable, Sendable {
        public var disk: RandomID
        public var through: LSN
    }

    public struct Handover: Equatable, Sendable {
        public var since: Instant
        public var asked = false
        /// This node's own disk is stuck: nothing can be drained.
        public var stalled = false
    }

    /// The register's move to another witness (rule R12).
    public struct Adoption: Equatable, Sendable {
        public var witness: WitnessChoice
        /// The highest version of the register that either node has seen.
        public var version: UInt64
        /// It is there, perhaps: the question has to be put another way.
        public var installed = false
        public init(witness: WitnessChoice, version: UInt64) { (self.witness, self.version) = (witness, version) }
    }

    public var epoch: Epoch
    /// The epoch's first entry; the node serves once it is committed.
    public var mark: LSN
    /// A person made it lead, and the other node has not joined since.
    public var forced = false
    /// Every commit and every read needs the standby. Begins with a join (rule R3), ends by a won solo only (rule R2).
    public var needsStandby = false
    public var session: Session?
    /// The most that a standby's disk has acknowledged in this epoch, whatever became of the session: it must not show
    /// less when it comes back (rule R11).
    public var acknowledged: Acknowledged?
    public var handover: Handover?
    /// Under way until the register is at the new witness.
    public var adoption: Adoption?
    /// The highest number of those that were ever begun; none is used twice.
    public var adoptions: UInt64 = 0
    public var serving = false
    /// When the last session ended; solo is asked for from then on.
    public var lostAt: Instant?
    /// The witness has answered since then. One that is heard by the witness and does not hear it would win solo and
    /// never learn of it, and nobody else could lead any more.
    public var hearsWitness = true
    /// Recent losses, oldest first.
    public var losses: [Instant] = []
    public var rounds = Rounds()
    public var floorRaisedAt: Instant

    /// Rounds of read confirmation (rule R9): reads that wait share the next one.
    public struct Rounds: Equatable, Sendable {
        /// The newest round sent in this session; more than `confirmed` while one is under way.
        public var sent: UInt64 = 0
        public var confirmed: UInt64 = 0
        /// The newest round that a read waits for.
        public var wanted: UInt64 = 0
    }
}

/// A promise of the pair was broken: the node stops for good, since going on could lose a ticket.
public enum Violation: Equatable, Sendable {
    /// Two nodes lead one epoch.
    case twoPrimaries(Epoch)
    /// Rejoining would undo what this node's database holds (rule R10): set aside and reseed.
    case cutBelowApplied(common: Position, applied: LSN)
    /// The logs share no entry that both still hold.
    case noCommonPosition
}

/// Why nobody could take over now.
public enum FailoverObstacle: Equatable, Sendable {
    case standbyMissing
    case standbyCatchingUp(behind: UInt64)
    case witnessUnreachable
    case registerUnsettled
    case notLeading
    case handingOver
    case flapping(milliseconds: UInt64)
    /// Another witness answers where the pair's is expected.
    case foreignWitness(RandomID)
    /// The witness holds no register for this pair, or none that it or this node trusts.
    case witnessRefuses(RegisterRefusal)
    case standbyLacksWitness
    /// The standby's disk is full.
    case standbyFull
    /// The standby goes by another witness than this node.
    case witnessesDiffer
}

/// What the two nodes say to each other. Every message carries the sender's epoch and the session it belongs to
/// (rule R8); only `hello`, `join`, `joinRefused`, `fetch` and `fetched` count outside a session.
public struct Message: Equatable, Sendable {
    public var epoch: Epoch
    public var session: UniqueNumber
    public var body: Body

    public init(_ epoch: Epoch, _ session: UniqueNumber, _ body: Body) {
        self.epoch = epoch
        self.session = session
        self.body = body
    }

    public enum Body: Equatable, Sendable {
        /// Who and where the sender is: at each new connection, and in place of heartbeats while there is no session.
        case hello(Hello)
        /// A standby asks to follow this epoch, in a new session.
        case join(Join)
        /// The primary has it: cut the log back to `common`; what follows comes next.
        case joinAccepted(common: Position)
        case joinRefused(JoinRefusal)
        /// Entries first...last, whose frames travel beside the message; `committed` is the primary's.
        case append(Run, committed: LSN)
        /// The standby's disk has everything up to `synced`; its database everything up to `applied`. Without the
        /// witness it could not take over, and without room on its disk it could do nothing with that.
        case acknowledge(synced: LSN, applied: LSN, reachesWitness: Bool = true, hasRoom: Bool = true)
        /// A part of an entry that is too long for one step has come, or is on the standby's disk: slow, not stuck.
        case working
        /// "I live, and this far I am."
        case heartbeat(committed: LSN, synced: LSN, applied: LSN)
        /// So many seats, more than half of those that the standby knows, reach it and not the primary.
        case stranded(seats: UInt64)
        /// A round of read confirmation (rule R9) …
        case confirm(round: UInt64)
        /// … and its answer: when the round arrived, the standby followed this epoch and was not claiming.
        case confirmed(round: UInt64)
        /// The primary has drained up to here and asks the standby to claim.
        case handOver(through: LSN)
        /// The frame was of another epoch or session.
        case stale
        /// The node that the register names asks, at its start, for the entries it lacks (rule R6).
        case fetch(EpochTable)
        case fetched(Run, last: Position)
        /// The primary moves the register to this witness and asks for the standby's consent (rule R12) …
        case adopt(WitnessChoice)
        /// … which is on the standby's disk now; and the highest version of the register that it has seen.
        case adopted(WitnessChoice, registerVersion: UInt64)
    }
}

/// Consecutive entries of a log, named by the first position of each epoch among them and the last one.
public struct Run: Equatable, Sendable {
    public var starts: [Position]
    public var last: Position
    public init(starts: [Position], last: Position) { (self.starts, self.last) = (starts, last) }
    public init(_ position: Position) { self.init(starts: [position], last: position) }

    public static let empty = Run(starts: [], last: .zero)
    public var first: LSN { starts.first?.lsn ?? last.lsn.next }
    public var isEmpty: Bool { starts.isEmpty }

    /// Adds the next entry; it must follow.
    public mutating func append(_ position: Position) {
        if starts.last?.epoch != position.epoch { starts.append(position) }
        last = position
    }
}

public struct Hello: Equatable, Sendable {
    public var node: NodeName
    /// It leads the message's epoch: ask to join.
    public var leads: Bool
    /// Newest entry on its disk.
    public var synced: Position
    public var disk: RandomID
    public var starts: UInt64
    /// Highest version of the register that it has seen.
    public var registerVersion: UInt64
    /// Its disk is full: it joins nobody before that has changed.
    public var full: Bool
    public init(
        node: NodeName, leads: Bool, synced: Position, disk: RandomID, starts: UInt64, registerVersion: UInt64,
        full: Bool = false
    ) {
        self.node = node
        self.leads = leads
        self.synced = synced
        self.disk = disk
        self.starts = starts
        self.registerVersion = registerVersion
        self.full = full
    }
}

public struct Join: Equatable, Sendable {
    public var log: EpochTable
    public var synced: LSN
    public var disk: RandomID
    public var starts: UInt64
    public var witness: WitnessChoice
    public init(log: EpochTable, synced: LSN, disk: RandomID, starts: UInt64, witness: WitnessChoice) {
        self.log = log
        self.synced = synced
        self.disk = disk
        self.starts = starts
        self.witness = witness
    }
}

public enum JoinRefusal: UInt8, Equatable, Sendable {
    /// The primary's log no longer reaches back to what the standby has.
    case reseedNeeded = 1
    /// Lost three times within a minute: ask again later.
    case flapping = 2
    /// The disk shows less than it acknowledged in this epoch: it must take a new disk id first (rule R11).
    case diskForgot = 3
}

/// One node of a Twinline pair as a pure value: facts go in, effects come out, nothing else happens.
///
/// It is Harp's protocol (Liskov et al., SOSP 1991: primary, backup, witness) with the witness cut down to one register
/// with compare-and-set; the rules R1 to R12 are those of the design, and each is named where it is kept.
///
/// - It never reads a clock, a file, a socket or a random number; time and random numbers arrive as arguments.
/// - No effect waits for another of the same batch. What must follow a sync is returned when the sync is reported.
/// - Payloads pass by; only positions stay.
public struct Replica: Equatable, Sendable {
    public enum Effect: Equatable, Sendable {
        /// Write and sync, then call `recordSaved`.
        case save(NodeRecord)
        case send(Message)
        /// To the witness.
        case ask(RegisterRequest)
        /// Append these entries, whose frames came with the message just received, and sync: `logSynced`.
        case append(Run)
        /// Append the epoch's first entry and sync: `logSynced`.
        case mark(Position, forced: Bool)
        /// Cut the log's tail after this LSN and sync: `logCut`.
        case cut(to: LSN)
        /// Send the standby everything from here on, as `append` messages, as long as this session lasts.
        case ship(from: LSN, session: UniqueNumber)
        /// Commit to the database everything up to this LSN, in order, and give the answers.
        case commit(through: LSN)
        /// Reads that waited for a round up to this one may be answered.
        case confirmReads(through: UInt64)
        /// Answer the other node's `fetch`: send it the entries after this position, as `fetched`.
        case lend(after: Position)
        /// The primary's log no longer reaches back to this one: stop, and go on with a copy of its database, on what
        /// then counts as a new disk (rule R11).
        case reseed
        case halt(Violation)
    }

    public let name: NodeName
    public let timings: Timings
    /// Moves as the machine's clock does, and never goes back; `reading` is what that one showed last.
    public internal(set) var now: Instant
    var reading: Instant
    public internal(set) var role: Role
    /// What is or is being written to this disk; `saved` is what is on it.
    public internal(set) var record: NodeRecord
    public internal(set) var saved: NodeRecord
    /// Invariant: applied <= committed <= synced <= log.last.lsn.
    public internal(set) var log: EpochTable
    public internal(set) var synced: LSN
    public internal(set) var committed: LSN
    public internal(set) var applied: LSN
    public internal(set) var peer: Peer
    public internal(set) var arbiter = ArbiterView()
    public internal(set) var seats = SeatsView()
    /// This node's disk has room for more than what is under way.
    public internal(set) var hasRoom = true
    /// This node's database is at work on something, and for `stallAfter` nothing has come of it.
    public internal(set) var databaseStuck = false
    /// A standby that lacks more entries than this catches up before a solo primary needs it.
    public var nearlyLevel: UInt64 = 64
    /// When `synced` last moved, or had nothing to move for.
    var syncProgressAt: Instant
    /// For sessions and requests to the witness.
    var counter = UniqueNumber.none
    /// The id that this disk takes should it turn out to have forgotten something (rule R11).
    let spareDisk: RandomID
    var effects: [Effect] = []

    public struct Peer: Equatable, Sendable {
        public var linked = false
        /// Refused on every route since the link went down: its process is dead and its machine alive.
        public var refused = false
        /// It ended the link because it does not let this node in: its certificate has expired or was revoked.
        public var dismissedThis = false
        /// When something was last heard; the start, before that.
        public var heardAt: Instant
        /// When something of the session with it was last heard; the session's begin, before that.
        public var sessionHeardAt: Instant
        /// What it last said of itself on this link, and the epoch it said it in.
        public var hello: Hello?
        public var epoch = Epoch.zero
    }

    public struct ArbiterView: Equatable, Sendable {
        public enum Asked: Equatable, Sendable {
            case read, solo, paired(UniqueNumber), claim(Epoch), testimony, install
        }
        struct Pending: Equatable, Sendable {
            var number: UniqueNumber
            var asked: Asked
            var since: Instant
            /// A join began since it was sent: winning it says nothing any more (rule R2).
            var void = false
        }
        /// Who answers where the witness is expected; nil: nobody.
        public internal(set) var answering: RandomID?
        public internal(set) var refusal: RegisterRefusal?
        /// The witness has heard what this node knows, and trusts its own disk: until then nothing else is asked (R12).
        var testified = false
        /// The round that will show that the standby consents to this primary's testimony (rule R12).
        var consent: UInt64?
        var pending: Pending?
        var readAt: Instant?
        /// Not before then, after a refusal or a useless answer.
        var retryAt: Instant?
    }

    /// A node that has just started: `record` is on disk with its start already counted, all of `log` is synced.
    public init(
        name: NodeName, record: NodeRecord, log: EpochTable, applied: LSN, process: UInt64, spareDisk: RandomID,
        now: Instant, timings: Timings = Timings()
    ) {
        precondition(applied <= log.last.lsn, "applied \(applied), but the log ends at \(log.last)")
        self.name = name
        self.timings = timings
        (self.now, reading) = (now, now)
        self.record = record
        self.saved = record
        self.log = log
        (synced, committed, self.applied) = (log.last.lsn, applied, applied)
        role = .standby(Standby(since: now))
        peer = Peer(heardAt: now, sessionHeardAt: now)
        syncProgressAt = now
        counter = UniqueNumber(process: process, counter: 0)
        self.spareDisk = spareDisk
    }

    /// Runs one fact through the rules and hands out what follows from it.
    mutating func step(_ fact: (inout Replica) -> Void) -> [Effect] {
        defer { checkInvariants() }
        fact(&self)
        pursue()
        return takeEffects()
    }

    mutating func takeEffects() -> [Effect] {
        guard !effects.isEmpty else { return [] }
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    func checkInvariants() {
        precondition(applied <= committed, "applied \(applied) before it was committed (\(committed))")
        precondition(committed <= synced, "committed \(committed) before it was on disk (\(synced))")
        precondition(synced <= log.last.lsn, "synced \(synced) past the last entry (\(log.last))")
        precondition(record.epoch >= saved.epoch && record.claimed >= saved.claimed, "the epoch went back (R7)")
        if case .primary(let primary) = role {
            precondition(primary.epoch.owner == name, "leads \(primary.epoch), which is the other node's")
        }
    }
}

// MARK: facts

extension Replica {
    /// At least one connection to the other node is ready.
    public mutating func peerConnected() -> [Effect] {
        step {
            $0.peer.linked = true
            $0.peer.refused = false
            $0.peer.heardAt = $0.now
            $0.sendHello()
        }
    }

    /// The last connection to the other node has closed.
    /// - Parameter dismissed: by the other node, which does not let this one in any more.
    public mutating func peerDisconnected(dismissed: Bool = false) -> [Effect] {
        step {
            $0.peer.linked = false
            $0.peer.dismissedThis = dismissed
            $0.peer.hello = nil
            $0.peer.heardAt = $0.now
            $0.sessionLost()
        }
    }

    /// Dialled again, and refused on every route.
    public mutating func peerRefused() -> [Effect] {
        step { $0.peer.refused = !$0.peer.linked }
    }

    /// The log is on disk up to here.
    public mutating func logSynced(through lsn: LSN) -> [Effect] {
        precondition(lsn <= log.last.lsn, "synced \(lsn), past the last entry \(log.last)")
        return step {
            guard lsn > $0.synced else { return }
            $0.synced = lsn
            $0.syncProgressAt = $0.now
            $0.acknowledge()
            $0.commitWhatMay()
        }
    }

    /// A part of an entry that is too long for one step has come from the other node, or is on this disk: whoever waits
    /// for the whole knows that something moves.
    public mutating func worked() -> [Effect] {
        step {
            $0.syncProgressAt = $0.now
            if case .standby(let standby) = $0.role, standby.follows { $0.send(.working) }
        }
    }

    /// The log holds nothing at or below this LSN any more; a node that needs it has to be reseeded.
    public mutating func logReleased(through lsn: LSN) -> [Effect] {
        precondition(lsn <= committed, "released \(lsn), which is not committed (\(committed))")
        return step {
            $0.log.release(through: lsn)
            // It joined a moment before, and needs what is gone: its next join is refused.
            if let session = $0.leading?.session, max(session.common, session.acked) < lsn { $0.sessionLost() }
        }
    }

    /// The database holds everything up to here.
    public mutating func applied(through lsn: LSN) -> [Effect] {
        step { $0.applied = max($0.applied, lsn) }
    }

    public mutating func recordSaved(_ record: NodeRecord) -> [Effect] {
        step {
            let newEpoch = record.epoch > $0.saved.epoch
            let newWitness = record.witness != $0.saved.witness
            $0.saved = record
            if newWitness { $0.witnessChosen() }
            // Now it may be spoken in. An older epoch's primary, should it live, stops at this word.
            if newEpoch { $0.sendHello() }
        }
    }

    public mutating func receive(_ message: Message) -> [Effect] {
        step {
            $0.peer.heardAt = $0.now
            $0.handle(message)
        }
    }
}

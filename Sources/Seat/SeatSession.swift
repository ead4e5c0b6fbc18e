import Replication
import Tickets
import Wire

/// What a seat does about a pair of nodes, as a pure value: facts go in, directives come out, nothing else happens.
///
/// It never reads a clock and never waits: moments are arguments, and `wakeAt` says when the next `tick` is due. No
/// directive waits for another of the same batch.
///
/// Rules:
/// - All ways to both nodes are held open. Requests go to the node that says it is primary in the highest epoch that
///   any node ever named, over the connection with the shortest round trip.
/// - What is unanswered goes out again, under the same name, as soon as its connection dies or another node leads. A
///   node that says "not now" is asked again after a short, growing delay.
/// - An answer that is late is asked for over another route of the same node as well, within a budget. A connection
///   that has been silent since, although it was beaten, is suspected: what is under way there moves at once.
/// - The first answer counts; later copies of it are not expected any more and are dropped.
/// - What may have happened is never done again under a new name.
package struct SeatSession: Equatable, Sendable {
    package enum Directive: Equatable, Sendable {
        /// Connect, then report `connected` or `disconnected`.
        case connect(Link)
        /// Close it. No report is awaited: to the session it is gone.
        case disconnect(Link, reason: String)
        case send(ToNode, on: Link)
        case deliver(Outcome, to: Call)
        /// Keep this on disk, if the seat has one.
        case remember(SeatMemory)
    }

    /// A caller who waits; numbered by the shell.
    package struct Call: Hashable, Sendable {
        package var number: UInt64
        package init(_ number: UInt64) { self.number = number }
    }

    package enum Outcome: Equatable, Sendable {
        case done(Done)
        case executed([StatementResult])
        case schemaChanged(version: UInt32)
        case failed(SeatError)
        /// For what is sent later under it.
        case named(RequestName)
        /// It was not run under the name that it is kept under, and never will be.
        case nameVoid
        case view(View, Origin)
        case status(NodeStatus)
        case operation(OperationAnswer)
    }

    let timings: SeatTimings
    var random: Random

    /// In the configured order: the first of equals is preferred.
    let order: [Link]
    var connections: [Link: Connection]
    /// Where requests go now. Nil: no node says that it leads.
    var target: Link?
    /// The leadership that requests were last sent to.
    var aim: Leadership?
    /// The only node that this seat has a live connection to, of the two that it is to have. The node is told: when
    /// most seats reach the standby only, the lead is moved there.
    var onlyReached: NodeName?
    /// How many connections seats have to a node, as far as one has said.
    var crowd: UInt32 = 0
    var pair: RandomID?
    /// Of this pair, from any node, ever. A standing of a lower one means nothing.
    package internal(set) var highestEpoch: Epoch

    /// Nil until the pair has opened one, and again once it no longer knows it.
    var session: Int64?
    var nextSequence: Int64 = 1
    /// Sequences of `session` without an answer, ascending: also those whose caller has stopped waiting.
    var unresolved: [Int64] = []
    /// Commands that wait for a session, and so for their names.
    var unnamed: [Unnamed] = []
    /// All that is under way.
    var pending: [Key: Pending] = [:]
    var nextOrdinal: UInt64 = 1
    var nextRead: UInt64 = 1
    /// Callers who wait for the answer to a `status` or `switchover`, in the order they asked.
    var inspections: [Link: [Call]] = [:]

    /// How long a node takes to answer a request.
    var answerTimes = AnswerTimes()
    /// Extra copies that may be sent, times `requestsPerExtraCopy`.
    var credit: Int
    /// When the last one was sent.
    var extraSentAt: Instant?

    /// When `tick` is due at the latest; it may come earlier.
    package internal(set) var wakeAt: Instant?

    package init(links: [Link], memory: SeatMemory? = nil, seed: UInt64, timings: SeatTimings = SeatTimings()) {
        self.timings = timings
        order = links
        random = Random(seed: seed)
        let dialling = Backoff(from: timings.dialling.lowerBound, to: timings.diallingWithLeader.upperBound)
        connections = Dictionary(links.map { ($0, Connection(dialling)) }, uniquingKeysWith: { first, _ in first })
        pair = memory.flatMap { RandomID($0.pair) }
        highestEpoch = Epoch(memory?.epoch ?? 0)
        credit = timings.requestsPerExtraCopy
    }

    /// Begins: every way is dialled at once.
    package mutating func start(at now: Instant) -> [Directive] {
        order.map { link in
            connections[link]?.phase = .dialling
            connections[link]?.since = now
            return .connect(link)
        }
    }

    /// Time has passed. Due at `wakeAt`.
    package mutating func tick(at now: Instant) -> [Directive] {
        defer { wakeAt = earliestDeadline() }
        return expire(at: now) + dispatch(at: now) + attendToWhatIsLate(at: now) + tendConnections(at: now)
    }

    /// Bytes have come over it, though not a whole message: a long answer on a slow line is no silence.
    package mutating func heard(_ link: Link, at now: Instant) {
        connections[link]?.unansweredBeats = 0
        connections[link]?.heardAt = now
        connections[link]?.isSuspected = false
    }

    package mutating func receive(_ message: FromNode, on link: Link, at now: Instant) -> [Directive] {
        guard let connection = connections[link] else { return [] }
        heard(link, at: now)
        switch (connection.phase, message) {
        case (.greeting, .welcome(let pair, let standing)): return welcome(pair, standing, on: link, at: now)
        case (.live, .standing(let standing)): return stand(standing, of: link, at: now)
        case (.live, .answered(let name, let verdict)): return answered(name, verdict, on: link, at: now)
        case (.live, .shown(let number, let verdict)): return shown(number, verdict, on: link, at: now)
        case (.live, .beat(let stamp, let echo)): return beat(stamp, echo, on: link, at: now)
        case (.live, .status(let status)): return inspected(.status(status), on: link)
        case (.live, .operation(let answer)): return inspected(.operation(answer), on: link)
        case (.live, .goodbye(let reason)), (.greeting, .goodbye(let reason)):
            return drop(link, "it left: \(reason)", at: now)
        case (.live, .welcome), (.greeting, _): return drop(link, "it broke the protocol", at: now)
        case (.waiting, _), (.dialling, _): return []
        }
    }

    mutating func wake(by moment: Instant) {
        if let due = wakeAt, due <= moment { return }
        wakeAt = moment
    }
}

extension Instant {
    func after(milliseconds: UInt64) -> Instant { advanced(byMilliseconds: milliseconds) }
    func after(nanoseconds: UInt64) -> Instant { Instant(nanoseconds: self.nanoseconds &+ nanoseconds) }

    /// Nanoseconds.
    func since(_ earlier: Instant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}

@testable import Replication

/// Messages of the other node: each kind in an older epoch, this one and a newer one, and in this session or another.
/// Variants of a kind only where the kind counts.
extension Happening {
    private static let otherSession = UniqueNumber(process: 0xF, counter: 9)

    static func messages(for situation: Situation) -> [Happening] {
        let replica = situation.replica
        let ages = [
            ("older", Epoch(replica.epoch.value - 1)), ("same", replica.epoch),
            ("newer", replica.name.other.epoch(above: replica.epoch)),
        ]
        let sessions = situation.session.map { [("", $0)] } ?? []
        var all: [Happening] = []
        for (age, epoch) in ages {
            for (kind, body) in outsideSessions(replica) {
                all.append(Happening(kind, variant: age) { $0.receive(Message(epoch, .none, body)) })
            }
            for (manner, session) in sessions + [("other session", otherSession)] {
                for (kind, body) in ofSessions(replica) + joins(replica) {
                    all.append(
                        Happening(kind, variant: age, manner: manner) {
                            $0.receive(Message(epoch, session, body))
                        })
                }
            }
        }
        for (kind, body) in joinVariants(replica) {
            all.append(
                Happening(kind, variant: "same", manner: "other session") {
                    $0.receive(Message($0.epoch, otherSession, body))
                })
        }
        for (kind, body) in fetchVariants(replica) {
            all.append(Happening(kind, variant: "same") { $0.receive(Message($0.epoch, .none, body)) })
        }
        guard let session = situation.session else { return all }
        for (kind, body) in variants(replica) {
            all.append(Happening(kind, variant: "same") { $0.receive(Message($0.epoch, session, body)) })
        }
        return all
    }

    private static func hello(_ replica: Replica, leads: Bool = false, further: UInt64 = 0, starts: UInt64 = 1)
        -> Message.Body
    {
        let other = replica.name.other
        let synced = Position(replica.log.last.epoch, LSN(replica.synced.value + further))
        return .hello(
            Hello(
                node: other, leads: leads, synced: synced, disk: Stage.disks[other], starts: starts, registerVersion: 1)
        )
    }

    private static func outsideSessions(_ replica: Replica) -> [(String, Message.Body)] {
        let last = replica.log.last
        let next = Position(last.epoch, last.lsn.next)
        var shorter = replica.log
        shorter.cut(to: LSN(last.lsn.value - 1))
        return [
            ("hello", hello(replica)), ("hello (further)", hello(replica, further: 5)),
            ("hello (leading)", hello(replica, leads: true)), ("hello (restarted)", hello(replica, starts: 2)),
            ("fetch", .fetch(shorter)), ("fetched (the next)", .fetched(Run(next), last: next)),
        ]
    }

    private static func joins(_ replica: Replica) -> [(String, Message.Body)] {
        let join = Join(
            log: replica.log, synced: replica.synced, disk: Stage.disks[replica.name.other], starts: 1,
            witness: Stage.witness)
        return [("join", .join(join))]
    }

    static let framesOfSessions = [
        "append", "acknowledge", "working", "stranded seats", "heartbeat", "confirm",
        "confirmed", "hand over", "adopt", "adopted",
    ]

    private static func ofSessions(_ replica: Replica) -> [(String, Message.Body)] {
        let last = replica.log.last
        return [
            ("join accepted", .joinAccepted(common: last)), ("join refused", .joinRefused(.flapping)),
            ("append", .append(Run(Position(last.epoch, last.lsn.next)), committed: last.lsn)),
            ("acknowledge", .acknowledge(synced: last.lsn, applied: replica.committed)),
            ("working", .working), ("stranded seats", .stranded(seats: 7)),
            ("heartbeat", .heartbeat(committed: last.lsn, synced: last.lsn, applied: replica.committed)),
            ("confirm", .confirm(round: 1)), ("confirmed", .confirmed(round: 1)),
            ("hand over", .handOver(through: replica.synced)), ("stale", .stale),
            ("adopt", .adopt(WitnessChoice(Stage.spare, number: 1))),
            ("adopted", .adopted(WitnessChoice(Stage.spare, number: 1), registerVersion: 3)),
        ]
    }

    private static func joinVariants(_ replica: Replica) -> [(String, Message.Body)] {
        func join(_ log: EpochTable, disk: RandomID = Stage.disks[replica.name.other], starts: UInt64 = 1)
            -> Message.Body
        {
            .join(Join(log: log, synced: log.last.lsn, disk: disk, starts: starts, witness: Stage.witness))
        }
        return [
            ("join of an empty log", join(EpochTable())), ("join of a parted log", join(EpochTable(epochs: 1))),
            ("join of a new disk", join(EpochTable(), disk: Stage.spare)),
            ("join of fewer starts", join(replica.log, starts: 0)),
        ]
    }

    private static func fetchVariants(_ replica: Replica) -> [(String, Message.Body)] {
        let last = replica.log.last
        let over = Run(starts: [last], last: Position(last.epoch, last.lsn.next))
        return [
            ("fetch of an empty log", .fetch(EpochTable())), ("fetched (parted)", .fetched(over, last: over.last)),
            ("fetched (nothing)", .fetched(.empty, last: .zero)),
        ]
    }

    private static func variants(_ replica: Replica) -> [(String, Message.Body)] {
        let last = replica.log.last
        let oldest = Position(replica.log.epoch(at: LSN(1)) ?? .zero, LSN(1))
        func run(_ first: UInt64, _ end: UInt64) -> Run {
            Run(starts: [Position(last.epoch, LSN(first))], last: Position(last.epoch, LSN(end)))
        }
        return [
            ("join accepted (below the end)", .joinAccepted(common: oldest)),
            ("join accepted (below applied)", .joinAccepted(common: .zero)),
            ("join accepted (unknown entry)", .joinAccepted(common: Position(last.epoch, last.lsn.next))),
            ("join refused (reseed needed)", .joinRefused(.reseedNeeded)),
            ("join refused (disk forgot)", .joinRefused(.diskForgot)),
            ("append of what is here", .append(Run(last), committed: last.lsn)),
            ("append after a gap", .append(run(last.lsn.value + 2, last.lsn.value + 3), committed: last.lsn)),
            ("append of the end and the next", .append(run(last.lsn.value, last.lsn.value + 1), committed: .zero)),
            ("acknowledge of nothing", .acknowledge(synced: .zero, applied: .zero)),
            ("acknowledge past the end", .acknowledge(synced: last.lsn.next, applied: .zero)),
            ("confirmed (a round not sent)", .confirmed(round: 2)),
            ("hand over (more than is synced)", .handOver(through: replica.synced.next)),
        ]
    }
}

@testable import Replication

/// A fact, made to fit the replica that it happens to: "older" + "append" + "other session".
struct Happening {
    /// What is tried with several kinds: the age of a message's epoch, how long nothing else happened.
    let variant: String
    let kind: String
    let manner: String
    /// In words: what the call returned, and the effects.
    let outcome: (inout Replica) -> [String]

    init(
        _ kind: String, variant: String = "", manner: String = "", outcome: @escaping (inout Replica) -> [String]
    ) {
        (self.variant, self.kind, self.manner, self.outcome) = (variant, kind, manner, outcome)
    }

    init(
        _ kind: String, variant: String = "", manner: String = "",
        _ fact: @escaping (inout Replica) -> [Replica.Effect]
    ) {
        self.init(kind, variant: variant, manner: manner, outcome: { fact(&$0).map(\.show) })
    }

    static func all(for situation: Situation) -> [Happening] {
        messages(for: situation) + disk(situation.replica) + calls(situation.replica) + links + seats
            + answers(situation.replica) + ticks
            + (situation.replica.hasSession ? ticksOfTheDeaf : [])
    }

    private static func disk(_ replica: Replica) -> [Happening] {
        var all: [Happening] = []
        if replica.saved != replica.record { all.append(Happening("record saved") { $0.saved() }) }
        if replica.synced < replica.log.last.lsn {
            all.append(Happening("log synced") { $0.logSynced(through: $0.log.last.lsn) })
        }
        if case .standby(let standby) = replica.role, case .cutting(_, let lsn) = standby.phase {
            all.append(Happening("log cut") { $0.logCut(to: lsn) })
        }
        return all + [Happening("applied all that is committed") { $0.applied(through: $0.committed) }]
    }

    private static func calls(_ replica: Replica) -> [Happening] {
        [
            Happening("propose", outcome: { [$0.propose().map { "place \($0)" } ?? "no place"] }),
            Happening(
                "read",
                outcome: { replica in
                    guard let (wait, effects) = replica.read() else { return ["no read"] }
                    let said = if case .round(let round) = wait { "read after round \(round)" } else { "read at once" }
                    return [said] + effects.map(\.show)
                }),
            Happening(
                "switch over",
                outcome: { replica in
                    let (obstacle, effects) = replica.switchOver()
                    return (obstacle.map { ["no switchover: \($0.show)"] } ?? []) + effects.map(\.show)
                }),
            Happening("forced solo", outcome: { $0.forced(.solo) }),
            Happening("forced promotion", outcome: { $0.forced(.promote) }),
            Happening("a seat knows this epoch") { $0.newerEpochHeard($0.epoch) },
            Happening("a seat knows a newer epoch") { $0.newerEpochHeard(Epoch($0.epoch.value + 6)) },
        ]
    }

    private static var links: [Happening] {
        [
            Happening("peer connected") { $0.peerConnected() },
            Happening("peer disconnected") { $0.peerDisconnected() },
            Happening("peer disconnected, refused on every route") { $0.peerDisconnected() + $0.peerRefused() },
            Happening("peer refused, though connected") { $0.peerRefused() },
            Happening("witness connected") { $0.witnessConnected() },
            Happening("witness disconnected") { $0.witnessDisconnected() },
            Happening("another witness connected") { $0.foreignWitnessConnected(Stage.spare) },
            Happening("another witness connected, and to be adopted") {
                $0.foreignWitnessConnected(Stage.spare) + $0.adoptWitness(Stage.spare).effects
            },
        ]
    }

    private static var seats: [Happening] {
        [
            Happening("a seat connected") { $0.seatsConnected(1) },
            Happening("the last seat gone, then peer disconnected") {
                $0.seatsConnected(1) + $0.seatsConnected(0) + $0.peerDisconnected()
            },
        ]
    }

    /// The other node was heard all the time, or not at all; the witness was not.
    private static var ticks: [Happening] {
        [50, 300, 500, 600, 1000].flatMap { (milliseconds: UInt64) in
            [
                Happening("ms", variant: "\(milliseconds)", manner: "other heard") { replica in
                    replica.clock(replica.now.advanced(byMilliseconds: milliseconds))
                    (replica.peer.heardAt, replica.peer.sessionHeardAt) = (replica.now, replica.now)
                    return replica.tick()
                },
                Happening("ms", variant: "\(milliseconds)", manner: "other silent") {
                    $0.later(milliseconds: milliseconds)
                },
            ]
        }
    }

    /// A node that hears nobody is heard, and keeps up no session.
    private static var ticksOfTheDeaf: [Happening] {
        [50, 300, 600].map { (milliseconds: UInt64) in
            Happening("ms", variant: "\(milliseconds)", manner: "other heard, but for the session") { replica in
                replica.clock(replica.now.advanced(byMilliseconds: milliseconds))
                replica.peer.heardAt = replica.now
                return replica.tick()
            }
        }
    }
}

extension Replica {
    fileprivate var hasSession: Bool { followed != nil || leading?.session != nil }

    fileprivate mutating func forced(_ act: Force) -> [String] {
        let (obstacle, effects) = force(act)
        return (obstacle.map { ["not forced: \($0.show)"] } ?? []) + effects.map(\.show)
    }
}

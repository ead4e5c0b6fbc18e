import Replication

/// Which changes of role were taken, and why; and how often each of the design's rules decided something. A run over
/// many seeds that never takes one proves nothing about it.
package struct Coverage {
    /// By "state + cause -> state", in the words of Tests/ReplicationTests/Transitions.txt.
    package private(set) var transitions: [String: Int] = [:]
    package private(set) var rules: [String: Int] = [:]

    package init() {}

    mutating func note(_ before: Replica, _ after: Replica, because cause: String) {
        if before.role != after.role {
            let (from, to) = (before.stateName, after.stateName)
            if from != to { transitions["\(from) + \(cause) -> \(to)", default: 0] += 1 }
        }
        noteRules(before, after, cause)
    }

    package mutating func add(_ other: Coverage) {
        transitions.merge(other.transitions, uniquingKeysWith: +)
        rules.merge(other.rules, uniquingKeysWith: +)
    }

    package static let allRules = (1...12).map { "R\($0)" }

    private mutating func rule(_ number: Int) { rules["R\(number)", default: 0] += 1 }

    private mutating func noteRules(_ before: Replica, _ after: Replica, _ cause: String) {
        switch (before.role, after.role) {
        case (.primary(let old), .primary(let new)):
            if old.needsStandby, !new.needsStandby { rule(1) }
            if !old.needsStandby, new.needsStandby { rule(3) }
            if old.rounds.confirmed < new.rounds.confirmed { rule(9) }
            if new.session == nil, new.needsStandby, cause == "lost" { rule(2) }
        case (.standby, .claiming):
            // The register's own choice, which does not lead, claims again.
            rule(before.record.register.primary == before.name ? 6 : 4)
        case (.claiming, .primary): rule(5)
        case (.primary, .fenced): rule(8)
        case (.standby(let old), .standby(let new)):
            if case .cutting = new.phase, old.phase != new.phase { rule(10) }
            if case .adopting = old.phase, case .joining = new.phase { rule(7) }
        default: break
        }
        if before.record.disk != after.record.disk { rule(11) }
        if before.record.witness != after.record.witness || cause == "refused" { rule(12) }
    }
}

extension Replica {
    /// As the situations of the reviewed table of transitions are called.
    var stateName: String {
        switch role {
        case .standby(let standby):
            switch standby.phase {
            case .idle: "idle"
            case .adopting: "adopting"
            case .joining: "joining"
            case .cutting(let session, _): session == .none ? "cutting, alone" : "cutting"
            case .following: "following"
            case .fetching: "fetching"
            }
        case .claiming(let claim): claim.asked ? "claiming, asked" : "claiming"
        case .primary(let primary): primary.stateName
        case .fenced: "fenced"
        }
    }
}

extension Primary {
    fileprivate var stateName: String {
        guard serving else { return "rising" }
        guard let session else { return needsStandby ? "lacking" : forced ? "forced" : "solo" }
        if session.isCatchingUp { return "catching up" }
        guard session.settled else { return session.acked < session.levelAt ? "joined" : "level" }
        return handover.map { $0.asked ? "handing over" : "draining" } ?? "settled"
    }
}

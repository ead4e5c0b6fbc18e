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
        guard let session else { return needsStandby ? "lacking" : "solo" }
        if session.isCatchingUp { return "catching up" }
        guard session.settled else { return session.acked < session.levelAt ? "joined" : "level" }
        return handover.map { $0.asked ? "handing over" : "draining" } ?? "settled"
    }
}

/// The reviewed table's changes of role.
package enum TransitionTable {
    /// - Returns: "state + cause -> state", each once, in the table's order.
    package static func changes(in text: String) -> [String] {
        var all: [String] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let plus = line.firstRange(of: " + "), let arrow = line.firstRange(of: " -> ") else { continue }
            let rest = line[arrow.upperBound...]
            let role = rest.firstRange(of: ": ").map { rest[..<$0.lowerBound] } ?? rest
            let what = String(line[plus.upperBound..<arrow.lowerBound])
            var from = state(situation: String(line[..<plus.lowerBound]))
            // Two facts: after the first it is idle, if it is a standby.
            if what.hasPrefix("peer disconnected, refused"), from != nil { from = "idle" }
            guard let from, let to = state(role: String(role)), from != to else { continue }
            for cause in causes(what) {
                let change = "\(from) + \(cause) -> \(to)"
                if !all.contains(change) { all.append(change) }
            }
        }
        return all
    }

    /// Nil: of a forced act, which no run commits without a person.
    private static func state(situation: String) -> String? {
        switch situation {
        case "named": "idle"
        case "claiming, saved", "claiming, read": "claiming"
        case "rising, saved": "rising"
        case "fenced, saved": "fenced"
        case "forced": nil
        default: situation
        }
    }

    private static func state(role: String) -> String? {
        let words = role.split(separator: " ")
        if role.contains("forced") { return nil }
        switch words.first {
        case "standby":
            guard words.count > 1 else { return nil }
            if words[1] == "cutting" { return role.contains(" in ") ? "cutting" : "cutting, alone" }
            return String(words[1])
        case "claiming": return role.hasSuffix(", asked") ? "claiming, asked" : "claiming"
        case "fenced": return "fenced"
        case "primary":
            if role.contains("not serving") { return "rising" }
            for (end, name) in [
                (", not level", "joined"), (", level", "level"), (", settled", "settled"), (", hands over", "draining"),
                (", has asked it to claim", "handing over"), (", lacks its standby", "lacking"), (", solo", "solo"),
                (", catching up", "catching up"),
            ] where role.hasSuffix(end) { return name }
            return nil
        default: return nil
        }
    }

    /// Without the ages of epochs and the variants of a kind.
    private static func causes(_ what: String) -> [String] {
        var what = what.split(separator: ";")[0].description
        for age in ["older/same/newer", "older/newer", "older/same", "same/newer", "older", "same", "newer"]
        where what.hasPrefix(age + " ") {
            what = String(what.dropFirst(age.count + 1))
            break
        }
        if what.hasSuffix(" ms") { return ["time"] }
        if what.hasPrefix("peer disconnected, refused on every route") { return ["peer refused"] }
        for (begin, cause) in [("the last seat gone", "peer disconnected"), ("forced", "forced")]
        where what.hasPrefix(begin) { return [cause] }
        for word in ["current", "lost", "refused", "won"] where what.hasPrefix(word) { return [word] }
        var all: [String] = []
        for part in what.split(separator: ",").map({ $0.drop { $0 == " " } }) {
            for cause in cause(String(part)) where !all.contains(cause) { all.append(cause) }
        }
        return all
    }

    private static let frames = [
        "append", "acknowledge", "working", "heartbeat", "confirm", "confirmed", "hand over",
        "adopt", "adopted",
    ]

    private static func cause(_ part: String) -> [String] {
        if part == "any frame" { return frames }
        for kind in [
            "hello", "fetched", "fetch", "join accepted", "join refused", "join", "append", "acknowledge",
            "confirmed", "hand over", "a seat knows",
        ] where part.hasPrefix(kind) { return [kind] }
        return [part]
    }
}

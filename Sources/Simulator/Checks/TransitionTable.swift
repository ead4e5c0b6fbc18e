/// The reviewed table's changes of role, as they are called where they are counted.
package enum TransitionTable {
    /// - Returns: "state + cause -> state", each once, in the table's order.
    package static func changes(in text: String) -> [String] {
        var all: [String] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let plus = line.firstRange(of: " + "), let arrow = line.firstRange(of: " -> ") else { continue }
            let rest = line[arrow.upperBound...]
            let role = rest.firstRange(of: ": ").map { rest[..<$0.lowerBound] } ?? rest
            let situation = String(line[..<plus.lowerBound])
            guard let to = state(role: String(role)) else { continue }
            for cause in causes(String(line[plus.upperBound..<arrow.lowerBound])) {
                // Two facts: what the first does to a role is another row, and it leaves a standby idle.
                let from = cause == refused ? afterLoss(situation) : state(situation: situation)
                guard let from, from != to else { continue }
                let change = "\(from) + \(cause) -> \(to)"
                if !all.contains(change) { all.append(change) }
            }
        }
        return all
    }

    private static let refused = "peer refused"

    private static func state(situation: String) -> String {
        switch situation {
        case "named": "idle"
        case "claiming, saved", "claiming, read": "claiming"
        case "rising, saved": "rising"
        case "fenced, saved": "fenced"
        default: situation
        }
    }

    /// Nil: the second fact changes no role.
    private static func afterLoss(_ situation: String) -> String? {
        switch situation {
        case "idle", "named", "fetching", "adopting", "joining", "following": "idle"
        default: nil
        }
    }

    private static func state(role: String) -> String? {
        let words = role.split(separator: " ")
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
                (", has asked it to claim", "handing over"), (", lacks its standby", "lacking"),
                ("forced, solo", "forced"), (", solo", "solo"), (", catching up", "catching up"),
            ] where role.hasSuffix(end) { return name }
            return nil
        default: return nil
        }
    }

    /// Without the ages of epochs and the variants of a kind.
    private static func causes(_ what: String) -> [String] {
        var rest = what.split(separator: ";")[0][...]
        // "lost/current register …", "older/newer hello …", "300/500 ms".
        var variants: [String] = []
        if let space = rest.firstIndex(of: " ") {
            let first = rest[..<space].split(separator: "/").map(String.init)
            if first.allSatisfy({ answers.contains($0) }) { variants = first }
            if !variants.isEmpty || first.allSatisfy(ages.contains) { rest = rest[space...].dropFirst() }
        }
        if !variants.isEmpty { return variants }
        if rest.hasSuffix(" ms") { return ["time"] }
        var all: [String] = []
        while !rest.isEmpty {
            // A fact that nothing here is called after will be missed, and so be seen.
            guard let (name, cause) = facts.first(where: { rest.hasPrefix($0.name) }) else {
                return all + [String(rest)]
            }
            for cause in cause == "any frame" ? frames : [cause] where !all.contains(cause) { all.append(cause) }
            // Its variant, if it has one.
            rest = rest.dropFirst(name.count).drop { $0 != "," }.drop { $0 == "," || $0 == " " }
        }
        return all
    }

    private static let ages = ["older", "same", "newer"]
    private static let answers = ["current", "lost", "refused"]

    private static let frames = [
        "append", "acknowledge", "working", "heartbeat", "confirm", "confirmed", "hand over", "adopt", "adopted",
    ]

    /// The longer of two that begin alike is first.
    private static let facts: [(name: String, cause: String)] =
        [
            ("peer disconnected, refused on every route", refused),
            ("peer refused, though connected", refused),
            ("another witness connected, and to be adopted", "another witness connected"),
            ("the last seat gone, then peer disconnected", "peer disconnected"),
            ("won, an earlier question", "won"), ("won, at a version below the known one", "won"),
            ("forced", "forced"),
        ]
        + [
            "any frame", "hello", "fetched", "fetch", "join accepted", "join refused", "join", "append",
            "acknowledge", "working", "heartbeat", "confirmed", "confirm", "hand over", "adopted", "adopt", "stale",
            "record saved", "log synced", "log cut", "applied all that is committed", "propose", "read", "switch over",
            "a seat knows", "a seat connected", "peer connected", "peer disconnected", "witness connected",
            "witness disconnected", "another witness connected", "won",
        ].map { ($0, $0) }
}

@testable import Replication

/// Every situation × everything that may happen in it, a row each: `situation + what happens -> role: effects`.
enum TransitionTable {
    static let head = """
        # What a replica does in each situation, whatever comes: a row reads
        #
        #     situation + what comes -> role after it: effects
        #
        # "older", "same" and "newer" tell the epoch of a message from the one that the node speaks in. Messages are of
        # this session unless the row says "other session"; the sessions are called this, other and new. "Any frame" is
        # append, acknowledge, heartbeat, confirm, confirmed and hand over. What comes out the same shares a row. Where
        # only the node's memory changes, the row names what changed, in parentheses. Rows are left out where nothing
        # is said and nothing changes but when the other node was last heard.
        """

    static var text: String {
        head + "\n" + Situation.all.map { "\n" + part($0).joined(separator: "\n") + "\n" }.joined()
    }

    private static func part(_ situation: Situation) -> [String] {
        ["## \(situation.name): \(situation.replica.role.show)", "# \(situation.says)", ""].map {
            named($0, situation)
        }
            + merged(Happening.all(for: situation).compactMap { row(situation, $0) }).map { row in
                "\(situation.name) + \(row.what) -> \(row.outcome)"
            }
    }

    private struct Row {
        var variants: [String]
        var kinds: [String]
        let manner: String
        let outcome: String

        var what: String {
            let frames = Set(kinds).isSuperset(of: Happening.framesOfSessions)
            let kinds = frames ? ["any frame"] + kinds.filter { !Happening.framesOfSessions.contains($0) } : kinds
            let what =
                variants.joined(separator: "/") + " " + kinds.joined(separator: ", ")
                + (manner.isEmpty ? "" : "; " + manner)
            return what.trimmingPrefix(" ").description
        }
    }

    private static let roles = ["role", "standby.", "claiming.", "primary."]

    private static func row(_ situation: Situation, _ happening: Happening) -> Row? {
        let before = situation.replica
        var replica = before
        var outcome = happening.outcome(&replica)
        if outcome.isEmpty {
            let changed = changedMemory(before, replica)
            if changed.isEmpty { return nil }
            let told = changed.filter { path in !Self.roles.contains { path.hasPrefix($0) } }
            let memory = replica.role.show == before.role.show ? changed : told
            outcome = [memory.isEmpty ? "(nothing else)" : "(\(memory.joined(separator: ", ")))"]
        }
        return Row(
            variants: [happening.variant], kinds: [happening.kind], manner: happening.manner,
            outcome: named("\(replica.role.show): \(outcome.joined(separator: "; "))", situation))
    }

    /// What comes out the same is one row: first the variants of one kind, then the kinds of the same variants.
    private static func merged(_ rows: [Row]) -> [Row] {
        var byKind: [Row] = []
        for row in rows {
            if let same = byKind.firstIndex(where: {
                ($0.kinds, $0.manner, $0.outcome) == (row.kinds, row.manner, row.outcome)
            }) {
                byKind[same].variants += row.variants
            } else {
                byKind.append(row)
            }
        }
        var all: [Row] = []
        for row in byKind {
            if let same = all.firstIndex(where: {
                ($0.variants, $0.manner, $0.outcome) == (row.variants, row.manner, row.outcome)
            }) {
                all[same].kinds += row.kinds
            } else {
                all.append(row)
            }
        }
        return all
    }

    /// Numbers of questions left out and sessions called by what they are to this situation: what a number is says
    /// nothing, and would change all rows with the way to the situation.
    private static func named(_ text: String, _ situation: Situation) -> String {
        var text = text
        if let session = situation.session { text = text.replacing(session.description, with: "this") }
        return text.replacing(/ask [ab]\.\d+/, with: "ask").replacing("f.9", with: "other")
            .replacing(/\b[ab]\.\d+/, with: "new")
    }

    /// The names of the fields that differ, to two levels.
    private static func changedMemory(_ before: Replica, _ after: Replica) -> [String] {
        let (old, new) = (leaves(of: before), leaves(of: after))
        let ignored: Set<String> = ["now", "reading", "peer.heardAt", "peer.sessionHeardAt", "counter.counter"]
        let changed = Set(new.keys).union(old.keys).filter { old[$0] != new[$0] }.map { path in
            path.split(separator: ".").filter { $0 != "value" && $0 != "nanoseconds" }.prefix(2).joined(separator: ".")
        }
        return Set(changed).subtracting(ignored).sorted()
    }

    private static func leaves(of value: Any, path: String = "") -> [String: String] {
        let mirror = Mirror(reflecting: value)
        guard !mirror.children.isEmpty else { return [path: "\(value)"] }
        var all: [String: String] = [:]
        for (index, child) in mirror.children.enumerated() {
            let label = child.label ?? "\(index)"
            let outer = ["role", "role.primary", "role.standby", "role.claiming"].contains(path) ? "" : path
            let inner = label == "some" ? path : outer.isEmpty ? label : "\(outer).\(label)"
            all.merge(leaves(of: child.value, path: inner)) { $1 }
        }
        return all
    }
}

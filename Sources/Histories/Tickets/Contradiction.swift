import Tickets

/// Makes a short explanation of a ticket's history that is not linearizable: as few answers as contradict each other
/// already, all others left out. A read is left out as if it had not been; of a command its answer is, so that it may
/// have happened at any time or never. Both make a history easier to explain, so what still contradicts itself does so
/// for the answers that are left (delta debugging; Zeller and Hildebrandt, 2002).
struct Contradiction {
    private let record: TicketRecord
    private let failed: TicketRecord.Item
    private let states: [Ticket.Progress?]
    /// Those items whose answers contradict each other.
    private(set) var core: [TicketRecord.Item] = []
    /// Of one try to leave something out.
    private static let effort = 20_000
    /// Items looked at, over all tries.
    private var budget = 3_000_000

    init(_ record: TicketRecord, at item: Int, _ states: [Ticket.Progress?]) {
        failed = record.items[item]
        self.states = states
        // What began later has no part in it, but for a reading of rows, which tells the order of what was before it.
        let line = record.readsRows ? .max : failed.completed ?? .max
        self.record = TicketRecord(record.ticket, record.items.filter { $0.invoked < line }, failed: record.failed)
        core = minimized()
    }

    private mutating func minimized() -> [TicketRecord.Item] {
        var kept = record.items.filter(\.isEvidence).map(\.index)
        var size = max(kept.count / 2, 1)
        while true {
            var start = 0
            while start < kept.count {
                let without = Array(kept[..<start] + kept[min(start + size, kept.count)...])
                if contradict(without) { kept = without } else { start += size }
            }
            if size == 1 { break }
            size /= 2
        }
        let left = Set(kept)
        return record.items.filter { left.contains($0.index) }
    }

    /// Whether these answers alone can't all be right.
    private mutating func contradict(_ kept: [Int]) -> Bool {
        guard budget > 0 else { return false }
        budget -= record.items.count
        let kept = Set(kept)
        let items = record.items.compactMap { item in kept.contains(item.index) ? item : item.withoutAnswer }
        var linearizer = Linearizer(TicketRecord(record.ticket, items), effort: Self.effort)
        if case .impossible = linearizer.run() { return true }
        return false
    }

    var violation: Violation {
        let (anomaly, explanation) = named()
        return Violation(anomaly, "ticket \(record.ticket)", explanation, core.map(\.index))
    }

    private func named() -> (Anomaly, String) {
        if core.count == 1, let named = alone(core[0]) { return named }
        if core.count == 2, let named = two(core[0], core[1]) ?? two(core[1], core[0]) { return named }
        return (.notLinearizable, "no order explains these answers\(possible)")
    }

    private var possible: String {
        guard core.last?.index == failed.index else { return "" }
        let words = states.prefix(5).map { progress in progress.map(\.words) ?? "not opened" }
        return "; before the last of them, the ticket could be " + words.joined(separator: ", or ")
    }

    /// An answer that contradicts nothing but what was asked for.
    private func alone(_ item: TicketRecord.Item) -> (Anomaly, String)? {
        guard let seen = item.revision else { return nil }
        let commands = record.items.filter { $0.isCommand }
        if !record.failed.isEmpty, isExplained(item, with: record.failed) {
            return (.abortedRead, "it shows what was answered that it did not happen")
        }
        if Int64(commands.count) < seen {
            return (
                .phantom,
                "revision \(seen) is the work of \(seen) commands, and only \(commands.count) had been asked for "
                    + "by then"
            )
        }
        return (.phantom, "none of the commands asked for by then lead to this")
    }

    /// Whether the answer would be right if what had failed had happened.
    private func isExplained(_ item: TicketRecord.Item, with failed: [(index: Int, step: TicketStep)]) -> Bool {
        let commands = failed.map {
            TicketRecord.Item(index: $0.index, invoked: 0, completed: nil, role: .command($0.step, nil))
        }
        let others = record.items.compactMap { $0.index == item.index ? $0 : $0.withoutAnswer }
        var linearizer = Linearizer(TicketRecord(record.ticket, commands + others), effort: Self.effort)
        return linearizer.run() == .linearizable
    }

    /// Two answers, the first of which came before the second was asked for, or which can't both be.
    private func two(_ first: TicketRecord.Item, _ second: TicketRecord.Item) -> (Anomaly, String)? {
        guard let before = first.revision, let after = second.revision else { return nil }
        if first.isCommand, second.isCommand, before == after {
            return (.lostUpdate, "both made revision \(before) of it: each was done as if the other had not been")
        }
        guard first.completed ?? .max < second.invoked, second.isCommand ? before >= after : before > after else {
            return nil
        }
        let text = "revision \(before) was \(first.isCommand ? "answered" : "shown") before the second began, which "
        let what =
            second.isCommand ? "made revision \(after)" : after == 0 ? "found no ticket" : "shows revision \(after)"
        if !first.isCommand, !record.items.contains(where: { $0.isCommand && $0.revision == before }) {
            return (.dirtyRead, text + what + ", and nobody had been answered that it was done")
        }
        return (second.isCommand ? .lostUpdate : .staleRead, text + what)
    }
}

extension TicketRecord.Item {
    var isCommand: Bool { if case .command = role { true } else { false } }

    /// Says something of the ticket.
    var isEvidence: Bool { if case .command(_, nil) = role { false } else { true } }

    /// What is left of it without what it was told. Nil: nothing.
    var withoutAnswer: Self? {
        guard case .command(let step, _) = role else { return nil }
        return Self(index: index, invoked: invoked, completed: nil, role: .command(step, nil))
    }

    /// That the answer speaks of.
    var revision: Int64? {
        switch role {
        case .command(_, let result): result?.revision
        case .look(.progress(let progress)): progress?.revision ?? 0
        case .look(.rows(let rows)): Int64(rows.count)
        case .look(.refusal(_, .noSuchTicket)): 0
        case .look(.refusal): nil
        }
    }
}

extension Ticket.Progress {
    /// As in: dispatched to roads, revision 3.
    package var words: String { "\(state)\(unit.isEmpty ? "" : " to \(unit)"), revision \(revision)" }
}

import Tickets

/// Holds each reading of a ticket's history rows against what was asked for: what is missing, there twice, or never
/// asked for is named at once. That the order is right too is for the linearizer to say.
struct TicketRows {
    private let record: TicketRecord
    private let history: History
    private var violations: [Violation] = []

    init(_ record: TicketRecord, _ history: History) { (self.record, self.history) = (record, history) }

    consuming func check() -> [Violation] {
        guard record.readsRows else { return [] }
        var asked: [TicketStep: [TicketRecord.Item]] = [:]
        for item in record.items {
            if case .command(let step, _) = item.role { asked[step, default: []].append(item) }
        }
        for item in record.items {
            guard case .look(.rows(let rows)) = item.role else { continue }
            check(rows, item, asked)
            if !violations.isEmpty { break }
        }
        return violations
    }

    private mutating func check(
        _ rows: [TicketStep], _ reading: TicketRecord.Item, _ asked: [TicketStep: [TicketRecord.Item]]
    ) {
        var found: [TicketStep: Int] = [:]
        for row in rows { found[row, default: 0] += 1 }
        for row in rows {
            guard let count = found.removeValue(forKey: row) else { continue }
            let candidates = (asked[row] ?? []).filter { $0.invoked < reading.completed ?? .max }
            if count > candidates.count { tooMany(row, count, candidates, reading) }
        }
        var present: [TicketStep: Int] = [:]
        for row in rows { present[row, default: 0] += 1 }
        for (step, items) in asked.sorted(by: { $0.value[0].index < $1.value[0].index }) {
            let answered = items.filter { item in
                if let line = item.completed { line < reading.invoked } else { false }
            }
            let count = present[step] ?? 0
            if answered.count > count { missing(step, count, answered, reading) }
        }
    }

    private mutating func tooMany(
        _ row: TicketStep, _ count: Int, _ candidates: [TicketRecord.Item], _ reading: TicketRecord.Item
    ) {
        let failed = record.failed.filter { $0.step == row }.map(\.index)
        let times = count == 1 ? "once" : "\(count) times"
        let asked = candidates.isEmpty ? "nobody had asked for it" : "it had been asked for \(candidates.count) times"
        if !failed.isEmpty {
            add(
                .abortedRead, "\(row.words) is there \(times), though it was answered that it did not happen",
                failed + [reading.index])
        } else if candidates.isEmpty {
            add(.phantom, "\(row.words) is there \(times), and \(asked) by then", [reading.index])
        } else {
            add(
                .duplicated, "\(row.words) is there \(times), and \(asked) by then",
                candidates.map(\.index) + [reading.index])
        }
    }

    private mutating func missing(
        _ step: TicketStep, _ count: Int, _ answered: [TicketRecord.Item], _ reading: TicketRecord.Item
    ) {
        let times = count == 0 ? "is not there" : "is there \(count) times only"
        let isBackLater = record.items.contains { item in
            guard case .look(.rows(let rows)) = item.role, item.invoked > reading.invoked else { return false }
            return rows.filter { $0 == step }.count >= answered.count
        }
        add(
            isBackLater ? .staleRead : .lost,
            "\(step.words) was done \(answered.count == 1 ? "" : "\(answered.count) times ")before the read began, "
                + "and \(times)",
            answered.map(\.index) + [reading.index])
    }

    private mutating func add(_ anomaly: Anomaly, _ explanation: String, _ operations: [Int]) {
        violations.append(Violation(anomaly, "ticket \(record.ticket)", explanation, Array(operations.prefix(20))))
    }
}

extension TicketStep {
    /// As in: note "called again".
    package var words: String {
        let text = detail.count > 60 ? "\(detail.prefix(60))…" : detail
        return detail.isEmpty ? "\(action)" : "\(action) \"\(text)\""
    }
}

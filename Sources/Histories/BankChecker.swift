/// A bank whose accounts lie in several tables: money is moved and never made. Every snapshot, on either node and
/// however old, has the total that was set up; and one from the primary shows what was answered before it began, and
/// besides only what was under way.
struct BankChecker {
    private typealias Balances = [String: Int64]

    private struct Transfer {
        var index: Int
        var from, to: String
        var amount: Int64
        /// The line of the answer; nil: of unknown outcome.
        var completed: Int?
        var invoked: Int
    }

    private let history: History
    /// What is left of it for all snapshots together: those of unknown outcome add up, and with them the sums.
    private var effort: Int
    private var result = CheckResult(.bank)
    private var transfers: [Transfer] = []

    init(_ history: History, effort: Int) { (self.history, self.effort) = (history, effort) }

    consuming func check() -> CheckResult {
        var opening: (index: Int, balances: [String: Int64])?
        var reads: [(index: Int, balances: [String: Int64])] = []
        for (index, operation) in history.operations.enumerated() {
            switch (operation.call, operation.outcome) {
            case (.accounts(let balances), .ok), (.accounts(let balances), .unknown): opening = (index, balances)
            case (.transfer(let from, let to, let amount), .ok), (.transfer(let from, let to, let amount), .unknown):
                transfers.append(
                    Transfer(
                        index: index, from: from, to: to, amount: amount, completed: operation.completed?.line,
                        invoked: operation.invoked.line))
            case (.balances, .ok(.balances(let balances))): reads.append((index, balances))
            case (.accounts, _), (.transfer, _), (.balances, _): break
            default: continue
            }
            result.operations += 1
        }
        guard !reads.isEmpty else { return result }
        guard let opening else {
            result.undecided.append("the bank: no accounts were set up, so that nobody knows the total")
            return result
        }
        let total = Self.total(opening.balances)
        result.remark = "\(opening.balances.count) accounts, \(reads.count) snapshots"
        for read in reads { checkTotal(read.index, read.balances, opening, total) }
        if result.violations.isEmpty {
            for read in reads where history.operations[read.index].call == .balances(.latest) {
                checkBalances(read.index, read.balances, opening)
                if !result.violations.isEmpty || !result.undecided.isEmpty { break }
            }
        }
        return result
    }

    /// Sums of 64 bits may need more.
    private static func total(_ balances: [String: Int64]) -> Int128 { balances.values.reduce(0) { $0 + Int128($1) } }

    private mutating func checkTotal(
        _ index: Int, _ balances: [String: Int64], _ opening: (index: Int, balances: [String: Int64]), _ total: Int128
    ) {
        let found = Self.total(balances)
        let isBefore = balances.isEmpty && !history.operations[opening.index].precedes(history.operations[index])
        // A standby may not have them yet.
        if isBefore || balances.isEmpty && history.operations[index].call == .balances(.standby) { return }
        guard found != total || Set(balances.keys) != Set(opening.balances.keys) else { return }
        result.violations.append(
            Violation(
                .wrongTotal, "the bank",
                "the snapshot's \(balances.count) accounts hold \(found), and there are \(opening.balances.count) with "
                    + "\(total)", [opening.index, index]))
    }

    /// Whether the balances are those that the answered transfers lead to, with some of those under way.
    private mutating func checkBalances(
        _ index: Int, _ balances: [String: Int64], _ opening: (index: Int, balances: [String: Int64])
    ) {
        let read = history.operations[index]
        guard !balances.isEmpty, let end = read.completed?.line else { return }
        var missing: [String: Int128] = [:]
        for (account, balance) in balances {
            missing[account] = Int128(balance) - Int128(opening.balances[account] ?? 0)
        }
        var optional: [Transfer] = []
        for transfer in transfers where transfer.invoked < end {
            if let completed = transfer.completed, completed < read.invoked.line {
                missing[transfer.from, default: 0] += Int128(transfer.amount)
                missing[transfer.to, default: 0] -= Int128(transfer.amount)
            } else {
                optional.append(transfer)
            }
        }
        var search = TransferSearch(optional.map { ($0.from, $0.to, $0.amount) }, effort: effort)
        let found = search.canMake(missing)
        effort = search.effort
        switch found {
        case true?: break
        case false?: result.violations.append(explanation(index, missing, optional.count))
        case nil:
            result.undecided.append(
                "the bank, line \(end): \(optional.count) transfers of unknown outcome allow of more sums than could "
                    + "be tried")
        }
    }

    private func explanation(_ index: Int, _ missing: [String: Int128], _ optional: Int) -> Violation {
        let wrong = missing.filter { $0.value != 0 }.sorted { $0.key < $1.key }
        for transfer in transfers where wrong.count == 2 && transfer.completed != nil {
            let (from, to) = (missing[transfer.from] ?? 0, missing[transfer.to] ?? 0)
            guard transfer.amount != 0, from == -to, abs(from) == abs(Int128(transfer.amount)) else { continue }
            let isLost = from == Int128(transfer.amount)
            return Violation(
                isLost ? .lost : .duplicated, "the bank",
                isLost
                    ? "the transfer was answered before the snapshot began, and the balances are those without it"
                    : "the balances are those of the transfer done twice", [transfer.index, index])
        }
        let words = wrong.prefix(4).map { "\($0.key) is off by \($0.value)" }.joined(separator: ", ")
        return Violation(
            .wrongBalance, "the bank",
            "by the transfers answered before the snapshot began \(words), and none of the \(optional) under way "
                + "explain it", [index])
    }
}

/// Looks for some of several transfers that together make given changes of balances. Account by account: once all
/// transfers of one are decided on, its change must be right, which rules out most choices early.
struct TransferSearch {
    private let transfers: [(from: String, to: String, amount: Int64)]
    private(set) var effort: Int

    init(_ transfers: [(from: String, to: String, amount: Int64)], effort: Int) {
        // By their accounts, so that one after the other is decided on.
        self.transfers = transfers.sorted {
            (min($0.from, $0.to), max($0.from, $0.to)) < (min($1.from, $1.to), max($1.from, $1.to))
        }
        self.effort = effort
    }

    /// Nil: too many to try.
    mutating func canMake(_ missing: [String: Int128]) -> Bool? {
        // How many transfers still touch each account.
        var open: [String: Int] = [:]
        for transfer in transfers {
            open[transfer.from, default: 0] += 1
            open[transfer.to, default: 0] += 1
        }
        for (account, change) in missing where change != 0 && open[account] == nil { return false }
        let found = search(0, missing, open)
        return effort > 0 ? found : nil
    }

    private mutating func search(_ number: Int, _ missing: [String: Int128], _ open: [String: Int]) -> Bool {
        guard number < transfers.count else { return missing.values.allSatisfy { $0 == 0 } }
        let transfer = transfers[number]
        var open = open
        open[transfer.from, default: 0] -= 1
        open[transfer.to, default: 0] -= 1
        for isDone in [false, true] {
            effort -= 1
            guard effort > 0 else { return false }
            var missing = missing
            if isDone {
                missing[transfer.from, default: 0] += Int128(transfer.amount)
                missing[transfer.to, default: 0] -= Int128(transfer.amount)
            }
            let isRuledOut = [transfer.from, transfer.to].contains { open[$0] == 0 && missing[$0] ?? 0 != 0 }
            if !isRuledOut, search(number + 1, missing, open) { return true }
        }
        return false
    }
}

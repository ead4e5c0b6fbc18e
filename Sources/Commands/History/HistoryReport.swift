import Histories

/// What the checkers found, for people and for programs.
struct HistoryReport: Equatable, Sendable {
    let history: History
    let verdict: Verdict
    /// How many violations are told in full; all are counted.
    var shown = 10

    init(_ history: History, _ checker: HistoryChecker = HistoryChecker()) {
        self.history = history
        verdict = checker.check(history)
    }

    var operations: Int { history.operations.count }

    /// "21304 operations, right"
    var sentence: String {
        let count = "\(operations) operations"
        if let first = verdict.violations.first {
            let others = verdict.violations.count > 1 ? ", and \(verdict.violations.count - 1) more" : ""
            return "\(count), WRONG: \(first.anomaly.rawValue), \(first.subject)\(others)"
        }
        if let first = verdict.undecided.first { return "\(count), NOT DECIDED: \(first)" }
        return "\(count), right"
    }

    var text: String {
        var rows = [["", "operations", "wrong", "found"]]
        for check in verdict.checks {
            rows.append([
                check.subject.rawValue, "\(check.operations)",
                check.operations == 0 ? "–" : "\(check.violations.count)",
                found(check),
            ])
        }
        var lines = trimmed(rows)
        for violation in verdict.violations.prefix(shown) { lines += [""] + self.lines(of: violation) }
        if verdict.violations.count > shown { lines += ["", "… and \(verdict.violations.count - shown) more"] }
        for undecided in verdict.undecided.prefix(shown) { lines += ["", "not decided: \(undecided)"] }
        return lines.joined(separator: "\n")
    }

    private func found(_ check: CheckResult) -> String {
        guard check.operations > 0 else { return "none in this history" }
        let word =
            !check.violations.isEmpty ? "WRONG" : !check.undecided.isEmpty ? "NOT DECIDED" : check.subject.whenRight
        return check.remark.isEmpty ? word : "\(word); \(check.remark)"
    }

    /// The sentence, and under it the operations that contradict each other.
    func lines(of violation: Violation) -> [String] {
        let rows = violation.operations.map { index in
            let operation = history.operations[index]
            let lines =
                operation.completed.map { "\(operation.invoked.line)–\($0.line)" } ?? "\(operation.invoked.line)–?"
            return [
                "  lines \(lines)", "process \(operation.process)", operation.span(since: start), operation.words,
            ]
        }
        let head = "\(violation.anomaly.rawValue), \(violation.subject): \(violation.explanation)"
        return [head] + (rows.isEmpty ? [] : trimmed(rows))
    }

    /// The last column needs no width.
    private func trimmed(_ rows: [[String]]) -> [String] {
        aligned(rows).map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
    }

    private var start: Int64 { history.operations.first?.invoked.time ?? 0 }

    var object: [String: Any] {
        var checks: [String: Any] = [:]
        for check in verdict.checks {
            checks[check.subject.rawValue] = [
                "operations": check.operations, "violations": check.violations.count,
                "undecided": check.undecided.count, "remark": check.remark,
            ]
        }
        let code = !verdict.violations.isEmpty ? "wrong" : verdict.undecided.isEmpty ? "right" : "undecided"
        return [
            "verdict": code, "operations": operations, "checks": checks, "undecided": verdict.undecided,
            "violations": verdict.violations.prefix(1000).map { violation in
                [
                    "anomaly": violation.anomaly.rawValue, "subject": violation.subject,
                    "explanation": violation.explanation,
                    "operations": violation.operations.map { index in
                        let operation = history.operations[index]
                        return [
                            "line": operation.invoked.line, "process": operation.process, "text": operation.words,
                        ] as [String: Any]
                    },
                ] as [String: Any]
            },
        ]
    }

    var json: String { jsonLine(object) }
}

extension CheckResult.Subject {
    fileprivate var whenRight: String {
        switch self {
        case .tickets: "linearizable"
        case .sets: "nothing lost, nothing twice"
        case .bank: "every total right"
        case .lists: "strictly serializable"
        case .standby: "no older than said"
        }
    }
}

extension Histories.Operation {
    /// As in: 1.204–1.207 s, since the history's beginning.
    fileprivate func span(since start: Int64) -> String {
        let begun = (invoked.time - start).asDuration
        return "at \(begun)" + (completed.map { " for \(($0.time - invoked.time).asDuration)" } ?? "")
    }
}

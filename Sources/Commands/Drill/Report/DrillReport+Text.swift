import Foundation

extension DrillReport {
    static let columns = [
        "fault", "blackout ms", "seat's wait ms", "p99 ms", "errors", "lost", "twice", "to paired ms", "",
    ]

    /// A row of the table for each fault.
    var rows: [[String]] {
        faults.map { fault in
            [
                fault.name, fault.blackout.map { String(format: "%.0f", $0) } ?? "all of it",
                fault.medianWait.map { String(format: "%.0f", $0) } ?? "–",
                fault.percentile99.map { String(format: "%.1f", $0) } ?? "–", "\(fault.errors)",
                fault.lost.map { "\($0)" } ?? "?", fault.duplicated.map { "\($0)" } ?? "?",
                fault.toPaired.map { String(format: "%.0f", $0) } ?? "never",
                fault.isGood ? (fault.losesTwo ? "two lost: refused" : "") : "NOT GOOD",
            ]
        }
    }

    var totals: [(name: String, value: String)] {
        [
            ("acknowledged", "\(acknowledged)"), ("read", "\(reads)"),
            ("lost", writes ? audit.map { "\($0.lost)" } ?? "not known" : "nothing was written"),
            ("twice", writes ? audit.map { "\($0.duplicated)" } ?? "not known" : "nothing was written"),
            ("errors", "\(faults.reduce(0) { $0 + $1.errors })"),
            ("copies", copiesInWords),
            ("history", history?.sentence ?? "not known"),
        ]
    }

    private var digest: String? { if case .equal(let digest) = copies { digest } else { nil } }

    private var copiesInWords: String {
        switch copies {
        case .equal(let digest): "equal, digest \(digest)"
        case .different: "NOT EQUAL"
        case .unknown, nil: "not compared"
        }
    }

    var text: String {
        let table = [Self.columns] + rows
        let widths = Self.columns.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        let lines = table.map { row in
            row.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 || column == row.count - 1 ? text + space : space + text
            }.joined(separator: "  ").trimmingSuffix { $0 == " " }
        }
        let sums = totals.map { $0.name.padding(toLength: 14, withPad: " ", startingAt: 0) + $0.value }
        return (lines.map(String.init) + [""] + sums + [""] + notes + [verdict]).joined(separator: "\n")
    }

    var json: String {
        jsonLine([
            "subject": subject, "began": began, "version": version, "seats": seats,
            "seconds": (seconds * 1000).rounded() / 1000, "acknowledged": acknowledged, "read": reads,
            "lost": audit?.lost as Any? ?? NSNull(), "duplicated": audit?.duplicated as Any? ?? NSNull(),
            "digest": digest as Any? ?? NSNull(), "operations": history?.operations as Any? ?? NSNull(),
            "violations": history?.verdict.violations.count as Any? ?? NSNull(),
            "undecided": history?.verdict.undecided.count as Any? ?? NSNull(), "good": isGood,
            "copies": copiesInWords, "trouble": trouble as Any? ?? NSNull(),
            "faults": faults.map(\.object),
        ])
    }
}

extension FaultRecord {
    fileprivate var object: [String: Any] {
        func rounded(_ value: Double?) -> Any { value.map { ($0 * 1000).rounded() / 1000 } as Any? ?? NSNull() }
        return [
            "fault": name, "loses_two": losesTwo, "blackout_ms": rounded(blackout),
            "median_seat_wait_ms": rounded(medianWait), "p99_ms": rounded(percentile99), "errors": errors,
            "error_examples": examples, "lost": lost as Any? ?? NSNull(),
            "duplicated": duplicated as Any? ?? NSNull(), "to_paired_ms": rounded(toPaired),
            "refusal": refusal as Any? ?? NSNull(), "trouble": trouble as Any? ?? NSNull(), "good": isGood,
            "marks": marks.map { ["at_ms": rounded($0.at), "text": $0.text] },
        ]
    }
}

private extension String {
    func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
        var rest = self[...]
        while let last = rest.last, predicate(last) { rest.removeLast() }
        return rest
    }
}

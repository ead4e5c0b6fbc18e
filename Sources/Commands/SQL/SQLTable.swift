import Daemon
import Foundation
import Tickets

/// Rows as a table for people: columns as wide as they need, numbers to the right.
struct SQLTable {
    let columns: [String]
    let rows: [[SQLValue]]

    var text: String {
        let words = ChangeWords()
        let titles = columns.map { words.shown($0) }
        let cells = rows.map { $0.map { $0.shown(words) } }
        let widths = titles.indices.map { column in
            max(titles[column].count, cells.map { $0[column].count }.max() ?? 0)
        }
        let toTheRight = titles.indices.map { column in
            !rows.isEmpty && rows.allSatisfy { $0[column].isNumber }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - cells[column].count)
                return toTheRight[column] ? space + cells[column] : cells[column] + space
            }
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
        let rule = line(widths.map { String(repeating: "-", count: $0) })
        return ([line(titles), rule] + cells.map(line)).joined(separator: "\n")
    }
}

extension SQLValue {
    fileprivate var isNumber: Bool {
        switch self {
        case .integer, .real, .null: true
        case .text, .blob: false
        }
    }

    fileprivate func shown(_ words: ChangeWords) -> String {
        switch self {
        case .null: "NULL"
        case .integer(let integer): "\(integer)"
        case .real(let real): "\(real)"
        case .text(let text): words.shown(text)
        case .blob(let bytes): "x'\(ChangeWords.hex(bytes))'"
        }
    }

    /// For a program: blobs as {"hex": …}; infinities, which JSON does not have, as texts.
    var json: Any {
        switch self {
        case .null: NSNull()
        case .integer(let integer): integer
        case .real(let real): real.isFinite ? real : "\(real)"
        case .text(let text): text
        case .blob(let bytes): ["hex": ChangeWords.hex(bytes)]
        }
    }
}

func counted(_ number: Int, _ word: String) -> String { number == 1 ? "1 \(word)" : "\(number) \(word)s" }

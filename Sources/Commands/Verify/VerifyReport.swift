import Foundation
import Replication
import Wire

/// What the walks found, judged.
struct VerifyReport: Sendable {
    enum Verdict: Equatable, Sendable {
        case equal
        /// These nodes' tables are not what they should be.
        case wrong([NodeName])
        /// Each node's tables are what its own digest says, but the two digests differ.
        case logsDiffer
        /// The tables of the only node that could be asked are right, as far as it can tell.
        case onlyOne(NodeName)
    }

    let nodes: [NodeName: Twinline_Seat_V1_Verification]

    init(_ nodes: [NodeName: Twinline_Seat_V1_Verification]) { self.nodes = nodes }

    /// A digest that is kept in passing is wrong only if the log is, so it tells which of two copies is.
    var verdict: Verdict {
        let wrong = names.filter { nodes[$0].map { $0.computed != $0.stored } ?? false }
        if !wrong.isEmpty { return .wrong(wrong) }
        guard let a = nodes[.a], let b = nodes[.b] else { return .onlyOne(names[0]) }
        return a.stored == b.stored ? .equal : .logsDiffer
    }

    var names: [NodeName] { NodeName.allCases.filter { nodes[$0] != nil } }

    /// Those whose sums differ between the two.
    var differingTables: [String] {
        guard let a = nodes[.a], let b = nodes[.b] else { return [] }
        let sums = Dictionary(uniqueKeysWithValues: b.tables.map { ($0.table, $0.digest) })
        let missing = Set(sums.keys).subtracting(a.tables.map(\.table))
        return (a.tables.filter { sums[$0.table] != $0.digest }.map(\.table) + missing).sorted()
    }

    var exitCode: Int32 {
        switch verdict {
        case .equal: 0
        case .wrong, .logsDiffer: 1
        case .onlyOne: 75
        }
    }

    private var position: String {
        guard let first = names.first.flatMap({ nodes[$0] }) else { return "" }
        return "\(Position(Epoch(first.positionEpoch), LSN(first.positionLsn)))"
    }

    var sentence: String {
        let tables = differingTables.joined(separator: ", ")
        switch verdict {
        case .equal: return "equal at \(position): both nodes' tables are what the digest says"
        case .wrong(let wrong) where wrong.count == 2:
            return "DIFFERENT at \(position): neither node's tables are what its digest says"
                + (tables.isEmpty ? "" : "; they differ in \(tables)") + ". Restore the pair from a backup"
        case .wrong(let wrong):
            let name = wrong[0]
            guard names.count == 2 else {
                return "DIFFERENT at \(position): node \(name)'s tables are not what its digest says; start node "
                    + "\(name.other) and verify again to learn which tables"
            }
            return "DIFFERENT at \(position): node \(name)'s tables are not what the digest says, node "
                + "\(name.other)'s are; they differ in \(tables). Let node \(name.other) lead, and reseed node \(name)"
        case .logsDiffer:
            return "DIFFERENT at \(position): each node's tables are what its own digest says, but these differ"
                + (tables.isEmpty ? "" : ", in \(tables)") + ". Look at both nodes' logs with `twinline log show`"
        case .onlyOne(let name):
            return "node \(name) alone, at \(position): its tables are what its digest says; node \(name.other) can't "
                + "be asked, so the copies were not compared. Start it and verify again"
        }
    }

    var text: String {
        var rows = [["", "position", "rows", "computed from the tables", "kept by the node"]]
        for name in names {
            guard let node = nodes[name] else { continue }
            let position = Position(Epoch(node.positionEpoch), LSN(node.positionLsn))
            rows.append(["node \(name)", "\(position)", "\(node.rows)", node.computed, node.stored])
        }
        return ([sentence, ""] + aligned(rows)).joined(separator: "\n")
    }

    var json: String {
        let code =
            switch verdict {
            case .equal: "equal"
            case .wrong, .logsDiffer: "different"
            case .onlyOne: "one node only"
            }
        var object: [String: Any] = ["verdict": code, "text": sentence, "differing_tables": differingTables]
        if case .wrong(let wrong) = verdict { object["wrong_nodes"] = wrong.map(\.rawValue) }
        for name in names {
            guard let node = nodes[name] else { continue }
            var tables: [String: Any] = [:]
            for table in node.tables { tables[table.table] = ["rows": table.rows, "digest": table.digest] }
            object["node_\(name)"] = [
                "epoch": node.positionEpoch, "lsn": node.positionLsn, "rows": node.rows, "computed": node.computed,
                "stored": node.stored, "tables": tables,
            ]
        }
        return jsonLine(object)
    }
}

/// Columns as wide as their widest cell.
func aligned(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
    }
}

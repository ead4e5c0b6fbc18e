import Histories
import Seat
import Tickets

/// What the seats were told, held against what the pair has.
struct SeatAudit: Equatable, Sendable {
    var lost = 0
    var duplicated = 0
    /// The first few, in words.
    var examples: [String] = []

    /// Looks up every ticket that was written to, linearizable, several at a time.
    static func of(_ operations: [SeatOperation], in pair: DrilledPair) async throws -> SeatAudit {
        let tickets = Dictionary(grouping: operations.filter { $0.acknowledged != nil }, by: \.call.ticket)
        var queue = tickets.compactMap { ticket, operations in ticket.map { ($0, operations) } }
            .sorted { $0.0 < $1.0 }[...]
        let (client, history, first) = (pair.probe, pair.history, pair.clients.firstAuditor)
        var audit = SeatAudit()
        try await withThrowingTaskGroup(of: (auditor: Int, found: SeatAudit).self) { group in
            func next(_ auditor: Int) {
                guard let (ticket, operations) = queue.popFirst() else { return }
                group.addTask {
                    let rows = try await history.rows(of: ticket, by: auditor, client)
                    return (auditor, SeatAudit(ticket, operations, rows))
                }
            }
            for auditor in 0..<DrillClients.auditors { next(first + auditor) }
            while let (auditor, found) = try await group.next() {
                audit.add(found)
                next(auditor)
            }
        }
        return audit
    }

    private init() {}

    /// - Parameter operations: on this ticket.
    init(_ ticket: TicketID, _ operations: [SeatOperation], _ rows: [HistoryRow]) {
        var found: [HistoryKey: Int] = [:]
        for row in rows { found[HistoryKey(row), default: 0] += 1 }
        for key in operations.compactMap(\.acknowledged) where found[key] == nil {
            lost += 1
            note("lost: \(key) of ticket \(ticket)")
        }
        // Also of what was never acknowledged: it may have happened, but not twice.
        for (key, count) in found where count > 1 {
            duplicated += 1
            note("\(count) times: \(key) of ticket \(ticket)")
        }
        if let gap = rows.enumerated().first(where: { $0.element.revision != Int64($0.offset + 1) }) {
            lost += 1
            note("the history of ticket \(ticket) has a gap at \(gap.offset + 1)")
        }
    }

    mutating func add(_ other: SeatAudit) {
        lost += other.lost
        duplicated += other.duplicated
        other.examples.forEach { note($0) }
    }

    private mutating func note(_ example: String) { if examples.count < 10 { examples.append(example) } }
}

import Daemon
import Foundation
import Histories
import Replication
import Seat
import Synchronization
import Tickets

/// What the seats were told, for comparing with what the pair holds in the end.
final class Ledger: Sendable {
    /// One request that a seat made: the mark in its text is found in the history exactly once, or the pair has lied.
    struct Promise: Sendable {
        var ticket: TicketID
        var action: HistoryRow.Action
        /// Unique for each note; empty for the others, which happen once in a ticket's life.
        var mark: String
    }

    private struct State {
        var acknowledged: [Promise] = []
        var errors: [String] = []
        /// When each answer to a write came, in nanoseconds of the monotonic clock, in their order.
        var answers: [UInt64] = []
        var reads = 0
    }
    private let state = Mutex(State())

    func done(_ promise: Promise) {
        let now = monotonicNow().nanoseconds
        state.withLock {
            $0.acknowledged.append(promise)
            $0.answers.append(now)
        }
    }

    func read() { state.withLock { $0.reads += 1 } }

    func failed(_ error: SeatError, _ what: String) {
        state.withLock { $0.errors.append("\(what): \(error)") }
    }

    /// Of which something was acknowledged.
    func someTicket(using random: inout Random) -> TicketID? {
        let number = random.next()
        return state.withLock { state in
            guard !state.acknowledged.isEmpty else { return nil }
            return state.acknowledged[Int(number % UInt64(state.acknowledged.count))].ticket
        }
    }

    var acknowledged: [Promise] { state.withLock { $0.acknowledged } }
    var errors: [String] { state.withLock { $0.errors } }
    var counts: (writes: Int, reads: Int, errors: Int) {
        state.withLock { ($0.acknowledged.count, $0.reads, $0.errors.count) }
    }

    /// The longest time without an answer to a write between two moments, and when it began.
    func blackout(from start: Instant, to end: Instant) -> (milliseconds: Double, at: Instant) {
        let times = state.withLock { $0.answers.filter { $0 >= start.nanoseconds && $0 <= end.nanoseconds } }.sorted()
        var longest = (gap: UInt64(0), at: start.nanoseconds)
        var last = start.nanoseconds
        for time in times + [end.nanoseconds] {
            if time - last > longest.gap { longest = (time - last, last) }
            last = time
        }
        return (Double(longest.gap) / 1_000_000, Instant(nanoseconds: longest.at))
    }
}

/// The result of holding the ledger against the tickets' histories.
struct Audit: Sendable {
    var lost = 0
    var duplicated = 0
    /// The first few, in words.
    var examples: [String] = []

    /// Reads every ticket's history, linearizable, and lists them all.
    /// - Parameter history: where it is recorded, and by whom.
    static func of(
        _ ledger: Ledger, by client: SeatClient, in history: (record: RunHistory, client: Int)? = nil
    ) async throws -> Audit {
        var audit = Audit()
        let promises = Dictionary(grouping: ledger.acknowledged, by: \.ticket)
        for (ticket, promises) in promises {
            let token = history?.record.begin(.history(ticket), by: history?.client ?? 0)
            let rows = try await client.history(of: ticket)
            if let token { history?.record.end(token, .ok(.rows(rows.map(TicketStep.init)))) }
            var found: [String: Int] = [:]
            for row in rows { found[key(row.action, row.action == .note ? row.note : ""), default: 0] += 1 }
            for promise in promises {
                let count = found[key(promise.action, promise.mark), default: 0]
                guard count == 0 else { continue }
                audit.lost += 1
                audit.note("lost: \(promise.action) \(promise.mark) of ticket \(ticket)")
            }
            // Also of what was never acknowledged: it may have happened, but not twice.
            for (name, count) in found where count > 1 {
                audit.duplicated += 1
                audit.note("\(count) times: \(name) of ticket \(ticket)")
            }
            for (index, row) in rows.enumerated() where row.revision != Int64(index + 1) {
                audit.lost += 1
                audit.note("history of ticket \(ticket) has a gap at \(index + 1)")
                break
            }
        }
        try await history?.record.list(by: history?.client ?? 0, client)
        return audit
    }

    private static func key(_ action: HistoryRow.Action, _ mark: String) -> String { "\(action) \(mark)" }

    private mutating func note(_ example: String) {
        if examples.count < 10 { examples.append(example) }
    }
}

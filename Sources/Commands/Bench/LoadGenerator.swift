import Daemon
import Foundation
import Histogram
import Histories
import NIOCore
import Replication
import Seat
import Synchronization
import Tickets

/// What one seat of a benchmark asks for, again and again, one request at a time.
enum BenchOperation: String, CaseIterable, Sendable {
    case open, show, mixed
}

/// Seats in a closed loop: each asks again as soon as it is answered.
final class LoadGenerator: Sendable {
    /// One measured interval.
    struct Result: Sendable {
        var latencies: Histogram<UInt64>
        var requests: Int
        var errors: Int
        var firstError: String?
        var seconds: Double
    }

    private struct Tally {
        var latencies = Histogram<UInt64>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
        var requests = 0
        var errors = 0
        var firstError: String?
        var tickets: [TicketID] = []
        var running = 0
    }

    private final class SeatTally: Sendable {
        private let state = Mutex(Tally())
        func withLock<Value: Sendable>(_ body: (inout sending Tally) -> sending Value) -> Value { state.withLock(body) }
    }

    private enum Phase { case warmUp, measure, stop }

    private let clients: [SeatClient]
    private let operation: BenchOperation
    private let tally: [SeatTally]
    private let history: RunHistory?
    private let phase = Mutex(Phase.warmUp)

    /// - Parameter history: where each seat's requests are recorded, under its number, if at all.
    init(_ clients: [SeatClient], _ operation: BenchOperation, history: RunHistory? = nil) {
        self.clients = clients
        self.history = history
        self.operation = operation
        tally = clients.map { _ in SeatTally() }
    }

    /// Warms up, measures, stops.
    func run(warmUp: Duration, measure: Duration) async throws -> Result {
        if operation != .open { try await openTickets(perSeat: 20) }
        for seat in clients.indices { next(seat) }
        try await Task.sleep(for: warmUp)
        let start = measuring()
        try await Task.sleep(for: measure)
        return try await finish(since: start)
    }

    /// Measures from the start until it holds.
    func run(until holds: @Sendable () -> Bool) async throws -> Result {
        let start = measuring()
        for seat in clients.indices { next(seat) }
        while !holds() { try await Task.sleep(for: .milliseconds(50)) }
        return try await finish(since: start)
    }

    private func measuring() -> Instant {
        phase.withLock { $0 = .measure }
        return monotonicNow()
    }

    private func finish(since start: Instant) async throws -> Result {
        phase.withLock { $0 = .stop }
        let seconds = Double(monotonicNow().nanoseconds - start.nanoseconds) / 1e9
        while tally.contains(where: { $0.withLock { $0.running } > 0 }) { try await Task.sleep(for: .milliseconds(5)) }
        var result = Result(
            latencies: Histogram<UInt64>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three),
            requests: 0, errors: 0, seconds: seconds)
        for seat in tally {
            seat.withLock { seat in
                result.latencies.add(seat.latencies)
                result.requests += seat.requests
                result.errors += seat.errors
                result.firstError = result.firstError ?? seat.firstError
            }
        }
        return result
    }

    func openTickets(perSeat count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seat in clients.indices {
                group.addTask {
                    for _ in 0..<count {
                        let ticket = Self.newTicket()
                        let token = self.history?.begin(.command(ticket.id, TicketStep(.open)), by: seat)
                        let done = try await self.clients[seat].perform(.open(ticket))
                        if let token { self.history?.end(token, Outcome(done)) }
                        self.tally[seat].withLock { $0.tickets.append(ticket.id) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func next(_ seat: Int) {
        let current = phase.withLock { $0 }
        guard current != .stop else { return }
        let start = monotonicNow()
        let shown: TicketID? = tally[seat].withLock { tally in
            tally.running += 1
            guard operation == .show || operation == .mixed && Int.random(in: 0..<10) < 8 else { return nil }
            return tally.tickets.randomElement()
        }
        if let shown {
            let token = history?.begin(.show(shown, .latest), by: seat)
            clients[seat].query(.show(shown)) { result in
                if let token { self.history?.end(token, Outcome(result)) }
                self.answered(seat, since: start, result.failure)
            }
        } else {
            let ticket = Self.newTicket()
            let token = history?.begin(.command(ticket.id, TicketStep(.open)), by: seat)
            clients[seat].perform(.open(ticket)) { result in
                if let token { self.history?.end(token, Outcome(result)) }
                self.answered(seat, since: start, result.failure)
            }
        }
    }

    private func answered(_ seat: Int, since start: Instant, _ error: SeatError?) {
        let took = monotonicNow().nanoseconds - start.nanoseconds
        let measured = phase.withLock { $0 == .measure }
        tally[seat].withLock { tally in
            tally.running -= 1
            if let error {
                tally.errors += 1
                tally.firstError = tally.firstError ?? "\(error)"
            } else if measured {
                tally.requests += 1
                _ = tally.latencies.record(max(1, took))
            }
        }
        next(seat)
    }

    /// Of the size of a real one: Boston's titles have a median of 25 characters, addresses and notes come on top.
    private static func newTicket() -> OpenTicket {
        let now = wallClockNow()
        return OpenTicket(
            id: TicketID(milliseconds: now, random: (.random(in: 0 ... .max), .random(in: 0 ... .max))), openedAt: now,
            channel: .phone, caller: "617-555-0100", category: "Tree Emergencies", district: "Jamaica Plain",
            priority: .urgent, text: "Tree Emergencies: a large branch blocks the road\n12 Centre St  Jamaica Plain",
            deadline: now + 86_400_000)
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}

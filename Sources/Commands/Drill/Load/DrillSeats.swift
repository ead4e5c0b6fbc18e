import Daemon
import Foundation
import Histories
import Replication
import Seat
import Synchronization
import Tickets

/// The seats of a drill, at work the whole time: each opens tickets, moves them through the desk, adds notes and looks
/// at them, and waits out any fault, since a call can't be repeated.
final class DrillSeats: Sendable {
    private let configurations: [SeatConfiguration]
    private let clients = Mutex<[SeatClient]>([])
    let journal: SeatJournal
    private let stopped = Mutex(false)
    private let seed: UInt64
    /// Whether tickets are written; else they are only looked for.
    let writes: Bool
    /// Between two requests of a seat.
    let pause: Duration

    private static let patience = Duration.seconds(20)
    private static let connectedWithin = Duration.seconds(120)
    /// A seat adds to no more tickets than these, its newest.
    private static let desk = 6

    /// - Parameter pause: between two requests of a seat. Nil: the more seats there are the longer, so that all of them
    ///   together ask for about a thousand things a second, or a third of it for more than a hundred seats, and the
    ///   machine is busy with the fault and not with them.
    init(
        _ configurations: [SeatConfiguration], seed: UInt64, history: RunHistory, writes: Bool = true,
        pause: Duration? = nil
    ) throws {
        journal = SeatJournal(history)
        (self.configurations, self.seed, self.writes) = (configurations, seed, writes)
        let count = configurations.count
        self.pause = pause ?? .milliseconds(count <= 100 ? max(15, count) : 3 * count)
    }

    var count: Int { configurations.count }

    /// Connects all of them, once there is a pair to connect to: a thousand that dial in vain would take the processor
    /// from the nodes that are to start.
    func connect() async throws {
        let made = try configurations.map { try SeatClient(configuration: $0) }
        clients.withLock { $0 = made }
        let deadline = ContinuousClock.now + Self.connectedWithin
        for client in made {
            while await client.connections.contains(where: { $0.state == .away }) {
                guard ContinuousClock.now < deadline else {
                    throw Failure(
                        "not all of the seats' connections have come about within \(Self.connectedWithin): "
                            + "\(await connectionsInWords())")
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    /// How many there are, and why the others were lost, the most frequent reasons first.
    func connectionsInWords() async -> String {
        var away = 0, all = 0
        var reasons: [String: Int] = [:]
        for client in clients.withLock({ $0 }) {
            for connection in await client.connections {
                all += 1
                away += connection.state == .away ? 1 : 0
                guard let loss = connection.lastLoss else { continue }
                reasons["node \(connection.link.node): \(loss.reason)", default: 0] += 1
            }
        }
        let most = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8)
        return (["\(away) of \(all) are away"] + most.map { "\($0.value) were last lost because of \($0.key)" })
            .joined(separator: "; ")
    }

    /// Whether it is one of the answers by whose absence a blackout is told: to a write, if any are made.
    func counts(_ operation: SeatOperation) -> Bool {
        writes ? operation.acknowledged != nil : operation.error == nil
    }

    func stop() { stopped.withLock { $0 = true } }
    func close() async { for client in clients.withLock({ $0 }) { await client.close() } }

    /// Runs until stopped.
    func work() async {
        let clients = clients.withLock { $0 }
        await withTaskGroup(of: Void.self) { group in
            for (seat, client) in clients.enumerated() { group.addTask { await self.work(at: seat, client) } }
        }
    }

    private func work(at seat: Int, _ client: SeatClient) async {
        var random = Random(seed: seed &+ UInt64(seat))
        var tickets: [(id: TicketID, state: Ticket.State)] = []
        var notes = 0
        // Not in step with the others, now and later.
        try? await Task.sleep(for: pause * Double.random(in: 0...1, using: &random))
        while !stopped.withLock({ $0 }) {
            let now = wallClockNow()
            let new = TicketID(
                milliseconds: now,
                random: (.random(in: 0 ... .max, using: &random), .random(in: 0 ... .max, using: &random)))
            if !writes {
                await show(new, seat, client)
            } else if tickets.isEmpty || Int.random(in: 0..<8, using: &random) == 0 {
                let open = OpenTicket(id: new, openedAt: now, category: "Drill", text: "Opened by seat \(seat + 1)")
                if let state = await perform(.open(open), seat, client) { tickets.append((new, state)) }
                if tickets.count > Self.desk { tickets.removeFirst() }
            } else {
                let index = Int.random(in: 0..<tickets.count, using: &random)
                let id = tickets[index].id
                let step = Self.next(tickets[index])
                switch Int.random(in: 0..<8, using: &random) {
                case 0: await show(id, seat, client)
                case 1 where step != nil:
                    guard let step else { continue }
                    guard let state = await perform(step, seat, client) else {
                        // Nobody knows how it stands.
                        tickets.remove(at: index)
                        continue
                    }
                    tickets[index].state = state
                default:
                    notes += 1
                    let text = "seat \(seat + 1), note \(notes)"
                    _ = await perform(.note(id, text: text), seat, client)
                }
            }
            try? await Task.sleep(for: pause * Double.random(in: 0.5...1.5, using: &random))
        }
    }

    /// Each of these happens once in a ticket's life here.
    private static func next(_ ticket: (id: TicketID, state: Ticket.State)) -> Command? {
        switch ticket.state {
        case .open: .dispatch(ticket.id, unit: "Drill", note: "")
        case .dispatched: .accept(ticket.id, note: "")
        case .accepted: .complete(ticket.id, result: "Done")
        default: nil
        }
    }

    private func perform(_ command: Command, _ seat: Int, _ client: SeatClient) async -> Ticket.State? {
        let outcome = await journal.record(seat, .command(command.ticket, TicketStep(command))) {
            () async throws(SeatError) in
            Histories.Answer(try await client.perform(command, within: Self.patience))
        }
        if case .ok(.advanced(let state, _)) = outcome { return state }
        return nil
    }

    private func show(_ ticket: TicketID, _ seat: Int, _ client: SeatClient) async {
        _ = await journal.record(seat, .show(ticket, .latest)) { () async throws(SeatError) in
            .ticket(Sighting(try await client.show(ticket, within: Self.patience)?.progress))
        }
    }
}

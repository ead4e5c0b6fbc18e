import Replication
import Seat
import Tickets
import Wire

/// A seat program with the real seat session, and callers that ask it for one thing after another. What is unknown is
/// asked again under its name, also after the program was started anew.
final class SimulatedSeat: Process, ConnectionOwner {
    private(set) var session: SeatSession
    private var open: [Int: Connection] = [:]
    private var callers: [UInt64: Operation] = [:]
    private var calls: UInt64 = 0
    private var timer: UInt64 = .max
    private var memory: SeatMemory?
    private var random: SeededRandom
    private let links: [Link]
    /// Outlives the program, as a note on the operator's desk does.
    private var unknown: [Operation] = []

    init(_ world: World, _ host: Host, _ random: SeededRandom) {
        self.random = random
        links = NodeName.allCases.flatMap { node in (0..<Network.routes).map { Link(node, route: $0) } }
        session = SeatSession(links: links, seed: self.random.next())
        super.init(world, host, Clock(self.random.below(1 << 40) + 1))
    }

    func start() {
        perform(session.start(at: now))
        for caller in 0..<world.profile.callers { think(caller) }
    }

    /// The program ends and is started again: its session ends, what it had asked goes on.
    func restart() {
        for index in links.indices { open.removeValue(forKey: index)?.close(by: self) }
        for operation in callers.values.sorted(by: { $0.number < $1.number }) { world.desk.abandoned(operation) }
        generation += 1
        callers = [:]
        timer = .max
        session = SeatSession(links: links, memory: memory, seed: random.next())
        start()
    }
    private var generation = 0

    private func index(of link: Link) -> Int { links.firstIndex(of: link) ?? 0 }

    // MARK: connections

    func received(_ bytes: [UInt8], on connection: Connection) {
        guard let index = open.first(where: { $0.value === connection })?.key else { return }
        guard let wire: Twinline_Seat_V1_NodeMessage = try? decoded(bytes), let message = try? FromNode(wire) else {
            return world.fail("\(host) can't read what a node said")
        }
        perform(session.receive(message, on: links[index], at: now))
    }

    func closed(_ connection: Connection) {
        guard let index = open.first(where: { $0.value === connection })?.key else { return }
        open[index] = nil
        perform(session.disconnected(links[index], .failed, at: now))
    }

    private func connect(_ link: Link) {
        let generation = generation
        world.network.dial(from: host, to: .node(link.node), route: link.route, self) { result in
            guard generation == self.generation else {
                if case .connected(let connection) = result { connection.close(by: self) }
                return
            }
            switch result {
            case .connected(let connection):
                self.open[self.index(of: link)] = connection
                self.perform(self.session.connected(link, at: self.now))
            case .refused: self.perform(self.session.disconnected(link, .refused, at: self.now))
            case .rejected: self.perform(self.session.disconnected(link, .failed, at: self.now))
            case .noAnswer: self.perform(self.session.disconnected(link, .failed, at: self.now))
            }
        }
    }

    private func perform(_ directives: [SeatSession.Directive]) {
        for directive in directives {
            switch directive {
            case .connect(let link): connect(link)
            case .disconnect(let link, _): open.removeValue(forKey: index(of: link))?.close(by: self)
            case .send(let message, let link):
                open[index(of: link)]?.send(
                    encoded(Twinline_Seat_V1_SeatMessage(message, program: "simulated")), by: self)
            case .deliver(let outcome, let call):
                if let operation = callers.removeValue(forKey: call.number) { heard(outcome, of: operation) }
            case .remember(let memory): self.memory = memory
            }
        }
        setTimer()
    }

    private func setTimer() {
        guard let due = session.wakeAt?.nanoseconds, due < timer else { return }
        timer = due
        let generation = generation
        after(nanoseconds: due > now.nanoseconds ? due - now.nanoseconds : 0) {
            guard self.timer == due, generation == self.generation else { return }
            self.timer = .max
            self.perform(self.session.tick(at: self.now))
        }
    }

    // MARK: callers

    private func think(_ caller: Int) {
        let generation = generation
        after(nanoseconds: random.within(world.profile.thinking)) {
            guard generation == self.generation else { return }
            if let again = self.unknown.popLast() {
                again.caller = caller
                return self.ask(again)
            }
            self.ask(self.world.desk.next(for: self.host, caller, &self.random))
        }
    }

    private func ask(_ operation: Operation) {
        calls += 1
        callers[calls] = operation
        let call = SeatSession.Call(calls)
        let deadline = now.advanced(byMilliseconds: operation.patience)
        if world.isTracing { world.note(host, "asks \(operation.brief)") }
        world.desk.asked(operation)
        switch operation.wish {
        case .command(let command):
            if let name = operation.name {
                perform(session.perform(command, again: name, for: call, by: deadline, at: now))
            } else {
                perform(session.perform(command, for: call, by: deadline, at: now))
            }
        case .read(let query, let level):
            perform(session.ask(query, level: level, for: call, by: deadline, at: now))
        }
    }

    private func heard(_ outcome: SeatSession.Outcome, of operation: Operation) {
        if world.isTracing { world.note(host, "hears \(outcome.brief) of \(operation.number)") }
        if case .failed(.unknown(let name)) = outcome, !operation.isRead {
            operation.name = name
            unknown.append(operation)
        }
        world.desk.heard(outcome, of: operation)
        think(operation.caller)
    }
}

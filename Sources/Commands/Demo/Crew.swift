import Foundation
import Histories
import Replication
import Seat
import Synchronization
import Tickets

/// The seats of the demo: they take in the file's tickets, spread over the script of faults, and between its steps and
/// after its end go on with notes and shows, so that somebody is asking at every moment.
final class Crew: Sendable {
    private let clients: [SeatClient]
    private let file: TicketFile
    let ledger = Ledger()
    /// What each seat asks and is told; a seat's number there is its own.
    private let history: RunHistory?
    private let progress = Mutex((done: 0, stopped: false))
    /// How long the file's steps are to last, together.
    private let span: Duration
    private let seed: UInt64
    private let began = ContinuousClock.now
    private let pause: Duration
    private let patience: Duration

    /// - Parameters:
    ///   - seed: for which of its tickets a seat adds a note to.
    ///   - pause: between two of a seat's own notes.
    ///   - patience: for each answer. A call can't be repeated: the seat waits out any fault.
    init(
        _ clients: [SeatClient], _ file: TicketFile, span: Duration, seed: UInt64, history: RunHistory? = nil,
        pause: Duration = .milliseconds(2), patience: Duration = .seconds(60)
    ) {
        self.pause = pause
        self.patience = patience
        self.clients = clients
        self.history = history
        self.file = file
        self.span = span
        self.seed = seed
    }

    var stepsDone: Int { progress.withLock { $0.done } }
    func stop() { progress.withLock { $0.stopped = true } }

    /// Runs until stopped, and until the file is taken in.
    func work() async {
        await withTaskGroup(of: Void.self) { group in
            for seat in clients.indices { group.addTask { await self.work(at: seat) } }
        }
    }

    private func work(at seat: Int) async {
        // A ticket stays at one seat, so that its steps follow each other.
        let steps = file.steps.enumerated().filter { $0.element.row % clients.count == seat }
        var next = 0
        var notes = 0
        var opened: [TicketID] = []
        var random = Random(seed: seed &+ UInt64(seat))
        while true {
            if next < steps.count, isDue(steps[next].offset) {
                let step = steps[next].element
                next += 1
                await perform(step, seat)
                if step.action == .open { opened.append(file.rows[step.row].open.id) }
                progress.withLock { $0.done += 1 }
                continue
            }
            if next >= steps.count, progress.withLock({ $0.stopped }) { return }
            guard let ticket = opened.randomElement(using: &random) else {
                try? await Task.sleep(for: pause)
                continue
            }
            notes += 1
            if notes % 4 == 0 {
                await show(ticket, seat)
            } else {
                let mark = "seat \(seat + 1), note \(notes)"
                await perform(
                    .note(ticket, text: mark), Ledger.Promise(ticket: ticket, action: .note, mark: mark), seat)
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// The file's n-th step is due after n parts of the whole time.
    private func isDue(_ number: Int) -> Bool {
        ContinuousClock.now - began >= span * (Double(number) / Double(file.steps.count))
    }

    private func perform(_ step: TicketFile.Step, _ seat: Int) async {
        let row = file.rows[step.row]
        let mark = step.action == .note ? row.closingNote : ""
        let promise = Ledger.Promise(ticket: row.open.id, action: step.action, mark: mark)
        await perform(step.command(row), promise, seat)
    }

    private func perform(_ command: Command, _ promise: Ledger.Promise, _ seat: Int) async {
        let token = history?.begin(.command(command.ticket, TicketStep(command)), by: seat)
        do throws(SeatError) {
            let done = try await clients[seat].perform(command, within: patience)
            if let token { history?.end(token, Outcome(done)) }
            ledger.done(promise)
        } catch {
            if let token { history?.end(token, Outcome(error)) }
            ledger.failed(error, "\(promise.action) ticket \(promise.ticket)")
        }
    }

    private func show(_ ticket: TicketID, _ seat: Int) async {
        let token = history?.begin(.show(ticket, .latest), by: seat)
        do throws(SeatError) {
            let found = try await clients[seat].show(ticket, within: patience)
            if let token { history?.end(token, .ok(.ticket(Sighting(found?.progress)))) }
            if found == nil {
                ledger.failed(.refused(.noSuchTicket(ticket)), "show ticket \(ticket)")
            } else {
                ledger.read()
            }
        } catch {
            if let token { history?.end(token, .failed(nil)) }
            ledger.failed(error, "show ticket \(ticket)")
        }
    }
}

import Daemon
import Foundation
import Histories
import Replication
import Seat
import Synchronization
import Tickets

/// Records what the seats of a demo, a benchmark or a drill ask and are told, in memory and, if wished, in a file as it
/// goes on, so that something is left also of a run that is killed.
final class RunHistory: Sendable {
    private struct State: Sendable {
        var recorder: HistoryRecorder
        var file: FileHandle?
        /// The file could not be written: the run goes on, its history is lost.
        var trouble: String?

        mutating func write(atLeast bytes: Int) {
            guard let file, recorder.waiting >= bytes else { return }
            do { try file.write(contentsOf: Data(recorder.takeLines())) } catch {
                trouble = "\(error)"
                self.file = nil
            }
        }
    }

    /// Nil: it is not written.
    let path: String?
    private let state: Mutex<State>
    /// Bytes that are written together.
    private static let portion = 256 << 10

    /// - Parameter clients: how many ask, each for one thing at a time.
    init(clients: Int, file path: String?) throws {
        self.path = path
        var file: FileHandle?
        if let path {
            guard FileManager.default.createFile(atPath: path, contents: nil),
                let opened = FileHandle(forWritingAtPath: path)
            else { throw Failure("can't write the history to \(path): \(String(cString: strerror(errno)))") }
            file = opened
        }
        state = Mutex(State(recorder: HistoryRecorder(clients: clients, writing: path != nil), file: file))
    }

    func begin(_ call: Call, by client: Int) -> HistoryRecorder.Token {
        let now = Int64(clamping: monotonicNow().nanoseconds)
        return state.withLock { state in
            let token = state.recorder.invoke(call, by: client, at: now)
            state.write(atLeast: Self.portion)
            return token
        }
    }

    func end(_ token: HistoryRecorder.Token, _ outcome: Outcome) {
        let now = Int64(clamping: monotonicNow().nanoseconds)
        state.withLock { $0.recorder.complete(token, outcome, at: now) }
    }

    /// What was recorded so far; all of it is in the file then.
    func finish() throws -> History {
        try state.withLock { state in
            state.write(atLeast: 1)
            if let trouble = state.trouble, let path { throw Failure("can't write the history to \(path): \(trouble)") }
            return state.recorder.history
        }
    }
}

extension Outcome {
    /// Of a command, or of what is like one.
    init(_ error: SeatError) {
        switch error {
        case .refused(let refusal): self = Outcome(refusal)
        case .unknown, .kept: self = .unknown
        case .unreachable, .diskFull, .misconfigured, .notKept: self = .failed(nil)
        }
    }

    init(_ result: Result<Done, SeatError>) {
        switch result {
        case .success(let done): self = Outcome(done)
        case .failure(let error): self = Outcome(error)
        }
    }

    /// Of a query: without an answer it has changed nothing.
    init(_ result: Result<View, SeatError>) {
        switch result {
        case .success(.ticket(let ticket)): self = .ok(.ticket(Sighting(ticket?.progress)))
        case .success(.history(let rows)): self = .ok(.rows(rows.map(TicketStep.init)))
        case .success(.tickets(let tickets)): self = .ok(.tickets(tickets.map(\.id)))
        case .success(.rows), .success(.changes), .failure: self = .failed(nil)
        }
    }
}

extension SeatClient {
    /// All tickets that there are, page by page. It is one read only while nobody opens any.
    func allTickets() async throws -> [TicketID] {
        var all: [TicketID] = []
        while true {
            let page = try await list(before: all.last, limit: 1000)
            all += page.map(\.id)
            if page.count < 1000 { return all }
        }
    }
}

extension RunHistory {
    /// Records what a client asks for and what comes of it. An error of a read says that it has seen nothing.
    func record(
        _ call: Call, by client: Int, _ ask: () async throws(SeatError) -> Histories.Answer
    ) async -> (outcome: Outcome, error: SeatError?) {
        let token = begin(call, by: client)
        var outcome = Outcome.failed(nil)
        var error: SeatError?
        do throws(SeatError) { outcome = .ok(try await ask()) } catch let failure {
            if case .command = call { outcome = Outcome(failure) }
            error = failure
        }
        end(token, outcome)
        return (outcome, error)
    }

    /// Records a look at a ticket's history.
    func rows(of ticket: TicketID, by client: Int, _ seat: SeatClient) async throws(SeatError) -> [HistoryRow] {
        let token = begin(.history(ticket), by: client)
        do throws(SeatError) {
            let rows = try await seat.history(of: ticket, within: .seconds(20))
            end(token, .ok(.rows(rows.map(TicketStep.init))))
            return rows
        } catch {
            end(token, .failed(nil))
            throw error
        }
    }

    /// Records a look at all the tickets that there are.
    func list(by client: Int, _ seat: SeatClient) async throws {
        let token = begin(.list, by: client)
        do {
            let tickets = try await seat.allTickets()
            end(token, .ok(.tickets(tickets)))
        } catch {
            end(token, .failed(nil))
            throw error
        }
    }
}

import DurableLog
import NIOCore
import NIOPosix
import Tickets

/// Calls that are on the seat's own disk before they are sent, and stay there until they have their answer: what is
/// taken while nobody answers is delivered once when somebody does, in the order in which it was taken, also by the
/// next program if this one dies. Lives on one event loop; its files are written on a thread of their own.
///
/// A call gets its name on the disk before the first copy is sent. So whoever finds it there asks again under that
/// name, and it happens once.
final class Outbox {
    /// What became of a call whose caller was told that it is kept.
    typealias Settled = @Sendable (Command, Result<Done, SeatError>) -> Void

    private unowned let driver: SeatDriver
    private let files: OutboxFiles
    private let settled: Settled
    private let eventLoop: any EventLoop
    private let pool = NIOThreadPool(numberOfThreads: 1)
    /// Those that are kept, oldest first. Only the first is under way, so that none overtakes another.
    private var calls: [KeptCall]
    private var isUnderWay = false
    private var nextNumber: UInt64
    /// Callers who still wait.
    private var callers: [UInt64: (Result<Done, SeatError>) -> Void] = [:]
    /// Those of them who have waited long enough, for a call that the disk does not hold yet.
    private var overdue: Set<UInt64> = []
    /// Named in this run, and not sent yet: these have not happened under another name either.
    private var unsent: Set<UInt64> = []
    private var isClosed = false

    init(
        _ files: OutboxFiles, _ calls: [KeptCall], _ driver: SeatDriver, _ eventLoop: any EventLoop,
        settled: @escaping Settled
    ) {
        (self.files, self.calls, self.driver, self.eventLoop) = (files, calls, driver, eventLoop)
        self.settled = settled
        nextNumber = (calls.last?.number ?? 0) + 1
        pool.start()
    }

    var waiting: Int { calls.count }

    func start() { deliver() }

    func close() {
        isClosed = true
        for (number, caller) in callers.sorted(by: { $0.key < $1.key }) {
            caller(.failure(calls.contains { $0.number == number } ? .kept(waiting: waiting) : .unreachable))
        }
        callers = [:]
        // What is being written is finished first: a few syncs at most.
        try? pool.syncShutdownGracefully()
        files.release()
    }

    /// Keeps the call, then has it done. Who waits for longer than `patience` is told that it is kept.
    func keep(
        _ command: Command, within patience: TimeAmount, at milliseconds: Int64,
        _ caller: @escaping (Result<Done, SeatError>) -> Void
    ) {
        let number = nextNumber
        nextNumber += 1
        // Only what goes out next has a name: of many that wait, the session would give up the oldest.
        let isNext = calls.isEmpty && callers.isEmpty
        let call = KeptCall(number, command, name: isNext ? driver.nameAtOnce() : nil, keptAt: milliseconds)
        callers[number] = caller
        save(call) { failure in
            if let failure {
                if let name = call.name { self.driver.giveUp(name) }
                return self.answer(number, .failure(.notKept("\(failure)")))
            }
            if call.name != nil { self.unsent.insert(number) }
            self.calls.append(call)
            self.deliver()
            if self.overdue.remove(number) != nil { self.answer(number, .failure(.kept(waiting: self.waiting))) }
        }
        eventLoop.assumeIsolated().scheduleTask(in: patience) {
            guard self.callers[number] != nil else { return }
            guard self.calls.contains(where: { $0.number == number }) else {
                // It is still on its way to the disk: neither kept nor lost, so nothing can be said yet.
                self.overdue.insert(number)
                return
            }
            self.answer(number, .failure(.kept(waiting: self.waiting)))
        }
    }

    private func deliver() {
        guard !isUnderWay, !isClosed, let call = calls.first else { return }
        isUnderWay = true
        if call.name == nil { name(call) } else { send(call) }
    }

    private func name(_ call: KeptCall) {
        driver.ask(
            nil,
            { outcome in
                guard case .named(let name) = outcome else { return self.pause() }
                var named = call
                named.name = name
                self.save(named) { failure in
                    guard failure == nil else {
                        self.driver.giveUp(name)
                        return self.pause()
                    }
                    self.unsent.insert(call.number)
                    self.calls[0] = named
                    self.send(named)
                }
            }
        ) { $0.reserve(for: $1, by: $2, at: $3) }
    }

    private func send(_ call: KeptCall) {
        guard let name = call.name else { return }
        let isNew = unsent.remove(call.number) != nil
        driver.ask(nil, { self.answered(call, $0) }) {
            $0.perform(.command(call.command), kept: name, isNew: isNew, for: $1, by: $2, at: $3)
        }
    }

    private func answered(_ call: KeptCall, _ outcome: SeatSession.Outcome) {
        // Who closes is told of all that is under way: it stays kept, for the next program.
        guard !isClosed else { return }
        switch outcome {
        case .done(let done): settle(call, .success(done))
        case .nameVoid:
            // It was not run under this name, and never will be: it gets another.
            calls[0].name = nil
            isUnderWay = false
            deliver()
        case .failed(.unreachable): isUnderWay = false
        case .failed(let error): settle(call, .failure(error))
        // No node answers a command so: nobody knows what it has done.
        default: settle(call, .failure(.unknown(call.name ?? RequestName(session: 0, sequence: 0))))
        }
    }

    private func settle(_ call: KeptCall, _ result: Result<Done, SeatError>) {
        calls.removeFirst()
        if callers[call.number] == nil { settled(call.command, result) } else { answer(call.number, result) }
        var isUnknown = false
        if case .failure(.unknown) = result { isUnknown = true }
        let (number, files) = (call.number, files)
        pool.runIfActive(eventLoop: eventLoop) { [isUnknown] in
            try isUnknown ? files.setAside(number) : files.remove(number)
        }.assumeIsolated().whenComplete { _ in
            // Not before: the next request tells the pair that it may forget this answer, and the file must not be
            // found again after that.
            self.isUnderWay = false
            self.deliver()
        }
    }

    private func answer(_ number: UInt64, _ result: Result<Done, SeatError>) {
        callers.removeValue(forKey: number)?(result)
    }

    /// The disk of this seat, or the pair's session, is not to be had now.
    private func pause() {
        guard !isClosed else { return }
        eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.isUnderWay = false
            self.deliver()
        }
    }

    private func save(_ call: KeptCall, then: @escaping (LogError?) -> Void) {
        let files = files
        pool.runIfActive(eventLoop: eventLoop) { () -> LogError? in
            do throws(LogError) {
                try files.save(call)
                return nil
            } catch {
                return error
            }
        }.assumeIsolated().whenSuccess { then($0) }
    }
}

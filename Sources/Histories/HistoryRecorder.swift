/// Records a run as it goes on. A value: who records from several threads puts a lock around it, and takes the time of
/// an event before it waits for the lock.
///
/// A call is recorded before it is sent and its answer after it was received, so that an operation is never shorter
/// here than it was, and no order is claimed that was not there.
package struct HistoryRecorder: Sendable {
    /// One operation under way.
    package struct Token: Sendable {
        fileprivate var client: Int
        fileprivate var process: Int
    }

    package private(set) var history = History()
    /// Each client's process. A process that never learns its outcome does nothing more (Jepsen's rule, which Knossos
    /// and Elle rely on), so its client goes on as another one.
    private var processes: [Int]
    private var lastTime: Int64 = 0
    private var lines: [UInt8]?

    /// - Parameter clients: how many ask, each for one thing at a time. A process's number modulo this is its client's.
    /// - Parameter writing: the lines of a file are made too, for `takeLines`.
    package init(clients: Int, writing: Bool = false) {
        precondition(clients > 0, "a history of no clients")
        processes = Array(0..<clients)
        lines = writing ? [] : nil
    }

    /// - Parameter client: from 0; nothing of it is under way.
    /// - Parameter time: nanoseconds of a monotonic clock.
    package mutating func invoke(_ call: Call, by client: Int, at time: Int64) -> Token {
        let token = Token(client: client, process: processes[client])
        let time = notBefore(time)
        if lines != nil { HistoryFormat.write(call, by: token.process, at: time, to: &lines!) }
        do { try history.invoke(call, by: token.process, at: time) } catch {
            preconditionFailure("client \(client) asks for two things at a time: \(error)")
        }
        return token
    }

    package mutating func complete(_ token: Token, _ outcome: Outcome, at time: Int64) {
        let time = notBefore(time)
        if lines != nil, let call = history.openCall(of: token.process) {
            HistoryFormat.write(outcome, of: call, by: token.process, at: time, to: &lines!)
        }
        do { try history.complete(outcome, by: token.process, at: time) } catch {
            preconditionFailure("client \(token.client) was answered twice: \(error)")
        }
        if outcome == .unknown { setAside(token) }
    }

    /// Nobody waits for it any more, and its client goes on as another process. It can still be completed, should its
    /// outcome be learned later.
    package mutating func setAside(_ token: Token) {
        processes[token.client] = max(processes[token.client], token.process + processes.count)
    }

    /// The lines since this was last called. Empty unless they are written.
    package mutating func takeLines() -> [UInt8] {
        guard let taken = lines else { return [] }
        lines?.removeAll(keepingCapacity: true)
        return taken
    }

    /// How many bytes wait for `takeLines`.
    package var waiting: Int { lines?.count ?? 0 }

    /// Threads that wait for the lock may swap places; what counts is that the event is recorded now.
    private mutating func notBefore(_ time: Int64) -> Int64 {
        lastTime = max(lastTime, time)
        return lastTime
    }
}

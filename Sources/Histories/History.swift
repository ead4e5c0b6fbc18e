/// A point of a history.
package struct Moment: Equatable, Sendable {
    /// The event's number, from 1: its line in a file. Order is by this alone.
    package var line: Int
    /// Nanoseconds of one monotonic clock.
    package var time: Int64

    package init(line: Int, time: Int64) { (self.line, self.time) = (line, time) }
}

/// One call with what became of it.
package struct Operation: Equatable, Sendable {
    package var process: Int
    package var call: Call
    /// `unknown` also while there is no answer.
    package var outcome: Outcome
    package var invoked: Moment
    /// Nil with an unknown outcome: it may happen at any later time.
    package var completed: Moment?

    /// The other one began only after the answer to this one.
    package func precedes(_ other: Operation) -> Bool {
        if let completed { completed.line < other.invoked.line } else { false }
    }
}

/// What clients asked for and were told, in the order in which it happened as far as anyone outside can tell.
package struct History: Equatable, Sendable {
    /// In the order in which they were invoked.
    package private(set) var operations: [Operation] = []
    package private(set) var events = 0
    private var lastTime: Int64 = 0
    /// A process's operation under way, and those that will never do another one.
    private var underWay: [Int: Int] = [:]
    private var crashed: Set<Int> = []

    package init() {}

    /// The call that this process waits for the answer of.
    func openCall(of process: Int) -> Call? { underWay[process].map { operations[$0].call } }

    /// - Throws: `HistoryError.disorder`.
    package mutating func invoke(_ call: Call, by process: Int, at time: Int64) throws(HistoryError) {
        let moment = try next(time)
        if underWay[process] != nil {
            throw .disorder(line: moment.line, "process \(process) asks again before it was answered")
        }
        if crashed.contains(process) {
            throw .disorder(
                line: moment.line,
                "process \(process) asks again after an outcome that it never learned; "
                    + "a new number is needed")
        }
        underWay[process] = operations.count
        operations.append(
            Operation(process: process, call: call, outcome: .unknown, invoked: moment, completed: nil))
        accept(moment)
    }

    /// - Throws: `HistoryError.disorder`.
    package mutating func complete(_ outcome: Outcome, by process: Int, at time: Int64) throws(HistoryError) {
        let moment = try next(time)
        guard let index = underWay[process] else {
            throw .disorder(line: moment.line, "process \(process) is answered and has asked for nothing")
        }
        underWay[process] = nil
        if outcome == .unknown {
            crashed.insert(process)
        } else {
            operations[index].outcome = outcome
            operations[index].completed = moment
        }
        accept(moment)
    }

    private func next(_ time: Int64) throws(HistoryError) -> Moment {
        guard time >= lastTime else {
            throw .disorder(line: events + 1, "its time, \(time), is before that of the line above, \(lastTime)")
        }
        return Moment(line: events + 1, time: time)
    }

    private mutating func accept(_ moment: Moment) { (events, lastTime) = (moment.line, moment.time) }
}

/// Why something is no history. `line` counts from 1.
package enum HistoryError: Error, Equatable, Sendable {
    /// The bytes are not what the format says. `column` counts bytes from 1.
    case malformed(line: Int, column: Int, String)
    /// Each line is right by itself, but this one can't follow those above it.
    case disorder(line: Int, String)
    /// The last line has no end.
    case cutOff(line: Int)
}

extension HistoryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let line, let column, let reason): "line \(line), column \(column): \(reason)"
        case .disorder(let line, let reason): "line \(line): \(reason)"
        case .cutOff(let line):
            "line \(line) is cut off: its writer was stopped in the middle; take the \(line - 1) lines above it "
                + "(head -n \(line - 1))"
        }
    }
}

import Engine
import Replication
import Wire

/// One copy of a seat's question, and what had been answered when it came. A seat that has left a silent way and come
/// back to it asks the same again there; each copy's answer is held against that copy, in whatever order they come.
///
/// `@unchecked Sendable`: all of a simulated world is touched on one thread only.
final class Question: Engine.SeatConnection, @unchecked Sendable {
    private let read: SeatRead
    private let process: NodeProcess
    private let seat: SeatEnd
    private let answered: LSN
    private let moment: UInt64
    let loop = 0

    init(_ read: SeatRead, _ process: NodeProcess, _ seat: SeatEnd) {
        (self.read, self.process, self.seat) = (read, process, seat)
        (answered, moment) = (process.world.ledger.answered, process.world.now)
    }

    func write(_ answer: ReadAnswer) {
        if case .view(let view) = answer.outcome {
            process.world.ledger.shown(view, at: answer.position, to: read, answered, by: process)
            if let age = answer.age {
                process.world.ledger.aged(age, at: answer.position, since: moment, by: process)
            }
        }
        seat.write(answer)
    }

    func write(_ answer: WriteAnswer) { seat.write(answer) }
    func flush() { seat.flush() }
}

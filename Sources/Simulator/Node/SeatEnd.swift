import Engine
import Replication
import Tickets
import Wire

/// A seat's connection at a node, as the daemon's `SeatHandler` serves it: the seat protocol's bytes in and out.
///
/// `@unchecked Sendable`: all of a simulated world is touched on one thread only.
final class SeatEnd: Engine.SeatConnection, ConnectionOwner, @unchecked Sendable {
    private unowned let process: NodeProcess
    private let connection: Connection
    let actor: String
    private(set) var isStranded = false
    private(set) var hasGreeted = false
    private(set) var isOpen = true
    let loop = 0

    init(_ process: NodeProcess, _ connection: Connection, _ host: Host) {
        (self.process, self.connection) = (process, connection)
        actor = "seat/\(host)"
    }

    func received(_ bytes: [UInt8], on connection: Connection) { process.run { self.take(bytes) } }

    func closed(_ connection: Connection) {
        process.run {
            self.isOpen = false
            self.process.seatLeft(self)
        }
    }

    private(set) var heardAt = Instant(nanoseconds: 0)

    private func take(_ bytes: [UInt8]) {
        guard isOpen else { return }
        heardAt = process.now
        guard let message: Twinline_Seat_V1_SeatMessage = try? decoded(bytes) else {
            return process.world.fail("\(process.host) can't read what \(actor) said")
        }
        switch message.body {
        case .hello(let hello): greet(Epoch(hello.epoch))
        case .request(let request): take(request, bytes.count)
        case .read(let request): take(request)
        case .beat(let beat):
            if beat.stranded != isStranded {
                isStranded = beat.stranded
                process.seatSaid(self)
            }
            guard beat.stamp != 0 else { return }
            var reply = Twinline_Seat_V1_NodeMessage()
            reply.beat.echo = beat.stamp
            send(reply)
        case .status, .operation, nil: break
        }
    }

    private func greet(_ epoch: Epoch) {
        guard !hasGreeted else { return }
        hasGreeted = true
        var welcome = Twinline_Seat_V1_NodeMessage()
        welcome.welcome.pairID = process.world.pair.bytes
        welcome.welcome.standing = Twinline_Seat_V1_Standing(process.standing)
        send(welcome)
        process.seatCame(self)
        process.step("a seat knows", "\(actor) knows \(epoch)") { $0.newerEpochHeard(epoch) }
    }

    private func take(_ message: Twinline_Seat_V1_Request, _ bytes: Int) {
        guard let request = try? SeatRequest(message) else {
            return process.world.fail("\(process.host) can't read a request of \(actor)")
        }
        let pending = PendingWrite(request: request, actor: actor, bytes: bytes, connection: self)
        if let reason = process.database.submit(pending) { write(pending.answered(.notNow(reason))) }
    }

    private func take(_ message: Twinline_Seat_V1_ReadRequest) {
        guard let read = try? SeatRead(message) else {
            return process.world.fail("\(process.host) can't read a question of \(actor)")
        }
        let question = Question(read, process, self)
        let pending = PendingRead(number: read.number, level: read.level, query: read.query, connection: question)
        process.step("read", "\(actor) reads") { $0.read([pending]) }
    }

    // MARK: answers

    func write(_ answer: WriteAnswer) {
        var message = Twinline_Seat_V1_NodeMessage()
        message.answer = Twinline_Seat_V1_Answer(answer, process.standing)
        send(message)
    }

    func write(_ answer: ReadAnswer) {
        var message = Twinline_Seat_V1_NodeMessage()
        message.read = Twinline_Seat_V1_ReadAnswer(answer, process.standing)
        send(message)
    }

    func write(_ standing: Engine.Standing) {
        var message = Twinline_Seat_V1_NodeMessage()
        message.standing = Twinline_Seat_V1_Standing(standing)
        send(message)
    }

    func flush() {}

    private func send(_ message: Twinline_Seat_V1_NodeMessage) { connection.send(encoded(message), by: self) }

    func leave(_ reason: String) {
        var message = Twinline_Seat_V1_NodeMessage()
        message.goodbye.reason = reason
        send(message)
        connection.close(by: self)
        isOpen = false
    }
}

import FoundationEssentials
import Replication
import Tickets
import Wire

/// What a node says it is.
package struct Standing: Equatable, Sendable {
    package enum Role: Equatable, Sendable { case primary, standby, starting }
    package var epoch: Epoch
    package var role: Role

    package init(_ role: Role, _ epoch: Epoch) { (self.epoch, self.role) = (epoch, role) }
}

/// What a seat says to a node.
package enum ToNode: Equatable, Sendable {
    case hello(Epoch)
    case request(SeatRequest)
    case read(SeatRead)
    /// 0: no stamp, nothing to echo.
    case beat(stamp: UInt64, echo: UInt64, isStranded: Bool)
    case status
    case switchover
}

/// What a node says to a seat.
package enum FromNode: Equatable, Sendable {
    case welcome(pair: RandomID, Standing)
    case standing(Standing)
    case answered(RequestName, Verdict)
    case shown(UInt64, ReadVerdict)
    case beat(stamp: UInt64, echo: UInt64)
    case status(NodeStatus)
    case operation(OperationAnswer)
    case goodbye(String)

    package enum Verdict: Equatable, Sendable {
        case done(Done)
        case executed([StatementResult])
        case schemaChanged(version: UInt32)
        case refused(Refusal)
        case notNow(NotNow)
        case sessionOpened(Int64)
    }

    package enum ReadVerdict: Equatable, Sendable {
        /// To be read together with the query.
        case view(Twinline_Seat_V1_ReadAnswer)
        case refused(Refusal)
        case notNow(NotNow)
    }

    package struct NotNow: Equatable, Sendable {
        package var standing: Standing?
        /// Milliseconds.
        package var againAfter: UInt64
        /// Its disk is full: the request was not taken.
        package var diskFull: Bool
        /// What it has is older than was asked for.
        package var tooOld: Bool
        package init(
            _ standing: Standing? = nil, againAfter: UInt64 = 0, diskFull: Bool = false, tooOld: Bool = false
        ) {
            (self.standing, self.againAfter) = (standing, againAfter)
            (self.diskFull, self.tooOld) = (diskFull, tooOld)
        }
    }
}

/// Whether a node began what ops asked for.
public struct OperationAnswer: Equatable, Sendable {
    public var accepted: Bool
    /// What was begun, or why not.
    public var text: String

    public init(accepted: Bool, text: String) { (self.accepted, self.text) = (accepted, text) }
}

extension ToNode {
    /// It may take seconds by itself: then nothing is wrong, and a second copy would only cost as much again.
    var maySlack: Bool {
        switch self {
        case .request(let request): request.body.isSQL
        case .read(let read): if case .sql = read.query { true } else { isWaiting }
        case .hello, .beat, .status, .switchover: false
        }
    }

    /// Nanoseconds that a long text may take on its way, over a line of 2 Mbit/s: the beat behind it waits as long, and
    /// a copy over another route would only be in its way.
    var transferTime: UInt64 {
        guard case .request(let request) = self else { return 0 }
        return UInt64(request.body.textBytes >> 16) * 256_000_000
    }

    /// It is answered once something happens, and nobody minds when that is.
    var isWaiting: Bool {
        if case .read(let read) = self { read.query.isChanges } else { false }
    }

    /// What may be read from a node that does not lead.
    var readLevel: SeatRead.Level? { if case .read(let read) = self { read.level } else { nil } }
}

extension SeatRequest.Body {
    fileprivate var textBytes: Int {
        switch self {
        case .command(.open(let ticket)): ticket.text.utf8.count
        case .command(.dispatch(_, _, let text)), .command(.accept(_, let text)), .command(.return(_, let text)),
            .command(.complete(_, let text)), .command(.note(_, let text)):
            text.utf8.count
        case .execute(let statements): statements.reduce(0) { $0 + $1.textBytes }
        case .changeSchema(let sql): sql.utf8.count
        case .openSession, .withdraw: 0
        }
    }
}

extension SQLStatement {
    fileprivate var textBytes: Int {
        parameters.reduce(sql.utf8.count) { sum, value in
            switch value {
            case .text(let text): sum + text.utf8.count
            case .blob(let bytes): sum + bytes.count
            case .null, .integer, .real: sum
            }
        }
    }
}

extension Twinline_Seat_V1_SeatMessage {
    package init(_ message: ToNode, program: String) {
        self.init()
        switch message {
        case .hello(let epoch):
            hello.epoch = epoch.value
            hello.program = program
        case .request(let request): self.request = Twinline_Seat_V1_Request(request)
        case .read(let read): self.read = Twinline_Seat_V1_ReadRequest(read)
        case .beat(let stamp, let echo, let isStranded):
            beat.stamp = stamp
            beat.echo = echo
            beat.stranded = isStranded
        case .status: status = Twinline_Seat_V1_StatusRequest()
        case .switchover: operation.kind = .switchover
        }
    }
}

extension FromNode {
    package init(_ message: Twinline_Seat_V1_NodeMessage) throws(MalformedMessage) {
        switch message.body {
        case .welcome(let welcome):
            guard welcome.hasStanding else { throw MalformedMessage(field: "standing") }
            self = .welcome(pair: try RandomID(pair: welcome.pairID), Standing(welcome.standing))
        case .standing(let standing): self = .standing(Standing(standing))
        case .answer(let answer):
            let name = RequestName(
                session: Int64(truncatingIfNeeded: answer.session),
                sequence: Int64(truncatingIfNeeded: answer.sequence))
            self = .answered(name, try Verdict(answer))
        case .read(let answer): self = .shown(answer.number, try ReadVerdict(answer))
        case .beat(let beat): self = .beat(stamp: beat.stamp, echo: beat.echo)
        case .status(let status): self = .status(try NodeStatus(status))
        case .operation(let answer):
            self = .operation(OperationAnswer(accepted: answer.accepted, text: answer.text))
        case .goodbye(let goodbye): self = .goodbye(goodbye.reason)
        // No seat asks for a verification.
        case .verification, nil: throw MalformedMessage(field: "body")
        }
    }
}

extension FromNode.Verdict {
    fileprivate init(_ message: Twinline_Seat_V1_Answer) throws(MalformedMessage) {
        switch message.outcome {
        case .done(let done): self = .done(try Done(done))
        case .executed(let executed):
            guard case .executed(let results) = try Answer(executed) else { throw MalformedMessage(field: "outcome") }
            self = .executed(results)
        case .schemaChanged(let changed): self = .schemaChanged(version: changed.version)
        case .refused(let refusal): self = .refused(try Refusal(refusal))
        case .notNow(let notNow): self = .notNow(FromNode.NotNow(notNow))
        case .sessionOpened(let opened): self = .sessionOpened(Int64(truncatingIfNeeded: opened.session))
        case nil: throw MalformedMessage(field: "outcome")
        }
    }
}

extension FromNode.ReadVerdict {
    fileprivate init(_ message: Twinline_Seat_V1_ReadAnswer) throws(MalformedMessage) {
        switch message.outcome {
        case .refused(let refusal): self = .refused(try Refusal(refusal))
        case .notNow(let notNow): self = .notNow(FromNode.NotNow(notNow))
        case .tickets, .history, .rows, .changes, nil: self = .view(message)
        }
    }
}

extension FromNode.NotNow {
    fileprivate init(_ message: Twinline_Seat_V1_NotNow) {
        self.init(
            message.hasStanding ? Standing(message.standing) : nil, againAfter: UInt64(message.againAfter),
            diskFull: message.reason == .diskFull, tooOld: message.reason == .tooOld)
    }
}

extension Standing {
    init(_ message: Twinline_Seat_V1_Standing) {
        let role: Role =
            switch message.role {
            case .primary: .primary
            case .standby: .standby
            case .starting, .unspecified, .UNRECOGNIZED: .starting
            }
        self.init(role, Epoch(message.epoch))
    }
}

extension RandomID {
    /// From exactly 16 big-endian bytes.
    init(pair bytes: Data) throws(MalformedMessage) {
        guard bytes.count == 16 else { throw MalformedMessage(field: "pair_id") }
        self = bytes.withUnsafeBytes { raw in
            RandomID(
                high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }
}

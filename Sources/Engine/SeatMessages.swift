import Replication
import Tickets
import Wire

// What seats are told, as the seat protocol says it.

extension Twinline_Seat_V1_Standing {
    /// - Parameter connections: of seats, at this node; 0: not said.
    package init(_ standing: Standing, connections: Int = 0) {
        self.init()
        self.connections = UInt32(clamping: connections)
        epoch = standing.epoch.value
        switch standing.role {
        case .primary: role = .primary
        case .standby: role = .standby
        case .starting: role = .starting
        }
    }
}

extension Twinline_Seat_V1_NotNow {
    init(_ reason: NotNow, _ standing: Standing) {
        self.init()
        self.standing = Twinline_Seat_V1_Standing(standing)
        switch reason {
        case .notPrimary: self.reason = .notPrimary
        case .stopping: self.reason = .stopping
        case .tooOld: self.reason = .tooOld
        case .overloaded:
            self.reason = .overloaded
            againAfter = 50
        case .diskFull:
            self.reason = .diskFull
            againAfter = 500
        }
    }
}

extension Twinline_Seat_V1_Answer {
    package init(_ answer: WriteAnswer, _ standing: Standing) {
        self.init()
        (session, sequence) = (UInt64(bitPattern: answer.session), answer.sequence)
        switch answer.outcome {
        case .done(let done): self.done = Twinline_Seat_V1_Done(done)
        case .executed(let results): executed = Twinline_Seat_V1_Executed(results)
        case .schemaChanged(let version): schemaChanged.version = version
        case .refused(let refusal): refused = Twinline_Seat_V1_Refusal(refusal)
        case .sessionOpened(let id): sessionOpened.session = UInt64(bitPattern: id)
        case .notNow(let reason): notNow = Twinline_Seat_V1_NotNow(reason, standing)
        }
    }
}

extension Twinline_Seat_V1_ReadAnswer {
    package init(_ answer: ReadAnswer, _ standing: Standing) {
        self.init()
        switch answer.outcome {
        case .view(let view): self = Self(number: answer.number, at: answer.position, view)
        case .refused(let refusal): refused = Twinline_Seat_V1_Refusal(refusal)
        case .notNow(let reason): notNow = Twinline_Seat_V1_NotNow(reason, standing)
        }
        number = answer.number
        (positionEpoch, positionLsn) = (answer.position.epoch.value, answer.position.lsn.value)
        // Up: it must not seem younger than it is.
        if let age = answer.age { ageUs = (age + 999) / 1000 }
    }
}

extension Twinline_Seat_V1_NodeMessage {
    package static func refusal(of request: Twinline_Seat_V1_Request, _ refusal: Refusal)
        -> Twinline_Seat_V1_NodeMessage
    {
        var message = Twinline_Seat_V1_NodeMessage()
        (message.answer.session, message.answer.sequence) = (request.session, request.sequence)
        message.answer.refused = Twinline_Seat_V1_Refusal(refusal)
        return message
    }
}

extension Twinline_Seat_V1_SeatMessage {
    package var isHello: Bool { if case .hello? = body { true } else { false } }
}

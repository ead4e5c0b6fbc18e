import Arbitration
import NIOCore
import NIOPosix
import Replication
import Synchronization
import Transport
import Wire

/// One question to a node or the witness, with an ops certificate, over a connection of its own: for the command line.
package struct OpsClient: Sendable {
    private let group: any EventLoopGroup
    let seat: Dialer
    private let witness: Dialer
    private let patience: TimeAmount

    package init(tls: TLSFiles, group: any EventLoopGroup, patience: TimeAmount = .seconds(3)) throws(TransportError) {
        self.group = group
        self.patience = patience
        seat = Dialer(tls: try TLSContext(.client, tls, protocols: [.seat]), connectTimeout: patience)
        witness = Dialer(tls: try TLSContext(.client, tls, protocols: [.witness]), connectTimeout: patience)
    }

    package func status(of node: NodeName, at address: SocketAddress) async throws -> Twinline_Seat_V1_Status {
        var message = Twinline_Seat_V1_SeatMessage()
        message.status = Twinline_Seat_V1_StatusRequest()
        return try await ask(node, at: address, message) {
            if case .status(let status) = $0.body { status } else { nil }
        }
    }

    package func operate(
        _ operation: Twinline_Seat_V1_Operation, at node: NodeName, _ address: SocketAddress,
        within patience: TimeAmount? = nil
    ) async throws -> Twinline_Seat_V1_OperationAnswer {
        var message = Twinline_Seat_V1_SeatMessage()
        message.operation = operation
        return try await ask(node, at: address, message, within: patience) {
            if case .operation(let answer) = $0.body { answer } else { nil }
        }
    }

    /// How long small messages take to the node and back, one after another, in nanoseconds.
    package func roundTrips(_ count: Int, to node: NodeName, at address: SocketAddress) async throws -> [UInt64] {
        var hello = Twinline_Seat_V1_SeatMessage()
        hello.hello.program = "twinline \(twinlineVersion)"
        let times = Mutex<(sent: UInt64, trips: [UInt64])>((0, []))
        return try await converse(seat, address, .node(node), first: [encoded(hello)]) { bytes, send in
            guard let reply: Twinline_Seat_V1_NodeMessage = try? decoded(bytes) else { return nil }
            let now = monotonicNow().nanoseconds
            return times.withLock { times in
                if case .beat = reply.body { times.trips.append(now - times.sent) }
                guard times.trips.count < count else { return times.trips }
                var beat = Twinline_Seat_V1_SeatMessage()
                beat.beat.stamp = 1
                times.sent = monotonicNow().nanoseconds
                send(encoded(beat))
                return nil
            }
        }
    }

    private func ask<Answer: Sendable>(
        _ node: NodeName, at address: SocketAddress, _ message: Twinline_Seat_V1_SeatMessage,
        within patience: TimeAmount? = nil,
        _ pick: @escaping @Sendable (Twinline_Seat_V1_NodeMessage) -> Answer?
    ) async throws -> Answer {
        var hello = Twinline_Seat_V1_SeatMessage()
        hello.hello.program = "twinline \(twinlineVersion)"
        let first = [encoded(hello), encoded(message)]
        return try await converse(seat, address, .node(node), first: first, within: patience) { bytes, _ in
            guard let reply: Twinline_Seat_V1_NodeMessage = try? decoded(bytes) else { return nil }
            return pick(reply)
        }
    }

    /// The witness's id, and its present start.
    package func witness(at address: SocketAddress) async throws -> (id: RandomID, start: UInt64) {
        try await converse(witness, address, .witness, first: []) { bytes, _ in
            guard case .welcome(let id, let start)? = Self.reply(bytes) else { return nil }
            return (id, start)
        }
    }

    /// Installs a new pair's first register.
    package func install(
        _ register: Register, pair: RandomID, at address: SocketAddress, within patience: TimeAmount
    ) async throws -> RegisterAnswer.Outcome {
        try await converse(witness, address, .witness, first: [], within: patience) { bytes, send in
            switch Self.reply(bytes) {
            case .welcome(let id, let start)?:
                send(
                    encoded(
                        Twinline_Witness_V1_WitnessRequest(
                            WitnessEnvelope(
                                pair: pair, witness: id, start: start,
                                request: RegisterRequest(
                                    number: UniqueNumber(process: 1, counter: 1), action: .install(register))))))
                return nil
            case .answer(let answer)?: return answer.outcome
            case nil: return nil
            }
        }
    }

    private static func reply(_ bytes: [UInt8]) -> WitnessReply? {
        guard let wire: Twinline_Witness_V1_WitnessAnswer = try? decoded(bytes) else { return nil }
        return try? WitnessReply(wire)
    }

    /// Sends, and hears frames until one of them makes an answer, or until this task is cancelled.
    /// - Parameter patience: for the answer; with `eachFrame` for each frame instead.
    func converse<Answer: Sendable>(
        _ dialer: Dialer, _ address: SocketAddress, _ role: Identity.Role, first: [[UInt8]],
        within patience: TimeAmount? = nil, eachFrame: Bool = false,
        _ hear: @escaping @Sendable ([UInt8], (_ send: [UInt8]) -> Void) -> Answer?
    ) async throws -> Answer {
        let loop = group.next()
        let answer = loop.makePromise(of: Answer.self)
        let patience = patience ?? self.patience
        @Sendable func timer() -> Scheduled<Void> {
            loop.scheduleTask(in: patience) {
                answer.fail(TransportError.noAnswer(address: "\(address)", reason: "no answer in time"))
            }
        }
        let timers = Mutex(timer())
        let dialled = dialer.dial(address, on: loop, expecting: role) { channel, _ in
            try channel.pipeline.syncOperations.addHandler(
                FrameHandler(
                    frame: { bytes in
                        if eachFrame {
                            timers.withLock {
                                $0.cancel(); $0 = timer()
                            }
                        }
                        if let found = hear(bytes, channel.sendFrame) { answer.succeed(found) }
                    },
                    closed: { answer.fail($0 ?? TransportError.truncated) }))
        }
        dialled.whenComplete { result in
            switch result {
            case .success(let channel): for bytes in first { channel.sendFrame(bytes) }
            case .failure(let error): answer.fail(error)
            }
        }
        answer.futureResult.whenComplete { _ in
            timers.withLock { $0.cancel() }
            dialled.whenSuccess { $0.close(promise: nil) }
        }
        return try await withTaskCancellationHandler {
            try await answer.futureResult.get()
        } onCancel: {
            answer.fail(CancellationError())
        }
    }
}

extension Channel {
    fileprivate func sendFrame(_ bytes: [UInt8]) {
        var buffer = allocator.buffer(capacity: bytes.count + 4)
        buffer.writeFrame(bytes)
        writeAndFlush(buffer, promise: nil)
    }
}

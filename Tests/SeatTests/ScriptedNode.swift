import Foundation
import NIOCore
import NIOPosix
import Replication
import Synchronization
import Tickets
import Transport
import Wire

@testable import Seat

/// The node's side of the seat protocol over real connections, with answers from a script: real nodes are tested with
/// the daemon.
final class ScriptedNode: Sendable {
    /// What to do about a request: an answer, or nil for silence.
    typealias Script = @Sendable (Twinline_Seat_V1_Request, Int) -> Twinline_Seat_V1_Answer?

    private struct State {
        var standing: Twinline_Seat_V1_Standing
        var channels: [ObjectIdentifier: any Channel] = [:]
        /// Copies of each request seen, by session and sequence.
        var seen: [String: Int] = [:]
        /// Answers that the seat's socket has.
        var answered = 0
    }

    let listener: Listener
    let name: NodeName
    private let state: Mutex<State>
    private let box: Box

    /// Filled once the node exists: the listener's closures need it, and it needs the listener.
    private final class Box: Sendable { let node = Mutex<ScriptedNode?>(nil) }

    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let script: Script

    private init(
        _ name: NodeName, _ role: Standing.Role, _ listener: Listener, _ box: Box, _ script: @escaping Script
    ) {
        (self.name, self.listener, self.box, self.script) = (name, listener, box, script)
        state = Mutex(State(standing: .wire(role, 1)))
    }

    static func start(
        _ name: NodeName, _ role: Standing.Role, port: Int = 0, script: @escaping Script = ScriptedNode.done
    ) async throws -> ScriptedNode {
        let box = Box()
        let listener = try await Listener.bind(
            [SocketAddress(ipAddress: "127.0.0.1", port: port)], on: group,
            OpenConnections(Keys.shared.server("node-\(name)")), refused: { _, _ in },
            accept: { channel, _, _ in
                try channel.pipeline.syncOperations.addHandler(Handler { box.node.withLock { $0 } })
            })
        let node = ScriptedNode(name, role, listener, box, script)
        box.node.withLock { $0 = node }
        return node
    }

    var port: Int { listener.addresses[0].port ?? 0 }

    /// Ends like a killed process: all connections at once, and nobody listens.
    func stop() async {
        await listener.close()
        let channels = state.withLock { Array($0.channels.values) }
        for channel in channels { try? await channel.close() }
        box.node.withLock { $0 = nil }
    }

    func become(_ role: Standing.Role, epoch: UInt64) {
        let (standing, channels) = state.withLock { state in
            state.standing = .wire(role, epoch)
            return (state.standing, Array(state.channels.values))
        }
        for channel in channels { channel.send { $0.standing = standing } }
    }

    var connectionCount: Int { state.withLock { $0.channels.count } }
    var answered: Int { state.withLock { $0.answered } }
    func copies(of sequence: Int) -> Int { state.withLock { $0.seen["7/\(sequence)"] ?? 0 } }

    @Sendable static func done(_ request: Twinline_Seat_V1_Request, copies: Int) -> Twinline_Seat_V1_Answer? {
        if case .openSession? = request.command { return .opened(request.sequence) }
        return Twinline_Seat_V1_Answer(
            session: Int64(request.session), sequence: request.sequence, .done(whatWasDone(request)))
    }

    fileprivate func receive(_ message: Twinline_Seat_V1_SeatMessage, on channel: any Channel) {
        switch message.body {
        case .hello:
            let standing = state.withLock { state in
                state.channels[ObjectIdentifier(channel)] = channel
                return state.standing
            }
            channel.send {
                $0.welcome.pairID = Data(repeating: 7, count: 16)
                $0.welcome.standing = standing
            }
        case .request(let request):
            let copies = state.withLock { state in
                state.seen["\(request.session)/\(request.sequence)", default: 0] += 1
                return state.seen["\(request.session)/\(request.sequence)"] ?? 0
            }
            guard let answer = script(request, copies) else { break }
            channel.send { $0.answer = answer }.whenSuccess { self.state.withLock { $0.answered += 1 } }
        case .read(let read):
            channel.send { $0.read = Twinline_Seat_V1_ReadAnswer(number: read.number, at: .zero, .ticket(nil)) }
        case .beat(let beat) where beat.stamp != 0: channel.send { $0.beat.echo = beat.stamp }
        case .status:
            let standing = state.withLock { $0.standing }
            channel.send {
                $0.status.node = self.name.rawValue
                $0.status.pairID = Data(repeating: 7, count: 16)
                $0.status.standing = standing
            }
        case .operation: channel.send { $0.operation.text = "not now" }
        case .beat, nil: break
        }
    }

    fileprivate func forget(_ channel: any Channel) { state.withLock { $0.channels[ObjectIdentifier(channel)] = nil } }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let node: () -> ScriptedNode?

        init(_ node: @escaping () -> ScriptedNode?) { self.node = node }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let payload = unwrapInboundIn(data)
            guard let message = try? Twinline_Seat_V1_SeatMessage(serializedBytes: payload.readableBytesSpan) else {
                return context.close(promise: nil)
            }
            node()?.receive(message, on: context.channel)
        }

        func channelInactive(context: ChannelHandlerContext) { node()?.forget(context.channel) }
    }
}

/// What the scripted node says was done.
private func whatWasDone(_ request: Twinline_Seat_V1_Request) -> Done {
    Done(ticket: TicketID(high: request.session, low: request.sequence), state: .open, revision: 1)
}

extension Channel {
    /// Ends once the other end's socket has it.
    @discardableResult
    fileprivate func send(_ fill: (inout Twinline_Seat_V1_NodeMessage) -> Void) -> EventLoopFuture<Void> {
        var message = Twinline_Seat_V1_NodeMessage()
        fill(&message)
        var frame = ByteBuffer()
        frame.writeFrame((try? message.serializedBytes()) ?? [])
        return writeAndFlush(frame)
    }
}

extension Twinline_Seat_V1_Standing {
    fileprivate static func wire(_ role: Standing.Role, _ epoch: UInt64) -> Self {
        var standing = Self()
        standing.epoch = epoch
        switch role {
        case .primary: standing.role = .primary
        case .standby: standing.role = .standby
        case .starting: standing.role = .starting
        }
        return standing
    }
}

extension Twinline_Seat_V1_Answer {
    static func opened(_ number: UInt64) -> Self {
        var answer = Self()
        answer.sequence = number
        answer.sessionOpened.session = 7
        return answer
    }

    static func notNow(_ request: Twinline_Seat_V1_Request) -> Self {
        var answer = Self()
        (answer.session, answer.sequence) = (request.session, request.sequence)
        answer.notNow.reason = .overloaded
        return answer
    }
}

import Arbitration
import DurableLog
import Logging
import NIOCore
import NIOEmbedded
import Replication
import Tickets
import Transport
import Wire

@testable import Daemon
@testable import Seat

/// The witness's port, as a node reaches it, with a real record on a real disk.
final class WitnessPort: Port {
    private let loop = EmbeddedEventLoop()
    private let server: WitnessServer
    private let pair = RandomID(high: 1, low: 2)
    private var counter: UInt64 = 0

    init(directory: String) throws {
        server = try WitnessServer(
            on: loop, directory: try PosixDirectory(path: directory),
            log: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }, failed: { error in print("\(error)") })
    }

    private var register: Register {
        Register(
            version: 1, epoch: Epoch(1), primary: .a, mode: .paired,
            disks: PerNode(a: RandomID(high: 3, low: 3), b: RandomID(high: 4, low: 4)), starts: PerNode(a: 1, b: 1),
            floor: .zero)
    }

    private func request(_ action: RegisterRequest.Action, process: UInt64 = 1) -> [UInt8] {
        counter += 1
        let request = RegisterRequest(number: UniqueNumber(process: process, counter: counter), action: action)
        return encoded(
            Twinline_Witness_V1_WitnessRequest(
                WitnessEnvelope(pair: pair, witness: server.id, start: 1, request: request)))
    }

    var corpus: [[UInt8]] {
        [
            request(.install(register)), request(.read), request(.compareAndSet(version: 1, register: register)),
            request(.testify(Testimony(node: .a, register: register, leads: true))),
        ]
    }

    func connect() throws -> EmbeddedChannel {
        let channel = try connect(as: .node(.a))
        channel.discardOutbound()
        return channel
    }

    private func connect(as role: Identity.Role) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandlers(Bouncer(), FrameDecoder(WitnessServer.connectionOptions))
        try server.accept(channel, Identity(pair: "test", role: role))
        try channel.begin()
        return channel
    }

    private(set) var reached = 0

    func settle(_ channel: EmbeddedChannel) {
        loop.run()
        reached += channel.sentFrames().count
    }

    func servesOthers() throws -> Bool {
        let channel = try connect(as: .node(.b))
        channel.discardOutbound()
        try channel.writeInbound(framed(request(.read, process: 2)))
        let replies = try channel.sentFrames().map { try WitnessReply(try decoded($0)) }
        _ = try channel.finish()
        guard case .answer(let answer)? = replies.last else { return false }
        return answer.number == UniqueNumber(process: 2, counter: counter)
    }
}

/// A node's port for copies of the database.
final class CopyPort: Port {
    private let keeper = SnapshotKeeper()
    private let snapshot = RandomID(high: 8, low: 8)

    var corpus: [[UInt8]] {
        let requests: [CopyRequest] = [
            .want(pair: RandomID(high: 1, low: 2), snapshot: snapshot), .want(pair: nil, snapshot: nil),
            .fetch(snapshot, offset: 4096, length: 1 << 18),
        ]
        return requests.map { encoded(Twinline_Copy_V1_CopyRequest($0)) }
    }

    func connect() throws -> EmbeddedChannel {
        let channel = try EmbeddedChannel.behindTLS()
        try keeper.accept(channel)
        try channel.begin()
        return channel
    }

    private(set) var reached = 0

    func settle(_ channel: EmbeddedChannel) {
        for order in keeper.orders.takeWaiting() {
            reached += 1
            switch order {
            case .want(_, _, let asker): asker.answer(.notNow(.noRoom, "no room", againAfter: 1))
            case .fetch(_, let offset, let length, let asker):
                asker.answer(.chunk(offset: offset, [UInt8](repeating: 1, count: min(length, 1000))))
            case .ground, .linked, .look, .stop: break
            }
        }
        channel.discardOutbound()
    }

    func servesOthers() throws -> Bool {
        let channel = try connect()
        try channel.writeInbound(framed(corpus[0]))
        guard case .want(_, let wanted, _)? = keeper.orders.takeWaiting().first else { return false }
        _ = try channel.finish()
        return wanted == snapshot
    }
}

/// A seat, that a hostile node answers.
final class SeatSide: Port {
    private let tls: TLSContext
    private let link = Link(.a, route: 0)
    private var drivers: [SeatDriver] = []

    init(_ tls: TLSContext) { self.tls = tls }

    var corpus: [[UInt8]] {
        let done = Done(ticket: TicketID(high: 1, low: 2), state: .open, revision: 1)
        var messages = [
            Twinline_Seat_V1_NodeMessage.with {
                $0.welcome.pairID = RandomID(high: 1, low: 2).bytes
                $0.welcome.standing.epoch = 3
                $0.welcome.standing.role = .primary
            }
        ]
        messages.append(.with { $0.answer = .init(session: 0, sequence: 9, .done(done)) })
        messages.append(.with { $0.answer.sessionOpened.session = 7 })
        messages.append(.with { $0.answer = .init(session: 7, sequence: 1, .done(done)) })
        messages.append(.with { $0.answer = .init(session: 7, sequence: 1, .refused(.unknownSession)) })
        messages.append(
            .with {
                $0.read = .init(number: 1, at: Position(Epoch(3), LSN(3)), .history([]))
            })
        messages.append(.with { $0.beat.stamp = 4 })
        messages.append(.with { ($0.standing.epoch, $0.standing.role) = (3, .standby) })
        messages.append(.with { ($0.status.pair, $0.status.node, $0.status.standing.role) = ("test", "a", .primary) })
        messages.append(.with { $0.operation.accepted = true })
        messages.append(.with { $0.goodbye.reason = "stopping" })
        return messages.map { encoded($0) }
    }

    private func driver(on loop: EmbeddedEventLoop) -> SeatDriver {
        SeatDriver(
            SeatSession(links: [link], seed: 1), [], Dialer(tls: tls), loop, program: "fuzz", remember: { _ in },
            refused: { _, _ in })
    }

    func connect() throws -> EmbeddedChannel {
        let channel = try EmbeddedChannel.behindTLS()
        let driver = driver(on: channel.embeddedEventLoop)
        drivers = [driver]
        driver.start()
        let ticket = TicketID(high: 1, low: 2)
        driver.ask(.seconds(10), { _ in }) { $0.perform(.note(ticket, text: "called"), for: $1, by: $2, at: $3) }
        driver.ask(.seconds(10), { _ in }) { $0.ask(.show(ticket), for: $1, by: $2, at: $3) }
        try channel.pipeline.syncOperations.addHandler(SeatConnectionHandler(link, channel, driver))
        try channel.begin()
        return channel
    }

    /// What it then says: to a welcome, its requests.
    private(set) var reached = 0

    func settle(_ channel: EmbeddedChannel) {
        channel.embeddedEventLoop.run()
        reached += channel.sentFrames().count
    }

    func servesOthers() throws -> Bool {
        let channel = try connect()
        try channel.writeInbound(framed(corpus[0]))
        settle(channel)
        let isPrimary = drivers[0].connections.first?.state == .primary
        _ = try channel.finish()
        return isPrimary
    }
}

import Engine
import Logging
import NIOCore
import NIOEmbedded
import Replication
import Tickets
import Transport
import Wire

@testable import Daemon

/// A node's port, as a certified seat reaches it.
final class SeatPort: Port, @unchecked Sendable {
    /// Answers nothing itself; what was asked is answered between two frames.
    /// `@unchecked Sendable`, as its port: all of it is touched by the one thread of a test.
    private final class Service: SeatService, @unchecked Sendable {
        let pairID = RandomID(high: 1, low: 2)
        var writes: [PendingWrite] = []
        var reads: [PendingRead] = []
        func submit(_ request: PendingWrite) -> NotNow? {
            if writes.count > 100 { return .overloaded }
            writes.append(request)
            return nil
        }
        func read(_ requests: [PendingRead]) { reads += requests }
        func status(for channel: any Channel, times: Int) {
            for _ in 0..<times { channel.send(Twinline_Seat_V1_NodeMessage.with { $0.status.node = "a" }) }
        }
        func operate(_ operation: Twinline_Seat_V1_Operation, by identity: Identity, for channel: any Channel) {
            channel.send(.operationAnswer(false, "no"))
        }
        func sawEpoch(_ epoch: Epoch) {}
    }

    private let service = Service()
    private var seats = 0
    private lazy var roster = SeatRoster(
        standing: Standing(epoch: Epoch(3), role: .primary), oneOf: 1
    ) { [unowned self] _, change in
        switch change {
        case .came: seats += 1
        case .left: seats -= 1
        case .said: break
        }
    }
    private let refusals = RefusalLog(Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })

    let corpus: [[UInt8]] = {
        let id = TicketID(high: 1, low: 2)
        let commands: [Command] = [
            .open(OpenTicket(id: id, openedAt: 5, category: "water", text: "a pipe burst")),
            .dispatch(id, unit: "roads", note: "north"), .accept(id, note: "now"), .return(id, reason: "not ours"),
            .complete(id, result: "mended"), .note(id, text: "called again"),
        ]
        var messages = [Twinline_Seat_V1_SeatMessage.with { $0.hello.epoch = 3 }]
        messages.append(
            .with {
                $0.request = .init(SeatRequest(session: 0, sequence: 9, answeredBelow: 0, body: .openSession))
            })
        messages += commands.map { command in
            .with {
                $0.request = .init(SeatRequest(session: 7, sequence: 3, answeredBelow: 2, body: .command(command)))
            }
        }
        let queries: [Query] = [
            .show(id), .history(id), .list(state: .completed, unit: "roads", before: id, limit: 1000),
        ]
        messages += queries.map { query in
            .with { $0.read = .init(SeatRead(number: 5, level: .latest, query: query)) }
        }
        messages.append(.with { $0.beat.stamp = 4 })
        messages.append(.with { $0.status = .init() })
        messages.append(.with { $0.operation.kind = .switchover })
        return messages.map { encoded($0) }
    }()

    func connect() throws -> EmbeddedChannel {
        let channel = try EmbeddedChannel.behindTLS()
        try channel.pipeline.syncOperations.addHandler(
            SeatHandler(
                channel, loop: 0, identity: Identity(pair: "test", role: .seat("1")), service: service, roster: roster,
                refusals: refusals))
        try channel.begin()
        return channel
    }

    private(set) var reached = 0

    func settle(_ channel: EmbeddedChannel) {
        reached += service.writes.count + service.reads.count
        let (writes, reads) = (service.writes, service.reads)
        (service.writes, service.reads) = ([], [])
        for write in writes {
            write.connection.write(write.answered(.refused(.unknownSession)))
            write.connection.flush()
        }
        for read in reads {
            read.connection.write(read.answered(.view(.tickets([]))))
            read.connection.flush()
        }
        channel.discardOutbound()
    }

    func servesOthers() throws -> Bool {
        let channel = try connect()
        try channel.writeInbound(framed(corpus[0]))
        try channel.writeInbound(framed(encoded(Twinline_Seat_V1_SeatMessage.with { $0.beat.stamp = 77 })))
        channel.pipeline.fireChannelReadComplete()
        let replies = try channel.sentFrames().map { try Twinline_Seat_V1_NodeMessage(serializedBytes: $0) }
        _ = try channel.finish()
        return replies.first?.welcome.pairID == service.pairID.bytes && replies.last?.beat.echo == 77 && seats == 0
    }
}

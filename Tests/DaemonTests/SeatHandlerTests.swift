import Engine
import Logging
import NIOCore
import NIOEmbedded
import Replication
import Testing
import Tickets
import Transport
import Wire

@testable import Daemon

/// How much of a seat is taken at once.
struct SeatHandlerTests {
    /// `@unchecked Sendable`: touched by the one thread of a test.
    private final class Service: SeatService, @unchecked Sendable {
        let pairID = RandomID(high: 1, low: 2)
        var writes: [PendingWrite] = []
        var reads: [PendingRead] = []
        var statuses: [Int] = []
        func submit(_ request: PendingWrite) -> NotNow? {
            writes.append(request)
            return nil
        }
        func read(_ requests: [PendingRead]) { reads += requests }
        func status(for channel: any Channel, times: Int) { statuses.append(times) }
        func operate(_ operation: Twinline_Seat_V1_Operation, by identity: Identity, for channel: any Channel) {}
        func sawEpoch(_ epoch: Epoch) {}
    }

    private let service = Service()
    private let channel = EmbeddedChannel()
    private let roster = SeatRoster(standing: Standing(epoch: Epoch(3), role: .primary), oneOf: 2) { _, _ in }

    init() throws {
        try channel.pipeline.syncOperations.addHandlers(
            FrameDecoder(ConnectionOptions()),
            SeatHandler(
                channel, loop: 0, identity: Identity(pair: "test", role: .seat("1")), service: service, roster: roster,
                refusals: RefusalLog(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try say([.with { $0.hello.program = "test" }])
        _ = try replies()
    }

    @Test("a seat that is told of a new role is told, too, how many connections there are")
    func connections() throws {
        roster.tell(Standing(epoch: Epoch(4), role: .standby))
        #expect(try replies().map(\.standing.connections) == [2])
    }

    private func say(_ messages: [Twinline_Seat_V1_SeatMessage]) throws {
        var frames = ByteBuffer()
        for message in messages { frames.writeFrame(encoded(message)) }
        try channel.writeInbound(frames)
        channel.pipeline.fireChannelReadComplete()
    }

    private func replies() throws -> [Twinline_Seat_V1_NodeMessage] {
        var all = ByteBuffer()
        while var part = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
        var messages: [Twinline_Seat_V1_NodeMessage] = []
        while let length = all.readInteger(as: UInt32.self), let bytes = all.readBytes(length: Int(length)) {
            messages.append(try decoded(bytes))
        }
        return messages
    }

    /// As it was last set; nil: never.
    private var reading: Bool? { channel.options.compactMap { $0.value as? Bool }.last }

    @Test("with too many requests unanswered nothing more is read, until half of them are")
    func backpressure() throws {
        let request = Twinline_Seat_V1_SeatMessage.with {
            $0.request = .init(SeatRequest(session: 0, sequence: 9, answeredBelow: 0, body: .openSession))
        }
        try say(Array(repeating: request, count: SeatHandler.unansweredLimit - 1))
        #expect(reading == nil)
        try say([request])
        #expect(reading == false)
        for (index, write) in service.writes.enumerated() {
            write.connection.write(write.answered(.sessionOpened(1)))
            write.connection.flush()
            #expect(reading == (index >= SeatHandler.unansweredLimit / 2), "\(index)")
        }
        #expect(try replies().count == SeatHandler.unansweredLimit)
    }

    @Test("what comes in one go beyond all measure is put off, not taken")
    func overload() throws {
        let request = Twinline_Seat_V1_SeatMessage.with {
            $0.request = .init(SeatRequest(session: 0, sequence: 9, answeredBelow: 0, body: .openSession))
        }
        try say(Array(repeating: request, count: 4 * SeatHandler.unansweredLimit + 5))
        #expect(service.writes.count == 4 * SeatHandler.unansweredLimit)
        #expect(try replies().filter { $0.answer.notNow.reason == .overloaded }.count == 5)
    }

    @Test("queries beyond a few are put off, since their answers may be large")
    func queries() throws {
        let query = Twinline_Seat_V1_SeatMessage.with {
            let list = Query.list(state: nil, unit: nil, before: nil, limit: 9)
            $0.read = .init(SeatRead(number: 5, level: .latest, query: list))
        }
        try say(Array(repeating: query, count: SeatHandler.queryLimit + 3))
        #expect(service.reads.count == SeatHandler.queryLimit)
        #expect(try replies().filter { $0.read.notNow.reason == .overloaded }.count == 3)
        for read in service.reads { read.connection.write(read.answered(.view(.tickets([])))) }
        try say([query])
        #expect(service.reads.count == SeatHandler.queryLimit + 1)
    }

    @Test("who says what can't be is told so and has to leave, and nothing that comes behind it counts")
    func impossible() throws {
        var frames = ByteBuffer()
        frames.writeFrame([0xFF, 0xFF, 0xFF])
        frames.writeFrame(encoded(Twinline_Seat_V1_SeatMessage.with { $0.status = .init() }))
        try channel.writeInbound(frames)
        channel.pipeline.fireChannelReadComplete()
        #expect(!channel.isActive && service.statuses.isEmpty)
        #expect(try replies().map { $0.goodbye.reason.hasPrefix("a message that can't be") } == [true])
    }

    @Test("the status is worked out once for all who ask in one go, and who asks too often has to leave")
    func status() throws {
        let question = Twinline_Seat_V1_SeatMessage.with { $0.status = .init() }
        try say(Array(repeating: question, count: SeatHandler.statusLimit))
        #expect(service.statuses == [SeatHandler.statusLimit] && channel.isActive)
        try say(Array(repeating: question, count: SeatHandler.statusLimit + 1))
        #expect(!channel.isActive)
    }
}

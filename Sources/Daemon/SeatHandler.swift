import Engine
import NIOCore
import Planted
import Replication
import Tickets
import Transport
import Wire

/// One seat's connection: the seat protocol's messages in, answers out. Lives on the channel's event loop.
///
/// `@unchecked Sendable`: all of it is touched on that loop only; the engine holds it as the address of an answer and
/// hands it back there.
final class SeatHandler: ChannelInboundHandler, SeatConnection, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    static let frameLimit = 2 << 20
    /// A seat beats every second when idle. One that is silent for so long is gone, and its connection with it.
    static let patience = TimeAmount.seconds(10)
    /// With so many requests and queries under way nothing more is read of this seat …
    static let unansweredLimit = 256
    /// … and of so many queries, whose answers may be large, more are put off.
    static let queryLimit = 32
    /// Questions for the status that may come together.
    static let statusLimit = 16
    /// Bytes that wait because this seat reads too slowly: twice the longest answer.
    static let unsentLimit = 16 << 20
    let loop: Int
    private let actor: String
    let identity: Identity
    private let service: any SeatService
    private let roster: SeatRoster
    private let refusals: RefusalLog
    private let channel: any Channel
    private var greeted = false
    private(set) var heardAt = monotonicNow()
    /// Whether it reaches this node only, as was passed on, once for each turn of the loop; and as it said last.
    private(set) var isStranded = false
    private var saysStranded = false
    private var reads: [PendingRead] = []
    private var statusAsked = 0
    private var unanswered = 0
    private var queries = 0
    private var isReading = true
    /// Answers of this turn of the loop, sent together.
    private var out: ByteBuffer

    init(
        _ channel: any Channel, loop: Int, identity: Identity, service: any SeatService, roster: SeatRoster,
        refusals: RefusalLog
    ) {
        self.channel = channel
        self.loop = loop
        self.identity = identity
        self.service = service
        self.roster = roster
        self.refusals = refusals
        actor = "\(identity.role)"
        out = channel.allocator.buffer(capacity: 1024)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        do throws(MalformedMessage) {
            let message: Twinline_Seat_V1_SeatMessage = try decoded(buffer.readableBytesSpan)
            guard greeted || message.isHello else { throw MalformedMessage(field: "hello") }
            handle(message, bytes: buffer.readableBytes)
        } catch {
            goodbye("a message that can't be: \(error.field)")
            refusals.note(
                channel.remoteAddress, .peerRefused(.notAdmitted("it sent \(error)"), of: "\(identity)"), ended: true)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        heardAt = monotonicNow()
        if saysStranded != isStranded {
            isStranded = saysStranded
            roster.reachChanged(of: self)
        }
        if !reads.isEmpty {
            service.read(reads)
            reads = []
        }
        if statusAsked > 0 {
            service.status(for: channel, times: statusAsked)
            statusAsked = 0
        }
        flush()
        regulate()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        regulate()
        context.fireChannelWritabilityChanged()
    }

    /// A seat that sends faster than it is answered, or does not read its answers, is not listened to meanwhile: what
    /// it has to say waits on its own side.
    private func regulate() {
        let few = isReading ? Self.unansweredLimit : Self.unansweredLimit / 2
        let reads = channel.isWritable && unanswered < few
        guard reads != isReading else { return }
        isReading = reads
        try? channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if greeted { roster.remove(self) }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? TransportError {
        // Such is how seats' connections end; and who is dismissed has been named by whoever did it.
        case nil, .truncated, .lost, .peerRefused: break
        case let error?:
            refusals.note(
                channel.remoteAddress, .peerRefused(.notAdmitted("\(error)"), of: "\(identity)"), ended: true)
        }
        context.close(promise: nil)
    }

    private func handle(_ message: Twinline_Seat_V1_SeatMessage, bytes: Int) {
        switch message.body {
        case .hello(let hello): greet(hello)
        case .request(let request): take(request, bytes: bytes)
        case .read(let request): take(request)
        case .beat(let beat): take(beat)
        case .status:
            statusAsked += 1
            if statusAsked > Self.statusLimit, !planted("anyStatus") { goodbye("it asked for the status too often") }
        case .operation(let operation): service.operate(operation, by: identity, for: channel)
        case nil: break
        }
    }

    private func take(_ beat: Twinline_Seat_V1_Beat) {
        saysStranded = beat.stranded
        guard beat.stamp != 0 else { return }
        var reply = Twinline_Seat_V1_NodeMessage()
        reply.beat.echo = beat.stamp
        append(reply)
    }

    private func greet(_ hello: Twinline_Seat_V1_Hello) {
        guard !greeted else { return }
        greeted = true
        try? channel.pipeline.syncOperations.allowFrames(upTo: Self.frameLimit)
        // Thousands of small messages at once would keep the others on this loop waiting, heartbeats among them.
        try? channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
        try? channel.syncOptions?.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16384))
        var welcome = Twinline_Seat_V1_NodeMessage()
        welcome.welcome.pairID = service.pairID.bytes
        welcome.welcome.standing = Twinline_Seat_V1_Standing(roster.standing, connections: roster.connections)
        append(welcome)
        roster.add(self)
        service.sawEpoch(Epoch(hello.epoch))
    }

    private func take(_ message: Twinline_Seat_V1_Request, bytes: Int) {
        do throws(MalformedMessage) {
            guard identity.mayWrite else {
                throw MalformedMessage(field: "certificate: \(identity.role) may not change tickets")
            }
            let request = try SeatRequest(message)
            guard !request.body.isSQL || identity.mayUseSQL else {
                return append(.refusal(of: message, .needsService(actor: actor)))
            }
            let pending = PendingWrite(request: request, actor: actor, bytes: bytes, connection: self)
            unanswered += 1
            // What came before it was noticed that there are too many.
            let reason = unanswered > 4 * Self.unansweredLimit ? .overloaded : service.submit(pending)
            if let reason { write(pending.answered(.notNow(reason))) }
        } catch {
            append(.refusal(of: message, error.refusal))
        }
    }

    private func take(_ message: Twinline_Seat_V1_ReadRequest) {
        do throws(MalformedMessage) {
            let read = try SeatRead(message)
            let pending = PendingRead(number: read.number, level: read.level, query: read.query, connection: self)
            (unanswered, queries) = (unanswered + 1, queries + 1)
            guard !read.query.isSQL || identity.mayUseSQL else {
                return write(pending.answered(.refused(.needsService(actor: actor))))
            }
            if queries > Self.queryLimit, !planted("anyQuery") { return write(pending.answered(.notNow(.overloaded))) }
            reads.append(pending)
        } catch {
            var answer = Twinline_Seat_V1_NodeMessage()
            answer.read.number = message.number
            answer.read.refused = Twinline_Seat_V1_Refusal(error.refusal)
            append(answer)
        }
    }

    // MARK: answers

    func write(_ answer: WriteAnswer) {
        unanswered -= 1
        var message = Twinline_Seat_V1_NodeMessage()
        message.answer = Twinline_Seat_V1_Answer(answer, roster.standing)
        append(message)
    }

    func write(_ answer: ReadAnswer) {
        (unanswered, queries) = (unanswered - 1, queries - 1)
        var message = Twinline_Seat_V1_NodeMessage()
        message.read = Twinline_Seat_V1_ReadAnswer(answer, roster.standing)
        append(message)
    }

    func write(_ standing: Standing, connections: Int) {
        append(.with { $0.standing = Twinline_Seat_V1_Standing(standing, connections: connections) })
    }

    private func append(_ message: Twinline_Seat_V1_NodeMessage) { out.writeFrame(encoded(message)) }
    func flush() {
        guard out.readableBytes > 0 else { return }
        channel.writeAndFlush(out, promise: nil)
        // TLS has taken the bytes by now, so the room is used again; one large answer must not hold it for ever.
        if out.capacity > 16 << 10 { out = channel.allocator.buffer(capacity: 1024) } else { out.clear() }
        if !channel.isWritable { boundUnsent() }
        if !isReading { regulate() }
    }

    private func boundUnsent() {
        let unsent = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard unsent > Self.unsentLimit else { return }
        let error = TransportError.unsentTooLong(bytes: unsent, limit: Self.unsentLimit)
        refusals.note(channel.remoteAddress, .peerRefused(.notAdmitted("\(error)"), of: "\(identity)"), ended: true)
        channel.close(promise: nil)
    }

    func close() { goodbye("this node is about to be reseeded") }
    private func goodbye(_ reason: String) {
        var message = Twinline_Seat_V1_NodeMessage()
        message.goodbye.reason = reason
        append(message)
        flush()
        channel.close(promise: nil)
    }
}

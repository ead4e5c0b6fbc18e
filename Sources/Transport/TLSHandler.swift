import NIOCore
import Planted

/// A `TLSSession` on an event loop: ciphertext on the network's side, plaintext on the other.
///
/// Nothing passes before the handshake is done and `TLSAdmission.admit` has installed the protocol's handlers behind
/// this one. What then goes wrong arrives there as a `TransportError`, just before the channel closes.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        /// `received`: bytes taken from a peer that nobody knows yet.
        case handshaking(received: Int)
        /// The peer is known and its handlers are being installed: what these say at once may go out.
        case admitting
        case open
        /// The peer is refused and has been told why: what it still sends is thrown away. Were the connection closed at
        /// once, that would make the system take back what is on its way to the peer.
        case lingering
        case closed
    }

    let session: TLSSession
    let options: ConnectionOptions
    private let admission: TLSAdmission
    private let turns: HandshakeTurns?
    /// Its turn is still to come; it has had one.
    private var waitsForTurn = false, hasBegun = false
    private var state = State.handshaking(received: 0)
    /// Of the handshake, or of lingering.
    private var deadline: Scheduled<Void>?
    /// Of writes that are encrypted and not yet flushed.
    private var promises = WritePromises()

    /// - Parameter turns: when the handshake goes on; nil: at once.
    package init(
        _ session: TLSSession, _ options: ConnectionOptions, _ admission: TLSAdmission, _ turns: HandshakeTurns? = nil
    ) {
        (self.session, self.options, self.admission, self.turns) = (session, options, admission, turns)
    }

    /// A large write leaves in pieces of this size, so that the session's buffer, which never shrinks, stays small.
    private static let pieceSize = 64 * 1024

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    package func channelActive(context: ChannelHandlerContext) { begin(context) }

    private func begin(_ context: ChannelHandlerContext) {
        guard deadline == nil, case .handshaking = state else { return }
        let timeout = options.handshakeTimeout
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.fail(context, .handshakeTimedOut(seconds: timeout.nanoseconds / 1_000_000_000))
        }
        advance(context)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let ciphertext = unwrapInboundIn(data)
        do throws(TransportError) {
            switch state {
            case .closed, .lingering: return
            case .open, .admitting:
                try session.receive(ciphertext)
                deliver(context)
            case .handshaking(let before):
                let received = before + ciphertext.readableBytes
                guard received <= options.handshakeLimit else {
                    throw .handshakeTooLong(limit: options.handshakeLimit)
                }
                state = .handshaking(received: received)
                try session.receive(ciphertext)
                takeTurn(context)
            }
        } catch {
            fail(context, error)
        }
    }

    private func takeTurn(_ context: ChannelHandlerContext) {
        guard let turns else { return advance(context) }
        guard !waitsForTurn else { return }
        waitsForTurn = true
        var isLate = false
        turns.take(hasBegun: hasBegun) {
            self.waitsForTurn = false
            guard case .handshaking = self.state else { return }
            self.hasBegun = true
            self.advance(context)
            // What came with the handshake's end is delivered now, and nothing else says that this was all.
            if isLate { context.fireChannelReadComplete() }
        }
        isLate = true
    }

    /// Whether the peer is still to be known.
    var isHandshaking: Bool { if case .handshaking = state { true } else { false } }

    private func advance(_ context: ChannelHandlerContext) {
        do throws(TransportError) {
            let peer = try session.handshake()
            sendCiphertext(context)
            guard let peer, case .handshaking = state else { return }
            state = .admitting
            try admission.admit(context.channel, peer)
            guard case .admitting = state else { return }
            deadline?.cancel()
            state = .open
            context.fireChannelActive()
            deliver(context)
        } catch {
            fail(context, error)
        }
    }

    private func deliver(_ context: ChannelHandlerContext) {
        do throws(TransportError) {
            while case .open = state {
                let size = min(max(session.unreadBytes, 1), Self.pieceSize)
                var plaintext = context.channel.allocator.buffer(capacity: size)
                let result = try session.read(into: &plaintext)
                if plaintext.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plaintext)) }
                if result == .more { continue }
                if result == .ended { return close(context: context, mode: .all, promise: nil) }
                // What the session itself has to say, such as the answer to a change of keys.
                if session.ciphertextBytes > 0 { sendCiphertext(context) }
                return
            }
        } catch {
            fail(context, error)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        switch state {
        case .handshaking, .admitting: fail(context, .handshakeBroken("the peer closed the connection"))
        case .open: fail(context, .truncated)
        case .lingering: leave()
        case .closed: break
        }
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, error as? TransportError ?? .lost("\(error)"))
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard maySend else {
            promise?.fail(TransportError.notOpen)
            return
        }
        promises.append(promise)
        var plaintext = unwrapOutboundIn(data)
        do throws(TransportError) {
            while plaintext.readableBytes > 0 {
                try session.encryptRecord(&plaintext)
                if session.ciphertextBytes >= Self.pieceSize { writeCiphertext(context, promise: nil) }
            }
        } catch {
            fail(context, error)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        guard maySend else { return }
        sendCiphertext(context)
        guard !context.channel.isWritable else { return }
        let unsent = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if unsent > options.unsentLimit, !planted("anyAmountUnsent") {
            fail(context, .unsentTooLong(bytes: unsent, limit: options.unsentLimit))
        }
    }

    /// Says goodbye and closes. What the system has not taken by then is lost: who must know that its last bytes went
    /// out writes them with a promise and closes when it is kept.
    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        if case .lingering = state {
            context.channel.closeFuture.cascade(to: promise)
            return
        }
        if maySend {
            session.end()
            sendCiphertext(context)
        }
        leave()
        context.close(promise: promise)
    }

    var maySend: Bool {
        switch state {
        case .admitting, .open: true
        case .handshaking, .lingering, .closed: false
        }
    }

    func sendCiphertext(_ context: ChannelHandlerContext) {
        writeCiphertext(context, promise: promises.take(context.eventLoop))
        context.flush()
    }

    private func writeCiphertext(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        if let ciphertext = session.takeCiphertext(context.channel.allocator) {
            context.write(wrapOutboundOut(ciphertext), promise: promise)
        } else {
            promise?.succeed()
        }
    }

    func fail(_ context: ChannelHandlerContext, _ error: TransportError) {
        let before = state
        if case .closed = before { return }
        if case .lingering = before { return }
        let told = tell(context, error)
        leave()
        if told { linger(context) }
        switch before {
        case .handshaking, .admitting: admission.refuse(error)
        case .open: context.fireErrorCaught(error)
        case .lingering, .closed: break
        }
        if !told { context.close(promise: nil) }
    }

    /// How long a refused peer may take to read why.
    private static let lingerTime = TimeAmount.seconds(1)

    private func linger(_ context: ChannelHandlerContext) {
        state = .lingering
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerTime) {
            self.leave()
            context.close(promise: nil)
        }
    }

    private func leave() {
        deadline?.cancel()
        state = .closed
        promises.fail(TransportError.notOpen)
    }
}

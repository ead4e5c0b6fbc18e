import Logging
import NIOCore
import Replication
import Transport
import Wire

/// A node's connection to the witness, dialled again whenever it ends. Everything happens on one event loop.
package final class WitnessClient: Arbiter {
    package weak var delegate: (any ArbiterDelegate)?
    private let loop: any EventLoop
    private var address: SocketAddress
    private let dialer: Dialer
    private let pair: RandomID
    private let log: Logger
    private var channel: (any Channel)?
    /// Who answers there, and in which of its starts, once it has said so.
    private var witness: (id: RandomID, start: UInt64)?
    /// Connections that came to nothing since the last answer.
    private var failures = 0
    /// Of the last one.
    private var reason = ""
    private var watch = AnswerWatch(patience: .seconds(2))
    /// Somebody looks at `watch` once its patience is over.
    private var isWatched = false
    /// Why this side has closed the connection, if it has.
    private var silence: String?
    private var closed = false

    package init(
        on loop: any EventLoop, at address: SocketAddress, dialer: Dialer, pair: RandomID, log: Logger
    ) {
        self.loop = loop
        self.address = address
        self.dialer = dialer
        self.pair = pair
        self.log = log
    }

    package func start() { dial() }

    package func close() {
        closed = true
        channel?.close(promise: nil)
    }

    package func move(to address: SocketAddress) {
        guard address != self.address else { return }
        self.address = address
        // Dialled again by what follows its end.
        channel?.close(promise: nil)
    }

    package func ask(_ request: RegisterRequest) {
        guard let channel, let witness else { return }
        let envelope = WitnessEnvelope(
            pair: pair, witness: witness.id, start: witness.start, request: request)
        var buffer = channel.allocator.buffer(capacity: 256)
        buffer.writeFrame(encoded(Twinline_Witness_V1_WitnessRequest(envelope)))
        channel.writeAndFlush(buffer, promise: nil)
        if watch.asked(at: .now()), !isWatched { look(at: channel, in: watch.patience) }
    }

    private func look(at channel: any Channel, in time: TimeAmount) {
        isWatched = true
        loop.assumeIsolated().scheduleTask(in: time) {
            // Else lost meanwhile, and that has ended this.
            guard self.channel === channel else { return }
            self.isWatched = false
            let now = NIODeadline.now()
            switch self.watch.verdict(at: now) {
            case .alive: break
            case .waiting(let until): self.look(at: channel, in: until - now)
            case .dead:
                self.silence = "no answer for \(self.watch.patience.nanoseconds / 1_000_000) ms"
                channel.close(promise: nil)
            }
        }
    }

    private func dial() {
        guard !closed else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let address = address
        dialer.dial(address, on: loop, expecting: .witness) { channel, _ in
            try channel.pipeline.syncOperations.addHandler(
                FrameHandler(
                    frame: { bound.value.received($0) }, closed: { bound.value.lost($0) }))
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel):
                self.channel = channel
                // Moved, or closed, while this was on its way.
                if self.closed || address != self.address { channel.close(promise: nil) }
            case .failure(let error): self.lost(error)
            }
        }
    }

    private func received(_ bytes: [UInt8]) {
        do throws(MalformedMessage) {
            switch try WitnessReply(try decoded(bytes)) {
            case .welcome(let id, let start):
                witness = (id, start)
                delegate?.arbiterConnected(id)
            case .answer(let answer):
                (failures, reason) = (0, "")
                watch.answered()
                delegate?.arbiterAnswered(answer)
            }
        } catch {
            log.error("the witness said something impossible", metadata: ["field": "\(error.field)"])
            channel?.close(promise: nil)
        }
    }

    private func lost(_ error: (any Error)?) {
        let wasConnected = witness != nil
        (channel, witness, isWatched) = (nil, nil, false)
        watch.answered()
        let reason = silence ?? error.map { "\($0)" } ?? "the connection closed"
        silence = nil
        if wasConnected { delegate?.arbiterDisconnected(because: reason) }
        if !wasConnected, reason != self.reason || failures % 100 == 0, !closed {
            log.warning("no witness", metadata: ["address": "\(address)", "reason": "\(reason)"])
        }
        self.reason = reason
        failures += 1
        // Soon at first: a restarted process is back within milliseconds.
        let delay = min(10 << min(failures, 5), 250)
        loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(delay))) { self.dial() }
    }
}

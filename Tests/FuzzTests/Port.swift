import Foundation
import Glibc
import NIOCore
import NIOEmbedded
import Testing
import Transport

/// Something that takes frames from a peer, in this process and without TLS.
protocol Port: AnyObject {
    /// Valid messages.
    var corpus: [[UInt8]] { get }
    /// A connection whose peer is known, with the protocol's handlers installed.
    func connect() throws -> EmbeddedChannel
    /// Between two frames: what waits is done, what has been answered is thrown away.
    func settle(_ channel: EmbeddedChannel)
    /// Messages that came past the checks: without those, only the checks would be tried.
    var reached: Int { get }
    /// Whether a peer that does everything right is served as ever.
    func servesOthers() throws -> Bool
}

extension Port {
    /// Sends so many frames, over as many connections as it takes.
    func attack(_ count: Int, seed: UInt64) throws -> (connections: Int, frames: Int) {
        var fuzzer = FrameFuzzer(seed: seed, corpus: corpus)
        var (connections, frames) = (0, 0)
        let bound = residentMemory() + 256 << 20
        while frames < count {
            let channel = try connect()
            connections += 1
            // At first what is right, sometimes: what comes then is looked at more closely.
            if fuzzer.number(below: 4) > 0, let first = corpus.first { _ = try? channel.writeInbound(framed(first)) }
            while frames < count, channel.isActive {
                let bytes = fuzzer.frame()
                frames += 1
                for piece in fuzzer.pieces(of: bytes) where channel.isActive {
                    _ = try? channel.writeInbound(ByteBuffer(bytes: piece))
                }
                channel.pipeline.fireChannelReadComplete()
                settle(channel)
                if fuzzer.number(below: 50) == 0 { break }
            }
            _ = try? channel.finish(acceptAlreadyClosed: true)
            if connections % 200 == 0 {
                #expect(try servesOthers(), "after \(frames) frames of seed \(seed)")
                #expect(residentMemory() < bound, "after \(frames) frames of seed \(seed)")
            }
        }
        #expect(try servesOthers(), "after all of seed \(seed)")
        #expect(reached > count / 50, "only \(reached) of \(frames) frames were looked at closely")
        return (connections, frames)
    }
}

func framed(_ payload: [UInt8]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeFrame(payload)
    return buffer
}

/// Bytes of this process's memory that are in use, as the system sees it.
func residentMemory() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * sysconf(Int32(_SC_PAGESIZE))
}

/// How many frames: some thousands, or what `TWINLINE_FUZZ` says.
let frameCount = ProcessInfo.processInfo.environment["TWINLINE_FUZZ"].flatMap { Int($0) } ?? 4000

extension EmbeddedChannel {
    /// Connected, with a decoder as behind TLS, and with what TLS would do about a peer that is dismissed.
    static func behindTLS() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers(Bouncer(), FrameDecoder(ConnectionOptions()))
        return channel
    }

    func begin() throws { try connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait() }

    func discardOutbound() { while (try? readOutbound(as: ByteBuffer.self)) != nil {} }

    /// The payloads that were sent.
    func sentFrames() -> [[UInt8]] {
        var all = ByteBuffer()
        while var part = try? readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
        var frames: [[UInt8]] = []
        while let length = all.readInteger(as: UInt32.self), let frame = all.readBytes(length: Int(length)) {
            frames.append(frame)
        }
        return frames
    }
}

final class Bouncer: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        promise?.succeed()
        if event is Dismissal { context.close(promise: nil) }
    }
}

import NIOCore
import Replication
import Transport
import Wire

/// Long messages on their way to the other node, one after another, each in parts: the next part goes when the other
/// node has the fourth before it, the next message when it has taken the one before. Lives on the link's event loop.
final class LongMessageQueue {
    /// Parts that were sent and that the other node has not: half a millisecond's work for each of the two event
    /// loops. Without this limit a fast link takes all parts at once, and confirmations of reads wait for tens of
    /// milliseconds, most of all where both loops share a core.
    private static let window = 4

    private let loop: any EventLoop
    private let thread: LongMessageThread
    private var waiting: [PeerEnvelope] = []
    /// The message being sent.
    private var parts: [[UInt8]] = []
    private var next = 0
    /// So many of them the other node has.
    private var taken = 0
    /// Of the message that is being encoded, sent, or not yet taken.
    private var current: UInt64?
    /// Numbers are never used twice.
    private var number: UInt64 = 0
    private(set) var connection: LinkConnection?
    private var session = UniqueNumber.none

    init(on loop: any EventLoop, _ thread: LongMessageThread) { (self.loop, self.thread) = (loop, thread) }

    /// If not, entries must wait behind what is still to be taken.
    var isEmpty: Bool { waiting.isEmpty && current == nil }

    /// What belongs to another session than this message is of no use to anybody any more.
    func add(_ envelope: PeerEnvelope, on connection: LinkConnection) {
        if envelope.message.session != session { clear() }
        session = envelope.message.session
        waiting.append(envelope)
        if self.connection == nil { self.connection = connection }
        advance()
    }

    /// The connection is gone, or another one is in use; whoever sent through it sends again what was lost.
    func clear() { (waiting, parts, next, taken, current, connection) = ([], [], 0, 0, nil, nil) }

    /// The other node has so many bytes of this message; all of them: it has taken it.
    func taken(_ bytes: UInt64, of number: UInt64) {
        guard number == current, next > 0 else { return }
        let (whole, rest) = bytes.quotientAndRemainder(dividingBy: UInt64(MessageParts.size))
        taken = max(taken, min(Int(clamping: whole) + (rest > 0 ? 1 : 0), next))
        if taken == parts.count { current = nil }
        advance()
    }

    private func advance() {
        guard let channel = connection?.channel else { return }
        guard current != nil else {
            if waiting.isEmpty { connection = nil } else { cutNext() }
            return
        }
        while next - taken < Self.window, next < parts.count {
            var buffer = channel.allocator.buffer(capacity: parts[next].count + 4)
            buffer.writeFrame(parts[next])
            // One at a time: to give back the memory of all of them at once takes milliseconds.
            parts[next] = []
            next += 1
            channel.writeAndFlush(buffer, promise: nil)
        }
    }

    private func cutNext() {
        number += 1
        let number = number
        current = number
        (parts, next, taken) = ([], 0, 0)
        let queue = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        thread.cut(waiting.removeFirst(), number: number) { parts in
            loop.execute {
                let queue = queue.value
                guard number == queue.current else { return }
                queue.parts = parts
                queue.advance()
            }
        }
    }
}

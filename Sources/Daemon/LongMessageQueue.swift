import NIOCore
import Replication
import Transport
import Wire

/// Long messages on their way to the other node, one after another, each in parts: the next part goes when the system
/// has taken the one before, so that what is short, a heartbeat above all, is never behind more than a few. Lives on
/// the link's event loop.
final class LongMessageQueue {
    /// Parts that the connection has and the system has not: one being sent, and one to follow it at once.
    private static let window = 2

    private let loop: any EventLoop
    private let thread: LongMessageThread
    private var waiting: [PeerEnvelope] = []
    /// The message being sent.
    private var parts: [[UInt8]] = []
    private var next = 0
    private var underWay = 0
    private var isCutting = false
    private var channel: (any Channel)?
    private var session = UniqueNumber.none
    /// Outdates what comes back for messages that were given up.
    private var round = 0

    init(on loop: any EventLoop, _ thread: LongMessageThread) { (self.loop, self.thread) = (loop, thread) }

    /// If not, entries must wait behind what is still to be sent.
    var isEmpty: Bool { waiting.isEmpty && next == parts.count && !isCutting }

    /// What belongs to another session than this message is of no use to anybody any more.
    func add(_ envelope: PeerEnvelope, on channel: any Channel) {
        if envelope.message.session != session { clear() }
        session = envelope.message.session
        waiting.append(envelope)
        self.channel = channel
        advance()
    }

    /// The connection is not in use any more; whoever sent through it sends again what was lost.
    func clear() {
        (waiting, parts, next, underWay, isCutting, channel) = ([], [], 0, 0, false, nil)
        round += 1
    }

    private func advance() {
        guard let channel else { return }
        if next == parts.count, !isCutting, !waiting.isEmpty { return cutNext() }
        let queue = NIOLoopBound(self, eventLoop: loop)
        let (loop, round) = (loop, round)
        while underWay < Self.window, next < parts.count {
            var buffer = channel.allocator.buffer(capacity: parts[next].count + 4)
            buffer.writeFrame(parts[next])
            // One at a time: to give back the memory of all of them at once takes milliseconds.
            parts[next] = []
            next += 1
            underWay += 1
            channel.writeAndFlush(buffer).whenComplete { _ in loop.execute { queue.value.taken(round) } }
        }
        if next == parts.count { (parts, next) = ([], 0) }
    }

    private func taken(_ round: Int) {
        guard round == self.round else { return }
        underWay -= 1
        advance()
    }

    private func cutNext() {
        isCutting = true
        let queue = NIOLoopBound(self, eventLoop: loop)
        let (loop, round) = (loop, round)
        thread.cut(waiting.removeFirst()) { parts in
            loop.execute {
                let queue = queue.value
                guard round == queue.round else { return }
                queue.isCutting = false
                (queue.parts, queue.next) = (parts, 0)
                queue.advance()
            }
        }
    }
}

import NIOCore
import Replication
import Transport
import Wire

/// Long messages on their way to the other node, one after another, each in parts: the next part goes when the system
/// has taken the one before, the next message when the other node has taken the one before. Lives on the link's event
/// loop.
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
    func clear() { (waiting, parts, next, underWay, current, connection) = ([], [], 0, 0, nil, nil) }

    /// The other node has this message.
    func taken(_ number: UInt64) {
        guard number == current, next == parts.count else { return }
        current = nil
        advance()
    }

    private func advance() {
        guard let channel = connection?.channel else { return }
        guard let current else {
            if waiting.isEmpty { connection = nil } else { cutNext() }
            return
        }
        let queue = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        while underWay < Self.window, next < parts.count {
            var buffer = channel.allocator.buffer(capacity: parts[next].count + 4)
            buffer.writeFrame(parts[next])
            // One at a time: to give back the memory of all of them at once takes milliseconds.
            parts[next] = []
            next += 1
            underWay += 1
            channel.writeAndFlush(buffer).whenComplete { _ in loop.execute { queue.value.sent(of: current) } }
        }
    }

    private func sent(of number: UInt64) {
        guard number == current else { return }
        underWay -= 1
        advance()
    }

    private func cutNext() {
        number += 1
        let number = number
        current = number
        (parts, next, underWay) = ([], 0, 0)
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

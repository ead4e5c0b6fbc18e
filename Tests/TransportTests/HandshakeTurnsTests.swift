import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

@Suite("turns of handshakes")
struct HandshakeTurnsTests {
    private final class Order {
        var names: [String] = []
        var now = NIODeadline.uptimeNanoseconds(1)
    }

    @Test("what has begun is finished before more is begun, and something new always has its turn")
    func begunFirst() {
        let loop = EmbeddedEventLoop()
        let order = Order()
        let turns = HandshakeTurns(loop) { order.now }
        turns.take {
            order.names.append("first")
            order.now = order.now + .milliseconds(5)
        }
        for name in ["new 1", "new 2"] { turns.take { order.names.append(name) } }
        for name in ["begun 1", "begun 2"] { turns.take(hasBegun: true) { order.names.append(name) } }
        turns.take { order.names.append("new 3") }
        #expect(order.names == ["first"])
        loop.advanceTime(by: .milliseconds(1))
        #expect(order.names == ["first", "new 1", "begun 1", "begun 2", "new 2", "new 3"])
        turns.take { order.names.append("at once") }
        #expect(order.names.last == "at once")
    }
}

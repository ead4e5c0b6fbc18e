import Arbitration
import NIOCore
import Replication
import Wire

/// Keeps a node that is being reseeded in touch with the witness. Lives on the node's event loop.
final class TestifierDriver: ArbiterDelegate {
    private let loop: any EventLoop
    private let arbiter: any Arbiter
    private var testifier: Testifier
    private var ticks: RepeatedTask?

    init(_ testifier: Testifier, on loop: any EventLoop, through arbiter: any Arbiter) {
        (self.testifier, self.loop, self.arbiter) = (testifier, loop, arbiter)
    }

    func start() {
        arbiter.delegate = self
        arbiter.start()
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticks = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.say(bound.value.testifier.again())
        }
    }

    func end() {
        ticks?.cancel()
        arbiter.close()
    }

    func arbiterConnected(_ id: RandomID) { say(testifier.connected(id)) }
    func arbiterDisconnected(because reason: String) { testifier.disconnected() }
    func arbiterAnswered(_ answer: RegisterAnswer) {}

    private func say(_ request: RegisterRequest?) {
        if let request { arbiter.ask(request) }
    }
}

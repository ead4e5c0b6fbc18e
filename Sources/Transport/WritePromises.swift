import NIOCore

/// Promises of writes that go to the network as one.
struct WritePromises {
    private var waiting: [EventLoopPromise<Void>] = []

    mutating func append(_ promise: EventLoopPromise<Void>?) {
        if let promise { waiting.append(promise) }
    }

    /// One promise for all. Most writes have none, and most of the others are alone.
    mutating func take(_ eventLoop: any EventLoop) -> EventLoopPromise<Void>? {
        guard waiting.count > 1 else { return waiting.popLast() }
        let joined = eventLoop.makePromise(of: Void.self)
        for promise in waiting { joined.futureResult.cascade(to: promise) }
        waiting.removeAll(keepingCapacity: true)
        return joined
    }

    mutating func fail(_ error: any Error) {
        let failing = waiting
        waiting = []
        for promise in failing { promise.fail(error) }
    }
}

import DurableLog
import NIOCore
import Planted
import Replication
import Tickets
import Transport
import Wire

/// Does what a `SeatSession` orders: owns the connections and the clock. Lives on one event loop.
final class SeatDriver {
    struct Route {
        let link: Link
        var remote: RouteAddress
        let local: SocketAddress?
    }

    private var session: SeatSession
    private var routes: [Link: Route]
    private let dialer: Dialer
    private let eventLoop: any EventLoop
    private let program: String
    private let remember: (SeatMemory) -> Void
    private let refused: (Link, String) -> Void
    /// What was last said of each link.
    private var refusals: [Link: String] = [:]

    private var open: [Link: SeatConnectionHandler] = [:]
    private var callers: [SeatSession.Call: (SeatSession.Outcome) -> Void] = [:]
    private var nextCall: UInt64 = 1
    private var timer: (task: Scheduled<Void>, due: Instant)?
    /// The timer was late, and waits until what has come was read.
    private var readsFirst = false
    /// Nanoseconds; later than the first is late, and the second leaves the loop time to come to its sockets.
    private static let punctual: UInt64 = 20_000_000, timeToRead: UInt64 = 10_000_000
    /// Connections with frames that go out together, once this turn of the event loop is over.
    private var unflushed: [SeatConnectionHandler] = []
    private(set) var isClosed = false
    private(set) var outbox: Outbox?

    init(
        _ session: SeatSession, _ routes: [Route], _ dialer: Dialer, _ eventLoop: any EventLoop, program: String,
        remember: @escaping (SeatMemory) -> Void, refused: @escaping (Link, String) -> Void
    ) {
        (self.session, self.dialer, self.eventLoop) = (session, dialer, eventLoop)
        (self.program, self.remember, self.refused) = (program, remember, refused)
        self.routes = Dictionary(routes.map { ($0.link, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func start() {
        run(session.start(at: now))
        outbox?.start()
    }

    /// - Parameter settled: what became of a call whose caller was told that it is kept, or whose program has died.
    /// - Returns: damaged files, which are set aside.
    func open(_ path: String, settled: @escaping Outbox.Settled) throws(SeatError) -> [String] {
        let files = try OutboxFiles(path: path)
        do throws(LogError) {
            let found = try files.load()
            outbox = Outbox(files, found.calls, self, eventLoop, settled: settled)
            return found.damaged
        } catch {
            throw .misconfigured("can't read the outbox \(path): \(error)")
        }
    }

    /// Gives a caller's wish to the session; the callback gets what comes of it.
    /// - Parameter patience: nil: for as long as it takes.
    /// - Returns: what the wish is cancelled by. Nil: it has come to its end already.
    @discardableResult
    func ask(
        _ patience: Duration?, _ callback: @escaping (SeatSession.Outcome) -> Void,
        _ wish: (inout SeatSession, SeatSession.Call, Instant, Instant) -> [SeatSession.Directive]
    ) -> SeatSession.Call? {
        guard !isClosed else {
            callback(.failed(.unreachable))
            return nil
        }
        let call = SeatSession.Call(nextCall)
        nextCall += 1
        callers[call] = callback
        let now = now
        let deadline = patience.map { now.after(nanoseconds: TimeAmount($0).asNanoseconds) }
        run(wish(&session, call, deadline ?? Instant(nanoseconds: .max), now))
        return callers[call] == nil ? nil : call
    }

    func nameAtOnce() -> RequestName? { session.nameAtOnce() }
    func giveUp(_ name: RequestName) { session.giveUp(name) }

    func cancel(_ call: SeatSession.Call) { run(session.cancel(call, at: now)) }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        timer?.task.cancel()
        outbox?.close()
        for connection in open.values { connection.close() }
        open = [:]
        run(session.abandonAll())
    }

    var connections: [SeatConnection] {
        session.connections(at: now, routes.mapValues(\.remote.text))
    }

    // What the connections report.

    func opened(_ handler: SeatConnectionHandler) {
        guard !isClosed else { return handler.close() }
        open[handler.link] = handler
        run(session.connected(handler.link, at: now))
    }

    func received(_ message: FromNode, on handler: SeatConnectionHandler) {
        guard open[handler.link] === handler else { return }
        run(session.receive(message, on: handler.link, at: now))
    }

    func isOne(of connections: UInt32, on handler: SeatConnectionHandler) {
        if open[handler.link] === handler { session.isOne(of: connections) }
    }

    /// A part of something longer.
    func heard(_ handler: SeatConnectionHandler) {
        guard open[handler.link] === handler else { return }
        session.heard(handler.link, at: now)
    }

    func closed(_ handler: SeatConnectionHandler, _ error: TransportError?) {
        guard open[handler.link] === handler else { return }
        open[handler.link] = nil
        if let error { note(error, on: handler.link) }
        let loss = error.map(SeatSession.Loss.init) ?? .failed
        run(session.disconnected(handler.link, loss, at: now, because: error.map { "\($0)" } ?? "it was closed"))
    }

    // What the session orders.

    private func run(_ directives: [SeatSession.Directive]) {
        for directive in directives {
            switch directive {
            case .connect(let link): connect(link)
            case .disconnect(let link, _): open.removeValue(forKey: link)?.close()
            case .send(let message, let link): send(message, on: link)
            case .deliver(let outcome, let call): callers.removeValue(forKey: call)?(outcome)
            case .remember(let memory): remember(memory)
            }
        }
        setTimer()
    }

    private func connect(_ link: Link) {
        guard let route = routes[link], !isClosed else { return }
        route.remote.resolve(on: eventLoop).assumeIsolated().whenComplete { result in
            guard case .success(let address?) = result else {
                return self.failed(link, .failed, because: "nobody knows the name \(route.remote.host)")
            }
            self.routes[link]?.remote.note(address)
            self.dial(link, address, from: route.local)
        }
    }

    private func dial(_ link: Link, _ address: SocketAddress, from local: SocketAddress?) {
        guard !isClosed else { return }
        let driver = NIOLoopBound(self, eventLoop: eventLoop)
        dialer.dial(address, from: local, on: eventLoop, expecting: .node(link.node)) { channel, _ in
            let handler = SeatConnectionHandler(link, channel, driver.value)
            try channel.pipeline.syncOperations.addHandler(handler)
        }.assumeIsolated().whenFailure { error in
            if let error = error as? TransportError { self.note(error, on: link) }
            let loss = (error as? TransportError).map(SeatSession.Loss.init) ?? .failed
            self.failed(link, loss, because: "\(error)")
        }
    }

    private func failed(_ link: Link, _ loss: SeatSession.Loss, because reason: String) {
        guard !isClosed else { return }
        run(session.disconnected(link, loss, at: now, because: reason))
    }

    /// Each refusal once, until there is another.
    private func note(_ error: TransportError, on link: Link) {
        switch error {
        case .peerRefused, .refusedByPeer: break
        default: return
        }
        let text = "\(error)"
        guard refusals.updateValue(text, forKey: link) != text else { return }
        refused(link, text)
    }

    private func send(_ message: ToNode, on link: Link) {
        guard let handler = open[link] else { return }
        if handler.append(Twinline_Seat_V1_SeatMessage(message, program: program)) {
            if unflushed.isEmpty { eventLoop.assumeIsolated().execute { self.flush() } }
            unflushed.append(handler)
        }
    }

    private func flush() {
        let handlers = unflushed
        unflushed.removeAll(keepingCapacity: true)
        for handler in handlers { handler.flush() }
    }

    private func setTimer() {
        guard let due = session.wakeAt, !isClosed, !readsFirst else { return }
        if let timer, timer.due <= due { return }
        timer?.task.cancel()
        wake(at: due)
    }

    private func wake(at due: Instant) {
        let deadline = NIODeadline.uptimeNanoseconds(due.nanoseconds)
        timer = (eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.wakeUp(due) }, due)
    }

    /// An event loop runs all that is due before it reads again: one that is late has not listened. It reads what has
    /// come before anybody is called silent; else a thousand seats on a busy machine take all connections for dead.
    private func wakeUp(_ due: Instant) {
        timer = nil
        let now = now
        if !readsFirst, now.since(due) > Self.punctual, !planted("callItLateUnread") {
            readsFirst = true
            return wake(at: now.after(nanoseconds: Self.timeToRead))
        }
        readsFirst = false
        run(session.tick(at: now))
    }

    private var now: Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }
}

extension TimeAmount {
    fileprivate var asNanoseconds: UInt64 { UInt64(max(nanoseconds, 0)) }
}

extension SeatSession.Loss {
    init(_ error: TransportError) {
        switch error {
        case .connectionRefused: self = .refused
        case .peerRefused, .refusedByPeer: self = .rejected
        case .cannotLoad, .openSSL, .cannotBind, .noAnswer, .cannotDial, .handshakeTimedOut, .handshakeTooLong,
            .handshakeBroken, .crowdedOut, .truncated, .broken, .frameTooLong, .frameTimedOut, .unsentTooLong, .lost,
            .notOpen:
            self = .failed
        }
    }
}

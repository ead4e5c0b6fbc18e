import NIOCore
import NIOPosix
import Replication
import Tickets
import Transport
import Wire

/// A seat's live connections to a pair: what a seat program links.
///
/// Everything happens on one event loop. Any number of clients may share a group of event loops; the functions that
/// take a callback cost no task and no thread, so one program can drive hundreds of seats.
public final class SeatClient: Sendable {
    /// Of a command, when the caller gives none.
    public static let usualPatience = Duration.seconds(10)

    /// What a read must have seen.
    public enum ReadLevel: Equatable, Sendable {
        /// Everything that was answered, to anyone, before it was asked. From the primary.
        case latest
        /// At least this position.
        case atLeast(epoch: UInt64, lsn: UInt64)
        /// What a standby has. With a limit: all that was answered, to anyone, up to so long ago; from the primary when
        /// no standby knows to be that young.
        case standby(maxAge: Duration? = nil)
    }

    let eventLoop: any EventLoop
    private let driver: NIOLoopBoundBox<SeatDriver>
    let hasOutbox: Bool

    /// Begins to connect at once; the first request may be made at once, too.
    /// - Throws: `SeatError.misconfigured` with the file or address that can't be used.
    public convenience init(
        configuration: SeatConfiguration, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(SeatError) {
        let files = TLSFiles(
            certificate: configuration.certificate, key: configuration.key, authority: configuration.authority,
            revocations: configuration.revocations)
        let tls: TLSContext
        do throws(TransportError) {
            tls = try TLSContext(.client, files, protocols: [.seat])
        } catch {
            throw .misconfigured("\(error)")
        }
        try self.init(configuration: configuration, tls: tls, on: group.next())
    }

    package init(
        configuration: SeatConfiguration, tls: TLSContext, on eventLoop: any EventLoop,
        timings: SeatTimings = SeatTimings()
    ) throws(SeatError) {
        self.eventLoop = eventLoop
        hasOutbox = configuration.outbox != nil
        let routes = try Self.resolve(configuration.routes)
        var system = SystemRandomNumberGenerator()
        let session = SeatSession(
            links: routes.map(\.link), memory: configuration.memory, seed: system.next(), timings: timings)
        // What a system could not deliver for so long is no connection any more, whatever the beats say.
        var options = ConnectionOptions()
        options.deliveryTimeout = .seconds(5)
        // The driver is made here and from then on used on its event loop alone.
        let driver = SeatDriver(
            session, routes, Dialer(tls: tls, options: options), eventLoop, program: configuration.program,
            remember: configuration.remember,
            refused: configuration.refused)
        if let outbox = configuration.outbox {
            let damaged = try driver.open(outbox, settled: configuration.settled)
            if !damaged.isEmpty { configuration.damaged(damaged) }
        }
        self.driver = NIOLoopBoundBox.makeBoxSendingValue(driver, eventLoop: eventLoop)
        onLoop { $0.start() }
    }

    /// Has the command done, once.
    ///
    /// When the task is cancelled, the command is withdrawn: it is then either refused as `withdrawn`, and never
    /// happens, or had happened already, and is answered as if nothing had been cancelled.
    ///
    /// With an outbox it is kept on this seat's disk first, and then done, or delivered later: `SeatError.kept`.
    /// - Throws: `SeatError`: refused, unknown or unreachable; see there what may be said to the customer.
    public func perform(_ command: Command, within patience: Duration = usualPatience) async throws(SeatError) -> Done {
        if hasOutbox { return try await answer { self.keep(command, within: patience, then: $0) } }
        return try await cancellable(patience, { $0.done }) { $0.perform(command, for: $1, by: $2, at: $3) }
    }

    /// The same, with a callback, which is called on the event loop.
    public func perform(
        _ command: Command, within patience: Duration = usualPatience,
        then callback: @escaping @Sendable (Result<Done, SeatError>) -> Void
    ) {
        if hasOutbox { return keep(command, within: patience, then: callback) }
        onLoop { driver in
            driver.ask(patience, { callback($0.done) }) { $0.perform(command, for: $1, by: $2, at: $3) }
        }
    }

    /// Asks again for what became of a request whose outcome is unknown. The command must be the same.
    public func perform(
        _ command: Command, again name: RequestName, within patience: Duration = usualPatience
    ) async throws(SeatError) -> Done {
        try await answer { callback in
            self.onLoop { driver in
                driver.ask(patience, { callback($0.done) }) {
                    $0.perform(command, again: name, for: $1, by: $2, at: $3)
                }
            }
        }
    }

    /// Nil: there is no such ticket.
    public func show(_ ticket: TicketID, within patience: Duration = usualPatience) async throws(SeatError) -> Ticket? {
        guard case .ticket(let found) = try await query(.show(ticket), within: patience) else { throw .unreachable }
        return found
    }

    /// Newest first. `before` goes on from the last ticket of the page before.
    public func list(
        state: Ticket.State? = nil, unit: String? = nil, before: TicketID? = nil, limit: Int = 100,
        within patience: Duration = usualPatience
    ) async throws(SeatError) -> [Ticket] {
        let query = Query.list(state: state, unit: unit, before: before, limit: limit)
        guard case .tickets(let found) = try await self.query(query, within: patience) else { throw .unreachable }
        return found
    }

    public func history(
        of ticket: TicketID, within patience: Duration = usualPatience
    ) async throws(SeatError) -> [HistoryRow] {
        guard case .history(let rows) = try await query(.history(ticket), within: patience) else { throw .unreachable }
        return rows
    }

    public func query(_ query: Query, within patience: Duration = usualPatience) async throws(SeatError) -> View {
        try await answer { self.query(query, within: patience, then: $0) }
    }

    /// The same, with a callback, which is called on the event loop.
    public func query(
        _ query: Query, level: ReadLevel = .latest, within patience: Duration = usualPatience,
        then callback: @escaping @Sendable (Result<View, SeatError>) -> Void
    ) {
        onLoop { driver in
            driver.ask(patience, { callback($0.view) }) {
                $0.ask(query, level: SeatRead.Level(level), for: $1, by: $2, at: $3)
            }
        }
    }

    /// How this node says it stands.
    public func status(of node: NodeName) async throws(SeatError) -> NodeStatus {
        try await answer { callback in
            self.onLoop { driver in
                driver.ask(Self.usualPatience, { callback($0.status) }) { session, call, _, _ in
                    session.inspect(node, .status, for: call)
                }
            }
        }
    }

    /// Asks this node to hand over to the other one. Needs a certificate of the role ops.
    public func switchover(from node: NodeName) async throws(SeatError) -> OperationAnswer {
        try await answer { callback in
            self.onLoop { driver in
                driver.ask(Self.usualPatience, { callback($0.operation) }) { session, call, _, _ in
                    session.inspect(node, .switchover, for: call)
                }
            }
        }
    }

    /// All ways to the nodes, as configured.
    public var connections: [SeatConnection] {
        get async { await onLoopResult { $0.connections } }
    }

    /// Ends everything. Who still waits is told `unknown` or `unreachable`.
    public func close() async { await onLoopResult { $0.close() } }
}

extension SeatClient {
    func answer<Value: Sendable>(
        _ ask: (@escaping @Sendable (Result<Value, SeatError>) -> Void) -> Void
    ) async throws(SeatError) -> Value {
        let result = await withCheckedContinuation { waiting in ask { waiting.resume(returning: $0) } }
        return try result.get()
    }

    func onLoop(_ body: @escaping @Sendable (SeatDriver) -> Void) {
        if eventLoop.inEventLoop { return body(driver.value) }
        eventLoop.execute { body(self.driver.value) }
    }

    func onLoopResult<Value: Sendable>(_ body: @escaping @Sendable (SeatDriver) -> Value) async -> Value {
        await withCheckedContinuation { waiting in onLoop { waiting.resume(returning: body($0)) } }
    }

    private static func resolve(_ routes: [SeatConfiguration.Route]) throws(SeatError) -> [SeatDriver.Route] {
        guard !routes.isEmpty else { throw .misconfigured("no route is configured: name at least one address") }
        var resolved: [SeatDriver.Route] = []
        for route in routes {
            let local = if let local = route.local { try address(local) } else { SocketAddress?.none }
            // A name with several addresses makes several routes.
            for remote in RouteAddress.all(route.address, route.port) {
                let link = Link(route.node, route: resolved.count)
                resolved.append(SeatDriver.Route(link: link, remote: remote, local: local))
            }
        }
        return resolved
    }

    private static func address(_ text: String) throws(SeatError) -> SocketAddress {
        do {
            return try SocketAddress(ipAddress: text, port: 0)
        } catch {
            throw .misconfigured("\(text) is no numeric address of this machine: write one such as 10.0.0.1")
        }
    }
}

extension SeatRead.Level {
    init(_ level: SeatClient.ReadLevel) {
        switch level {
        case .latest: self = .latest
        case .atLeast(let epoch, let lsn): self = .atLeast(Position(Epoch(epoch), LSN(lsn)))
        case .standby(let limit):
            self = .standby(maxAge: limit.map { UInt64(clamping: TimeAmount($0).nanoseconds / 1_000_000) })
        }
    }
}

extension SeatSession.Outcome {
    // A node that answers something else than was asked is of no use to the caller.

    fileprivate var done: Result<Done, SeatError> {
        if case .done(let done) = self { .success(done) } else { failure() }
    }
    var view: Result<View, SeatError> {
        if case .view(let view, _) = self { .success(view) } else { failure() }
    }
    fileprivate var status: Result<NodeStatus, SeatError> {
        if case .status(let status) = self { .success(status) } else { failure() }
    }
    fileprivate var operation: Result<OperationAnswer, SeatError> {
        if case .operation(let answer) = self { .success(answer) } else { failure() }
    }

    func failure<Value>() -> Result<Value, SeatError> {
        if case .failed(let error) = self { .failure(error) } else { .failure(.unreachable) }
    }
}

import Daemon
import NIOCore
import NIOPosix
import Replication
import Transport
import Wire

/// Both nodes' own words on how they stand, asked for together.
struct PairView: Sendable {
    struct Sight: Sendable {
        /// Nil: no answer, with the reason.
        var nodes: PerNode<Result<Twinline_Seat_V1_Status, ViewError>>

        /// The node that leads in the highest epoch.
        var primary: NodeName? {
            NodeName.allCases.filter { nodes[$0].value?.standing.role == .primary }
                .max { (nodes[$0].value?.standing.epoch ?? 0) < (nodes[$1].value?.standing.epoch ?? 0) }
        }

        var primaryStatus: Twinline_Seat_V1_Status? { primary.flatMap { nodes[$0].value } }
        var isPaired: Bool { primaryStatus?.failoverPossible ?? false }
    }

    struct ViewError: Error, Equatable, Sendable { var text: String }

    let routes: PerNode<[SocketAddress]>
    private let client: OpsClient

    init(_ config: String) throws {
        let pair = try configured(PairConfiguration.init(path:), config)
        try self.init(routes: pair.nodes, tls: pair.tls)
    }

    /// - Parameter patience: for each answer.
    init(routes: PerNode<[SocketAddress]>, tls: TLSFiles, patience: TimeAmount = .seconds(1)) throws {
        self.init(
            routes: routes,
            try OpsClient(tls: tls, group: MultiThreadedEventLoopGroup.singleton, patience: patience))
    }

    init(routes: PerNode<[SocketAddress]>, _ client: OpsClient) { (self.routes, self.client) = (routes, client) }

    func look() async -> Sight {
        async let a = look(at: .a)
        async let b = look(at: .b)
        return Sight(nodes: PerNode(a: await a, b: await b))
    }

    func switchOver(from node: NodeName) async throws -> Twinline_Seat_V1_OperationAnswer {
        var operation = Twinline_Seat_V1_Operation()
        operation.kind = .switchover
        return try await operate(operation, at: node)
    }

    func operate(
        _ operation: Twinline_Seat_V1_Operation, at node: NodeName
    ) async throws -> Twinline_Seat_V1_OperationAnswer {
        var failure: any Error = Failure("node \(node) has no address in the configuration")
        for address in routes[node] {
            do { return try await client.operate(operation, at: node, address) } catch { failure = error }
        }
        throw failure
    }

    /// Over the first route that the node can be reached by. Cancelling this task ends the walk.
    func verify(
        at lsn: LSN?, _ node: NodeName, progress: @escaping @Sendable (Twinline_Seat_V1_Verification) -> Void
    ) async throws -> OpsClient.VerificationEnd {
        var failure: any Error = Failure("node \(node) has no address in the configuration")
        for address in routes[node] {
            do { return try await client.verify(at: lsn, node, address, progress: progress) } catch {
                failure = error
                if Task.isCancelled { break }
            }
        }
        throw failure
    }

    /// Median, in microseconds, over the first route to a node.
    func tlsRoundTrip() async throws -> Double {
        guard let address = routes.a.first else { return 0 }
        let trips = try await client.roundTrips(2000, to: .a, at: address).sorted()
        return Double(trips[trips.count / 2]) / 1000
    }

    /// Over the first route that answers.
    private func look(at node: NodeName) async -> Result<Twinline_Seat_V1_Status, ViewError> {
        var reason = "no address in the configuration"
        for address in routes[node] {
            do { return .success(try await client.status(of: node, at: address)) } catch { reason = "\(error)" }
        }
        return .failure(ViewError(text: reason))
    }
}

extension Result {
    var value: Success? { if case .success(let value) = self { value } else { nil } }
}

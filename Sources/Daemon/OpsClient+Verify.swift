import NIOCore
import Replication
import Transport
import Wire

extension OpsClient {
    /// A node that is busy with other things lets the walk wait.
    private static let silence = TimeAmount.seconds(8)

    /// What became of a verification at one node.
    package enum VerificationEnd: Equatable, Sendable {
        /// The last word of the walk, which may be that it failed.
        case ended(Twinline_Seat_V1_Verification)
        case refused(Twinline_Seat_V1_OperationAnswer)
    }

    /// Has a node compute its digest anew, and hears how far it is. Cancelling this task ends the walk.
    /// - Parameter lsn: where the snapshot is to be taken; nil: at once.
    package func verify(
        at lsn: LSN?, _ node: NodeName, _ address: SocketAddress,
        progress: @escaping @Sendable (Twinline_Seat_V1_Verification) -> Void
    ) async throws -> VerificationEnd {
        var hello = Twinline_Seat_V1_SeatMessage()
        hello.hello.program = "twinline \(twinlineVersion)"
        var order = Twinline_Seat_V1_SeatMessage()
        order.operation.kind = .verify
        order.operation.verify.atLsn = lsn?.value ?? 0
        let first = [encoded(hello), encoded(order)]
        // One that wants no answer: for the node it counts as a sign of life.
        var beat = Twinline_Seat_V1_SeatMessage()
        beat.beat = Twinline_Seat_V1_Beat()
        let sign = encoded(beat)
        return try await converse(
            seat, address, .node(node), first: first, within: Self.silence, eachFrame: true
        ) { bytes, send in
            guard let reply: Twinline_Seat_V1_NodeMessage = try? decoded(bytes) else { return nil }
            switch reply.body {
            case .operation(let answer): return .refused(answer)
            case .verification(let word) where word.stage == .walking:
                send(sign)
                progress(word)
                return nil
            case .verification(let word): return .ended(word)
            default: return nil
            }
        }
    }
}

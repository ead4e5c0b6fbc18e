import NIOCore
import Replication
import Transport
import Wire

/// Makes a new pair: its id, both nodes' disks, the first register. Refuses if any of the three holds data.
package struct PairFormatter: Sendable {
    private let client: OpsClient
    private let nodes: PerNode<SocketAddress>
    private let witness: SocketAddress

    package init(_ client: OpsClient, a: SocketAddress, b: SocketAddress, witness: SocketAddress) {
        self.client = client
        nodes = PerNode(a: a, b: b)
        self.witness = witness
    }

    /// A format writes and syncs the first log segments. Asked again after silence, a node or the witness would hold
    /// data already.
    private static let patience = TimeAmount.seconds(60)

    /// That all three are there, and the nodes empty. Changes nothing.
    /// - Returns: the witness's id.
    @discardableResult
    package func look() async throws -> RandomID {
        for name in NodeName.allCases {
            let status = try await client.status(of: name, at: nodes[name])
            guard status.unformatted else { throw FormatError.holdsData(node: name) }
        }
        return try await client.witness(at: witness).id
    }

    /// - Parameter progress: a line for each thing done.
    package func format(progress: (String) -> Void) async throws -> RandomID {
        let witnessID = try await look()
        progress("witness \(witnessID) and both nodes are there, the nodes empty")

        var random = SystemRandomNumberGenerator()
        func randomID() -> RandomID { RandomID(high: random.next(), low: random.next()) }
        let pair = randomID()
        let register = firstRegister(PerNode(a: randomID(), b: randomID()))
        // The register first: should this end half way, a node that was formatted finds its register, and the other
        // one is still empty and says so.
        switch try await client.install(register, pair: pair, at: witness, within: Self.patience) {
        case .won: progress("installed the first register")
        case .refused(let refusal): throw FormatError.witnessRefused(refusal)
        case .current, .lost: throw FormatError.witnessRefused(.alreadyInstalled)
        }
        var operation = Twinline_Seat_V1_Operation()
        operation.kind = .format
        operation.format.pairID = pair.bytes
        operation.format.diskA = register.disks.a.bytes
        operation.format.diskB = register.disks.b.bytes
        operation.format.witnessID = witnessID.bytes
        for name in NodeName.allCases {
            let answer = try await client.operate(operation, at: name, nodes[name], within: Self.patience)
            guard answer.accepted else { throw FormatError.nodeRefused(name, answer.text) }
            progress("formatted node \(name)")
        }
        return pair
    }
}

package enum FormatError: Error, CustomStringConvertible {
    case holdsData(node: NodeName)
    case witnessRefused(RegisterRefusal)
    case nodeRefused(NodeName, String)

    package var description: String {
        switch self {
        case .holdsData(let node):
            "node \(node) holds data already; nothing was changed. A new pair begins on empty data directories"
        case .witnessRefused(.alreadyInstalled):
            "the witness holds a register for a pair of this name already; nothing was changed. Remove the witness's "
                + "data directory if that pair is gone for good, or give the new pair another name"
        case .witnessRefused(let refusal): "the witness refused: \(refusal); nothing was changed"
        case .nodeRefused(let node, let text):
            "node \(node) refused: \(text). The pair is half made: empty all three data directories and begin again"
        }
    }
}

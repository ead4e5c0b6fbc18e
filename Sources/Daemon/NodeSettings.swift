import NIOCore
import Replication
import Transport

/// What a node's process is to do, from its configuration, with names resolved and files found.
package struct NodeSettings: Sendable {
    package var pair: String
    package var node: NodeName
    /// One address a route.
    package var listen: [SocketAddress]
    package var peer: [SocketAddress]
    package var witness: SocketAddress
    /// The data directory.
    package var data: String
    package var tls: TLSFiles
    package var timings: Timings
    package var segmentSize: Int
    /// Event loops for connections; the node's own work is done on the first.
    package var loops: Int

    package init(
        pair: String, node: NodeName, listen: [SocketAddress], peer: [SocketAddress], witness: SocketAddress,
        data: String, tls: TLSFiles, timings: Timings = Timings(), segmentSize: Int = 64 << 20, loops: Int = 1
    ) {
        self.pair = pair
        self.node = node
        self.listen = listen
        self.peer = peer
        self.witness = witness
        self.data = data
        self.tls = tls
        self.timings = timings
        self.segmentSize = segmentSize
        self.loops = loops
    }
}

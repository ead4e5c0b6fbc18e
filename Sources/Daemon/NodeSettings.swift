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
    package var retention = Retention()
    /// Bytes a second that a copy of the database is sent to the other node with, at most.
    package var reseedRate: UInt64 = 100_000_000
    /// Keep the cores from sleeping while there is work.
    package var wakeful = true
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

/// For how long the log keeps entries that neither the standby nor the database needs any more.
package struct Retention: Sendable {
    /// Seconds since a segment was last written to.
    package var keep: UInt64 = 24 * 3600
    /// In bytes. A larger log gives up first what is only kept for its age, then what only an absent standby needs:
    /// that one has to be reseeded when it comes back.
    package var limit = 16 << 30
    package init() {}
}

import NIOCore
import Replication

/// Where the pair's register lives, as a node sees it: the witness, or later an etcd cluster. Used on one event loop,
/// and calls its delegate there.
///
/// It never repeats a request by itself: a repeated compare-and-set answers "lost" for what was won (rule R2).
package protocol Arbiter: AnyObject {
    var delegate: (any ArbiterDelegate)? { get set }
    func start()
    /// Asks, if connected; the answer, if one comes, names the request's number.
    func ask(_ request: RegisterRequest)
    /// From now on it is found elsewhere.
    func move(to address: SocketAddress)
    func close()
}

package protocol ArbiterDelegate: AnyObject {
    /// - Parameter id: the witness's own; the pair's register may live at another one (rule R12).
    func arbiterConnected(_ id: RandomID)
    /// Whatever was asked is neither won nor lost.
    func arbiterDisconnected(because reason: String)
    func arbiterAnswered(_ answer: RegisterAnswer)
}

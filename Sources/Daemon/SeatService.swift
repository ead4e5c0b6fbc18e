import Engine
import NIOCore
import Replication
import Transport
import Wire

/// What a seat's connection asks of the node. Called on the connection's event loop.
protocol SeatService: AnyObject, Sendable {
    var pairID: RandomID { get }
    /// Nil: taken, and answered later.
    func submit(_ request: PendingWrite) -> NotNow?
    func read(_ requests: [PendingRead])
    /// - Parameter times: how often the answer is to be sent.
    func status(for channel: any Channel, times: Int)
    func operate(_ operation: Twinline_Seat_V1_Operation, by identity: Identity, for channel: any Channel)
    func sawEpoch(_ epoch: Epoch)
}

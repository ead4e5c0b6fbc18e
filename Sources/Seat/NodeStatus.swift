import Replication
import Wire

/// How one node says it stands: what `twinline status` prints.
public struct NodeStatus: Equatable, Sendable {
    public enum Role: String, Sendable { case primary, standby, starting }

    /// The pair's name and its id, 32 hexadecimal digits.
    public var pair: String, pairID: String
    public var node: String
    public var role: Role
    /// It waits for `twinline init`; nothing below counts.
    public var isUnformatted: Bool
    public var epoch: UInt64
    /// Newest committed position.
    public var positionEpoch: UInt64, positionLSN: UInt64
    /// "paired" or "solo" as the register says; empty when it is not known.
    public var mode: String
    /// How far the log, this disk, the pair and the database are (LSN).
    public var appended: UInt64, synced: UInt64, committed: UInt64, applied: UInt64
    public var peerConnected: Bool
    public var peerSynced: UInt64, peerApplied: UInt64
    public var peerSilentMilliseconds: UInt64
    public var witnessConnected: Bool
    public var registerVersion: UInt64
    public var failoverPossible: Bool
    /// Why not, and what to do; empty when it is.
    public var failoverReason: String
    public var seats: Int
    /// 32 hexadecimal digits: the digest of the database at `applied`.
    public var digest: String
    public var version: String
    public var uptimeMilliseconds: UInt64
}

extension NodeStatus {
    init(_ message: Twinline_Seat_V1_Status) throws(MalformedMessage) {
        let role: Role =
            switch message.standing.role {
            case .primary: .primary
            case .standby: .standby
            case .starting, .unspecified, .UNRECOGNIZED: .starting
            }
        self.init(
            pair: message.pair, pairID: message.pairID.isEmpty ? "" : try RandomID(pair: message.pairID).description,
            node: message.node, role: role, isUnformatted: message.unformatted, epoch: message.standing.epoch,
            positionEpoch: message.standing.positionEpoch,
            positionLSN: message.standing.positionLsn, mode: message.mode, appended: message.appended,
            synced: message.synced, committed: message.committed, applied: message.applied,
            peerConnected: message.peerConnected, peerSynced: message.peerSynced, peerApplied: message.peerApplied,
            peerSilentMilliseconds: message.peerSilentMs, witnessConnected: message.witnessConnected,
            registerVersion: message.registerVersion, failoverPossible: message.failoverPossible,
            failoverReason: message.failoverReason, seats: Int(message.seats), digest: message.digest,
            version: message.version, uptimeMilliseconds: message.uptimeMs)
    }
}

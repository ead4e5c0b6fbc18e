import FoundationEssentials
import Glibc
import Replication
import Transport
import Wire

/// Nanoseconds of the machine's monotonic clock.
package func monotonicNow() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
}

/// Milliseconds since 1970.
package func wallClockNow() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

extension Node {
    func status() -> Twinline_Seat_V1_Status {
        var status = Twinline_Seat_V1_Status()
        status.pair = settings.pair
        status.pairID = pair.bytes
        status.node = settings.node.rawValue
        status.standing = Twinline_Seat_V1_Standing(standing)
        status.version = twinlineVersion
        status.uptimeMs = (now.nanoseconds - began.nanoseconds) / 1_000_000
        status.describe(certificates.own, at: wallClockNow())
        status.seats = UInt32(clamping: seatReach.here)
        status.slowestHeartbeatUs = delays.slowestHeartbeat(at: now) / 1000
        status.slowestConfirmationUs = delays.slowestConfirmation(at: now) / 1000
        if let replica = engine?.replica { status.describe(replica, at: now) }
        if let sent = snapshots.sent.withLock({ $0 }), engine?.replica.failoverObstacle == .standbyMissing {
            status.failoverReason = "the standby is being reseeded, \(Course.percent(sent.done, of: sent.total)); wait"
        }
        if let tip = engine?.digestAtTip, tip.lsn == engine?.replica.applied { status.digest = "\(tip.digest)" }
        return status
    }
}

extension Twinline_Seat_V1_Status {
    /// - Parameter now: milliseconds since 1970.
    mutating func describe(_ certificate: PeerCertificate?, at now: Int64) {
        if let certificate { certificateDaysLeft = certificate.daysLeft(at: now / 1000) }
    }

    mutating func describe(_ replica: Replica, at now: Instant) {
        let register = replica.record.register
        mode = register.mode == .paired ? "paired" : "solo"
        registerVersion = register.version
        appended = replica.log.last.lsn.value
        diskFull = !replica.hasRoom
        databaseStuck = replica.databaseStuck
        logFirst = replica.log.base.lsn.value + 1
        synced = replica.synced.value
        committed = replica.committed.value
        applied = replica.applied.value
        standing.positionEpoch = replica.log.epoch(at: replica.committed)?.value ?? 0
        standing.positionLsn = replica.committed.value
        peerConnected = replica.peer.linked
        peerSilentMs = (max(now, replica.peer.heardAt).nanoseconds - replica.peer.heardAt.nanoseconds) / 1_000_000
        witnessConnected = replica.witnessIsThere
        witnessID = replica.record.witness.id.bytes
        foreignWitnessID = replica.foreignWitness?.bytes ?? Data()
        if case .primary(let primary) = replica.role { forced = primary.forced }
        if case .primary(let primary) = replica.role, let session = primary.session {
            peerSynced = session.acked.value
            peerApplied = session.applied.value
        }
        let obstacle = replica.failoverObstacle
        failoverPossible = obstacle == nil
        failoverReason = obstacle.map { "\($0)" } ?? ""
    }
}

extension FailoverObstacle: CustomStringConvertible {
    public var description: String {
        switch self {
        case .standbyMissing: "the standby is not connected; start it, or look at its log"
        case .standbyCatchingUp(let behind): "the standby is catching up, \(behind) entries behind; wait"
        case .witnessUnreachable: "the witness is unreachable; start it, or check the route to it"
        case .registerUnsettled: "the register does not say paired yet; wait a moment"
        case .notLeading: "this node does not lead; ask the primary"
        case .handingOver: "a hand-over is under way; wait"
        case .foreignWitness(let id):
            "witness \(id) answers in place of this pair's; start the pair's own, or if that is lost for good: "
                + "twinline witness adopt"
        case .witnessRefuses(.unknownPair): "the witness holds no register for this pair; twinline witness adopt"
        case .witnessRefuses:
            "the witness's register is older than what was known, or its machine has rebooted; both nodes' word puts "
                + "that right within seconds, or else twinline witness adopt"
        case .standbyLacksWitness:
            "the standby does not reach the pair's witness; look at its status, log and configuration"
        case .standbyFull: "the standby's disk is full, or its database is stuck; look at its status"
        case .witnessesDiffer: "the standby goes by another witness than the primary; twinline witness adopt"
        case .flapping(let milliseconds):
            "the standby was lost three times within a minute; it may join again in \(milliseconds) ms"
        }
    }
}

/// Seats that reach the standby only: their reports can make the primary hand over, and nothing else.
extension Replica {
    public struct SeatsView: Equatable, Sendable {
        public var connected = 0
        public var hadAny = false
        /// Heard within the last moments, when the standby last said that many reach it only.
        public var alive = 0
        /// Of those that were here within the last minute more than half, for some time, say that they reach this node
        /// only: so many.
        public var stranded = 0
        /// Since when there are so many.
        public var strandedSince: Instant?
    }

    /// - Parameters:
    ///   - count: seats that are here.
    ///   - recent: those, and all others that were here within the last minute.
    ///   - stranded: those that are here and say that they do not reach the other node.
    public mutating func seatsConnected(_ count: Int, recent: Int = 0, stranded: Int = 0) -> [Effect] {
        step {
            $0.seats.connected = count
            $0.seats.hadAny = $0.seats.hadAny || count > 0
            $0.seats.stranded = stranded
            // One seat alone moves nothing.
            if stranded < 2 || stranded * 2 <= recent {
                $0.seats.strandedSince = nil
            } else if $0.seats.strandedSince == nil {
                $0.seats.strandedSince = $0.now
            }
        }
    }

    /// Seats from which something came within `strandedFor`: those whose cable was cut are connected for longer. To be
    /// told before the other node's word of stranded seats is.
    public mutating func seatsAlive(_ count: Int) -> [Effect] { step { $0.seats.alive = count } }

    /// At each heartbeat, as long as there are that many.
    mutating func reportStranded() {
        guard let since = seats.strandedSince, now >= since.advanced(byMilliseconds: timings.strandedFor) else {
            return
        }
        send(.stranded(seats: UInt64(clamping: seats.stranded)))
    }

    /// A planned switchover, if more seats are won by it than lost.
    mutating func strandedHeard(_ stranded: UInt64) {
        guard case .primary(let primary) = role, primary.handover == nil, failoverObstacle == nil,
            stranded > UInt64(clamping: seats.alive)
        else { return }
        beginHandover()
    }
}

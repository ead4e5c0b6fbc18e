import Engine
import Replication
import Transport
import Wire

/// What the node makes of who reaches it, and who reaches only the other one.
extension Node {
    func seatChanged(_ seat: Identity, _ change: SeatReach<Identity>.Change) {
        seatReach.note(change, of: seat, at: now)
        engine?.seatsChanged(seatReach)
    }

    /// Seats reach the other node only: how many reach this one?
    func weigh(_ envelope: PeerEnvelope) {
        let long = settings.timings.strandedFor * 1_000_000
        let moment = Instant(nanoseconds: now.nanoseconds > long ? now.nanoseconds - long : 0)
        seats.heard(since: moment, on: loop).assumeIsolated().whenSuccess {
            self.engine?.seatsAlive($0)
            self.engine?.receive(envelope)
        }
    }
}

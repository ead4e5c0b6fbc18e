import Synchronization
import Wire

/// How far a node that is being reseeded has come: written by the thread that does it, read by whoever asks.
final class ReseedView: Sendable {
    struct Sight: Sendable {
        /// In bytes.
        var received: UInt64 = 0
        /// 0: not known yet.
        var total: UInt64 = 0
        var doing = "looking for the other node"
    }
    private let sight = Mutex(Sight())

    var now: Sight { sight.withLock { $0 } }
    func change(_ change: (inout sending Sight) -> Void) { sight.withLock { change(&$0) } }
}

extension Twinline_Seat_V1_Reseeding {
    init(_ sight: ReseedView.Sight) {
        self.init()
        received = sight.received
        total = sight.total
        doing = sight.doing
    }
}

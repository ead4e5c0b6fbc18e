import Glibc
import Replication
import Synchronization

/// Whether a worker thread that is at work gets anywhere: an index build of minutes uses the processor, a call that
/// waits for a disk that has died does not.
final class Activity: Sendable {
    private let busySince = Atomic<UInt64>(0)
    private let clock = Atomic<Int32>(-1)

    /// On the worker's thread, before all else.
    func begin() {
        var id = clockid_t()
        if pthread_getcpuclockid(pthread_self(), &id) == 0 { clock.store(id, ordering: .releasing) }
    }

    /// On the worker's thread.
    func setBusy(_ isBusy: Bool) {
        busySince.store(isBusy ? monotonicNow().nanoseconds : 0, ordering: .relaxed)
    }

    /// Nil: it waits for orders.
    var busy: Instant? {
        let since = busySince.load(ordering: .relaxed)
        return since == 0 ? nil : Instant(nanoseconds: since)
    }

    /// Of the thread so far, in nanoseconds.
    var processorTime: UInt64 {
        let id = clock.load(ordering: .acquiring)
        var time = timespec()
        guard id != -1, clock_gettime(id, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Looks at a worker from time to time. Lives on the core's event loop.
struct StuckWatch {
    /// Less than that between two looks is none: to be woken and to look at a clock costs some microseconds.
    private static let noteworthy: UInt64 = 200_000

    private let activity: Activity
    private let patience: UInt64
    private var seen: UInt64 = 0
    private var movedAt = Instant(nanoseconds: 0)

    /// - Parameter patience: milliseconds.
    init(_ activity: Activity, patience: UInt64) { (self.activity, self.patience) = (activity, patience) }

    /// At work, and for so long nothing has come of it.
    mutating func isStuck(at now: Instant) -> Bool {
        guard let since = activity.busy else { return false }
        let used = activity.processorTime
        if used > seen + Self.noteworthy { (seen, movedAt) = (used, now) }
        return now >= max(since, movedAt).advanced(byMilliseconds: patience)
    }
}

import Glibc
import Replication

/// Holds a thread to so many bytes a second, without bursts: what shares its disk and its network must not feel it.
struct Pace {
    private let bytesPerSecond: Double
    /// When all that went so far will have gone at that rate.
    private var due: UInt64 = 0

    init(bytesPerSecond: UInt64) { self.bytesPerSecond = Double(bytesPerSecond) }

    /// Sleeps as long as so many bytes take, and does not make up for time in which nothing went.
    mutating func spend(_ bytes: Int) {
        let now = monotonicNow().nanoseconds
        due = max(due, now) + UInt64(Double(bytes) / bytesPerSecond * 1e9)
        Self.sleep(nanoseconds: due - now)
    }

    static func sleep(nanoseconds: UInt64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var rest = timespec()
        while nanosleep(&time, &rest) != 0 && errno == EINTR { time = rest }
    }
}

/// How far something has come that takes long, for the log and for people.
struct Course {
    private let began = monotonicNow()
    private let start: UInt64
    private var said: Instant

    /// - Parameter start: what was there before.
    init(from start: UInt64 = 0) { (self.start, said) = (start, monotonicNow()) }

    /// Percent, megabytes a second and the time left, as text; nil if that was said less than five seconds ago.
    mutating func report(_ done: UInt64, of total: UInt64) -> (percent: String, rate: String, left: String)? {
        let now = monotonicNow()
        guard now >= said.advanced(byMilliseconds: 5000) else { return nil }
        said = now
        let seconds = Double(now.nanoseconds - began.nanoseconds) / 1e9
        let rate = Double(done - min(start, done)) / max(seconds, 0.001)
        let left = rate > 0 ? "\(Int(Double(total - min(done, total)) / rate)) s" : "?"
        return (Self.percent(done, of: total), "\(Int(rate / 1e6)) MB/s", left)
    }

    /// Rounded down, so that 100 % is said only of all.
    static func percent(_ done: UInt64, of total: UInt64) -> String {
        total == 0 ? "0 %" : "\(UInt64(Double(done) / Double(total) * 100)) %"
    }
}

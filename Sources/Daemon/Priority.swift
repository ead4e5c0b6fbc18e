import Glibc
import NIOCore

/// Which threads the system runs first when there is more to do than cores: event loops, which have little to do and
/// must do it at once, before what works on a long entry or a large index.
enum Priority {
    /// Of event loops; below 0 only with leave to (RLIMIT_NICE, CAP_SYS_NICE). Without it they are like all others.
    private static let loops: CInt = -10
    /// Of what nobody waits for.
    static let background: CInt = 10

    /// For the calling thread, not the process: Linux knows no difference (setpriority(2), "C library/kernel
    /// differences").
    static func set(_ niceness: CInt) { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }

    static func raise(_ loops: [any EventLoop]) {
        for loop in loops { loop.execute { set(Self.loops) } }
    }
}

import Glibc
import Logging

/// Keeps the machine's cores from sleeping between the steps of a transaction.
///
/// A request passes some eight threads on two machines, each of which sleeps until the one before it wakes it. A core
/// that has gone to sleep takes tens of microseconds to come back: together more than the disks need. Linux lets a
/// process ask for none of that for as long as it holds `/dev/cpu_dma_latency` open (Documentation/power/
/// pm_qos_interface.rst); idle cores then wait in a loop, which costs power. So it is held while there is work, and let
/// go of a moment later.
final class CoreWaker {
    /// Looks without new work before the cores may sleep again.
    private static let patience = 3

    private let device: String
    private let log: Logger
    private var held: CInt?
    private var idle = 0
    private var isRefused = false

    /// - Parameter device: another file in a test.
    init(_ device: String = "/dev/cpu_dma_latency", log: Logger) { (self.device, self.log) = (device, log) }

    deinit { release() }

    /// To be called about once a second.
    /// - Parameter hasWorked: whether there was work since the last call.
    func look(hasWorked: Bool) {
        idle = hasWorked ? 0 : idle + 1
        if hasWorked { hold() } else if idle >= Self.patience { release() }
    }

    private func hold() {
        guard held == nil, !isRefused else { return }
        let file = open(device, O_WRONLY | O_CLOEXEC)
        // Microseconds that a core may take to wake.
        var latency: Int32 = 0
        guard file >= 0, write(file, &latency, MemoryLayout<Int32>.size) == MemoryLayout<Int32>.size else {
            isRefused = true
            log.info(
                "the cores may sleep between two steps of a transaction, which makes each slower",
                metadata: ["reason": "\(device): \(String(cString: strerror(errno)))"])
            if file >= 0 { close(file) }
            return
        }
        held = file
    }

    private func release() {
        if let held { close(held) }
        held = nil
    }
}

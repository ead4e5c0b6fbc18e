import Dispatch
import Foundation

extension Process {
    /// Waits asleep. Foundation's `waitUntilExit` runs the thread's run loop instead, which, where nothing is to be
    /// watched, returns at once again and again, and takes a whole core until the process ends.
    func waitForEnd() {
        let ended = DispatchSemaphore(value: 0)
        terminationHandler = { _ in ended.signal() }
        // It may have ended before anybody was to be told.
        if isRunning { ended.wait() }
    }
}

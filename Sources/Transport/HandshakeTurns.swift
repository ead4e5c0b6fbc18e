import NIOCore
import Planted

/// Shares an event loop between handshakes and whatever else is due on it.
///
/// A handshake takes the loop for half a millisecond, so those of a thousand seats that come back together would keep a
/// node from its heartbeats for longer than the other node's patience. They take turns instead: after some
/// milliseconds of them the loop does everything else first. What has begun is finished before more is begun: were all
/// of a crowd half done when their time is over, all of it would be for nothing, and they would come again. Lives on
/// that loop.
package final class HandshakeTurns {
    /// Handshakes may hold the loop so long …
    private static let share = TimeAmount.milliseconds(4)
    /// … and then wait so long.
    private static let pause = TimeAmount.milliseconds(1)

    private let loop: any EventLoop
    private let clock: () -> NIODeadline
    private var waiting = CircularBuffer<() -> Void>(), begun = CircularBuffer<() -> Void>()
    private var spent = TimeAmount.zero
    private var isPaused = false

    /// - Parameter clock: another one than the system's, for a test.
    package init(_ loop: any EventLoop, clock: @escaping () -> NIODeadline = NIODeadline.now) {
        (self.loop, self.clock) = (loop, clock)
    }

    /// Does one step, now or when its turn comes.
    /// - Parameter hasBegun: it is not the handshake's first one.
    package func take(hasBegun: Bool = false, _ step: @escaping () -> Void) {
        if isPaused || !waiting.isEmpty || !begun.isEmpty {
            if hasBegun, !planted("beginAllHandshakes") { begun.append(step) } else { waiting.append(step) }
        } else {
            run(step)
        }
    }

    private func run(_ step: () -> Void) {
        let began = clock()
        step()
        spent = spent + (clock() - began)
        guard spent >= Self.share, !isPaused else { return }
        isPaused = true
        loop.assumeIsolated().scheduleTask(in: Self.pause) { self.goOn() }
    }

    private func goOn() {
        (isPaused, spent) = (false, .zero)
        // One that is new, always: whoever keeps going on must not keep the others out.
        if let step = waiting.popFirst() { run(step) }
        while !isPaused, let step = begun.popFirst() ?? waiting.popFirst() { run(step) }
    }
}

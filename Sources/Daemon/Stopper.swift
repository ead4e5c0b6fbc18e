import Synchronization

/// How a process is asked to end orderly: by a signal, or by whoever runs it. Each part of its life says in turn what
/// is to be done then; a request that came before it did counts at once. In the same way it is asked to reread its
/// certificates.
package final class Stopper: Sendable {
    private struct State {
        var requested = false
        var handler: (@Sendable () -> Void)?
        var reread: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    package init() {}

    package func request() {
        let handler = state.withLock { state in
            state.requested = true
            return state.handler
        }
        handler?()
    }

    /// Asked before anybody has read them, it changes nothing.
    package func requestReread() { state.withLock { $0.reread }?() }

    func whenRereadRequested(_ handler: @escaping @Sendable () -> Void) { state.withLock { $0.reread = handler } }

    func whenRequested(_ handler: @escaping @Sendable () -> Void) {
        let now = state.withLock { state in
            state.handler = handler
            return state.requested
        }
        if now { handler() }
    }
}

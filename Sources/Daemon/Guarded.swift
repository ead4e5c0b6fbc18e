import Glibc

/// A value behind a lock, with a condition to wait on for it: how event loops hand work to worker threads.
///
/// `@unchecked Sendable`: the value is touched only while the mutex is held, and mutex and condition never move, since
/// they are allocated once and freed with this object.
final class Guarded<Value: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// `change` returns true as second part to wake the thread that waits.
    @discardableResult
    func withLock<Result>(_ change: (inout Value) -> (Result, wake: Bool)) -> Result {
        pthread_mutex_lock(mutex)
        let (result, wake) = change(&value)
        pthread_mutex_unlock(mutex)
        if wake { pthread_cond_signal(condition) }
        return result
    }

    /// Waits until `take` returns something.
    func wait<Result>(_ take: (inout Value) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = take(&value) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }
}

/// Orders for one worker thread, which takes all that wait at once.
final class Mailbox<Order: Sendable>: Sendable {
    private struct State { var orders: [Order] = []; var waiting = false }
    private let state = Guarded(State())

    func post(_ order: Order) {
        state.withLock { state in
            state.orders.append(order)
            return ((), wake: state.waiting)
        }
    }

    var isEmpty: Bool { state.withLock { ($0.orders.isEmpty, wake: false) } }

    /// What waits now, perhaps nothing.
    func takeWaiting() -> [Order] {
        state.withLock { state in
            defer { state.orders = [] }
            return (state.orders, wake: false)
        }
    }

    /// Waits for something.
    func takeAll() -> [Order] {
        state.wait { state in
            state.waiting = state.orders.isEmpty
            guard !state.orders.isEmpty else { return nil }
            defer { state.orders = [] }
            return state.orders
        }
    }
}

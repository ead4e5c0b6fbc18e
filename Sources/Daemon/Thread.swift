import Glibc

/// Starts a named thread. It runs until `body` returns.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let start = Unmanaged.passRetained(ThreadStart(name, body)).toOpaque()
    let result = pthread_create(&thread, &attributes, { pointer in
        guard let pointer else { return nil }
        let start = Unmanaged<ThreadStart>.fromOpaque(pointer).takeRetainedValue()
        pthread_setname_np(pthread_self(), String(start.name.prefix(15)))
        start.body()
        return nil
    }, start)
    pthread_attr_destroy(&attributes)
    precondition(result == 0, "no thread for \(name): errno \(result)")
}

private final class ThreadStart {
    let name: String
    let body: @Sendable () -> Void
    init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
}

import Glibc

/// Starts a named thread. It runs until `body` returns.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let start = Unmanaged.passRetained(ThreadStart(name, body)).toOpaque()
    let result = pthread_create(
        &thread, &attributes,
        { pointer in
            guard let pointer else { return nil }
            let start = Unmanaged<ThreadStart>.fromOpaque(pointer).takeRetainedValue()
            nameThisThread(start.name)
            start.body()
            return nil
        }, start)
    pthread_attr_destroy(&attributes)
    precondition(result == 0, "no thread for \(name): errno \(result)")
}

/// For `top -H` and the like; nobody minds if it fails.
private func nameThisThread(_ name: String) {
    guard let file = fopen("/proc/thread-self/comm", "w") else { return }
    fputs(name, file)
    fclose(file)
}

private final class ThreadStart {
    let name: String
    let body: @Sendable () -> Void
    init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
}

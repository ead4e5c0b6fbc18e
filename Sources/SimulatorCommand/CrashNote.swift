import Glibc

/// What a trap leaves behind: a seed that makes the program crash has no verdict, and would not be known otherwise.
///
/// `nonisolated(unsafe)`: written between two runs on the one thread there is, and read by its signal handler, which
/// may do nothing but write: in a process that crashes no memory can be had.
enum CrashNote {
    /// Room for two numbers of twenty digits.
    private static let capacity = 128
    nonisolated(unsafe) private static let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    nonisolated(unsafe) private static var count = 0
    private static let signals = [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE]
    /// An endless recursion leaves none of the usual one.
    private static let stackSize = 64 << 10

    /// Written to the standard output should the program crash from here on.
    static func set(_ seed: UInt64) {
        let text = Array("seed \(seed): CRASH, without a verdict\n    twinline-sim --seed \(seed)\n".utf8)
        bytes.update(from: text, count: text.count)
        count = text.count
    }

    static func install(for seed: UInt64) {
        set(seed)
        var stack = stack_t()
        stack.ss_sp = .allocate(byteCount: stackSize, alignment: 16)
        stack.ss_size = stackSize
        sigaltstack(&stack, nil)
        for signal in signals {
            var action = sigaction()
            // Once: then the signal does what it does by itself, and the shell sees how the program has ended.
            action.sa_flags = SA_ONSTACK | CInt(bitPattern: UInt32(SA_RESETHAND))
            action.__sigaction_handler.sa_handler = { signal in
                _ = write(1, CrashNote.bytes, CrashNote.count)
                raise(signal)
            }
            sigaction(signal, &action, nil)
        }
    }
}

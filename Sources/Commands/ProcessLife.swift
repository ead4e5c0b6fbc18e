import ArgumentParser
import Daemon
import Dispatch
import Foundation
import Logging

/// What `twinline node` and `twinline witness` have in common as processes.
struct ProcessLife: ParsableArguments {
    @Option(help: "How much to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    @Flag(help: .hidden)
    var endWithParent = false

    func validate() throws {
        guard let logLevel, Logger.Level(rawValue: logLevel) == nil else { return }
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(logLevel)' is no log level; write one of \(levels)")
    }

    /// - Parameter configured: what the configuration says; the command line outranks it.
    func logger(_ label: String, configured: Logger.Level) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel.flatMap(Logger.Level.init(rawValue:)) ?? configured
        return logger
    }

    /// SIGTERM and SIGINT ask for an orderly end; a second one gets its usual way. SIGHUP has certificates reread.
    func stopper() -> Stopper {
        let stopper = Stopper()
        for signal in [SIGTERM, SIGINT] {
            Self.take(signal) {
                Foundation.signal(signal, SIG_DFL)
                stopper.request()
            }
        }
        Self.take(SIGHUP) { stopper.requestReread() }
        // A peer that goes away while it is written to is an error of that connection, not of the process.
        Foundation.signal(SIGPIPE, SIG_IGN)
        if endWithParent { Self.endWithStandardInput() }
        return stopper
    }

    private static func take(_ signal: CInt, _ handler: @escaping @Sendable () -> Void) {
        Foundation.signal(signal, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: signal, queue: .global())
        source.setEventHandler(handler: handler)
        source.resume()
        SignalSources.shared.keep(source)
    }

    /// For processes of a demo or a benchmark: whatever ends their parent ends them, since their input then closes.
    static func endWithStandardInput() {
        let thread = Thread {
            while !FileHandle.standardInput.availableData.isEmpty {}
            _exit(0)
        }
        thread.start()
    }
}

/// Signal sources work as long as somebody holds them.
private final class SignalSources: Sendable {
    static let shared = SignalSources()
    private let sources = Guard()

    func keep(_ source: any DispatchSourceSignal) { sources.keep(source) }

    /// `@unchecked Sendable`: the array is changed under the lock only.
    private final class Guard: @unchecked Sendable {
        private let lock = NSLock()
        private var sources: [any DispatchSourceSignal] = []
        func keep(_ source: any DispatchSourceSignal) { lock.withLock { sources.append(source) } }
    }
}

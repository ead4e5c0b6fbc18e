import Arbitration
import DurableLog
import Engine
import Logging
import NIOCore
import NIOPosix
import Replication
import Store
import Transport
import Wire

/// A node's process: threads, sockets and the core between them.
///
/// With an empty data directory it waits, listening, for `twinline init` to format it, and goes on as a node then.
package final class NodeDaemon: Sendable {
    private let settings: NodeSettings
    private let log: Logger
    private let group: MultiThreadedEventLoopGroup
    private let ended: EventLoopPromise<ExitCode>

    package init(_ settings: NodeSettings, log: Logger) {
        self.settings = settings
        self.log = log
        group = MultiThreadedEventLoopGroup(numberOfThreads: settings.loops)
        ended = group.any().makePromise()
    }

    /// Runs until stopped or failed.
    package func run(_ stopper: Stopper) async -> ExitCode {
        do {
            let data = try DataDirectory(path: settings.data)
            let certificates = CertificateWatch(settings.tls, log: log)
            let door = try await SeatDoor(settings, certificates, log: log, group: group)
            let starter = try NodeStarter(settings, certificates, log: log, group: group, ended: ended)
            let looks = certificates.start(on: door.core)
            defer { looks.cancel() }
            stopper.whenRereadRequested { certificates.reread() }
            if try data.file() == nil {
                log.notice(
                    "the data directory is empty; waiting for `twinline init`", metadata: ["data": "\(data.path)"])
                guard let file = await door.waitForFormat(stopper) else { return .orderly }
                try data.format(file.file, segmentSize: settings.segmentSize)
                file.done()
                log.notice("formatted", metadata: ["pair-id": "\(file.file.pairID)"])
            }
            let running = try await start(data, door, starter)
            stopper.whenRequested { running.stop() }
            let code = try await ended.futureResult.get()
            await door.close()
            // Until here the directory's lock is held.
            withExtendedLifetime(data) {}
            return code
        } catch let error as DataError {
            log.critical("\(error)")
            return error.exitCode
        } catch let error as TransportError {
            log.critical("\(error)")
            return .unavailable
        } catch {
            log.critical("\(error)")
            return .unexpected
        }
    }

    /// What a running node can be told from outside its core.
    private struct Running: Sendable {
        let core: NIOLoopBound<Node>
        let ended: EventLoopPromise<ExitCode>

        func stop() {
            core.eventLoop.execute { core.value.stop { ended.succeed(.orderly) } }
        }
    }

    private func start(_ data: DataDirectory, _ door: SeatDoor, _ starter: NodeStarter) async throws -> Running {
        let opened = try data.open(pair: settings.pair, node: settings.node, segmentSize: settings.segmentSize)
        let core = try await starter.start(opened, door)
        return Running(core: core, ended: ended)
    }
}

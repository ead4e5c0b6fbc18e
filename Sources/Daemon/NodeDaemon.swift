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
/// Its data directory says what it is to do. Empty: it waits, listening, for `twinline init` to format it. Being
/// reseeded: it fetches a copy of the other node's database, and there is no node until that is installed. Else it is a
/// node, until it is stopped or has to be reseeded.
package final class NodeDaemon: Sendable {
    private let settings: NodeSettings
    private let log: Logger
    private let group: MultiThreadedEventLoopGroup

    package init(_ settings: NodeSettings, log: Logger) {
        self.settings = settings
        self.log = log
        group = MultiThreadedEventLoopGroup(numberOfThreads: settings.loops)
    }

    /// Runs until stopped or failed.
    package func run(_ stopper: Stopper) async -> ExitCode {
        do {
            let data = try DataDirectory(path: settings.data)
            let certificates = CertificateWatch(settings.tls, log: log)
            let door = try await SeatDoor(settings, certificates, log: log, group: group)
            Priority.raise(door.loops)
            let starter = try NodeStarter(settings, certificates, log: log, group: group)
            let copies = try certificates.connections(.client, [.copy])
            let looks = certificates.start(on: door.core)
            defer { looks.cancel() }
            stopper.whenRereadRequested { certificates.reread() }
            while true {
                let code: ExitCode?
                if let file = try data.file() {
                    try data.check(file, pair: settings.pair, node: settings.node)
                    code =
                        file.isReseeding
                        ? try await reseed(data, file, door, starter, copies, stopper)
                        : try await serve(data, door, starter, stopper)
                } else {
                    try data.requireNoEntries()
                    code = try await format(data, door, stopper)
                }
                guard let code else { continue }
                await door.close()
                // Until here the directory's lock is held.
                withExtendedLifetime(data) {}
                return code
            }
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

    // Each of these does one thing that the data directory asks for. Nil: look what it asks for next.

    private func format(_ data: DataDirectory, _ door: SeatDoor, _ stopper: Stopper) async throws -> ExitCode? {
        log.notice("the data directory is empty; waiting for `twinline init`", metadata: ["data": "\(data.path)"])
        guard let request = await door.waitForFormat(stopper) else { return .orderly }
        try data.format(request.file, segmentSize: settings.segmentSize)
        request.done()
        log.notice("formatted", metadata: ["pair-id": "\(request.file.pairID)"])
        return nil
    }

    private func reseed(
        _ data: DataDirectory, _ file: NodeFile, _ door: SeatDoor, _ starter: NodeStarter, _ copies: OpenConnections,
        _ stopper: Stopper
    ) async throws -> ExitCode? {
        log.notice(
            """
            this node is being reseeded: it fetches a copy of the other node's database, and neither follows nor \
            claims before that is whole
            """, metadata: ["disk": "\(file.record.disk)"])
        let view = ReseedView()
        let reseeder = Reseeder(settings, on: door.core, copies)
        door.reseeding(file, view)
        stopper.whenRequested { reseeder.stop() }
        let endOfTestimony = try await starter.testify(from: file, on: door.core)
        defer { endOfTestimony?() }
        switch await reseeder.run(data, file, view, log: log) {
        case .installed: return nil
        case .stopped: return .orderly
        case .failed(let code): return code
        }
    }

    private func serve(
        _ data: DataDirectory, _ door: SeatDoor, _ starter: NodeStarter, _ stopper: Stopper
    ) async throws -> ExitCode? {
        let opened = try data.open(pair: settings.pair, node: settings.node, segmentSize: settings.segmentSize)
        let began = opened.log.last
        let running = try await starter.start(opened, in: data, door)
        stopper.whenRequested { running.stop() }
        switch try await running.ended.futureResult.get() {
        case .exit(let code): return code
        case .reseed:
            door.shut()
            try await running.close()
            // The threads have ended: what they owned is this one's again.
            if let salvage = try Salvage.parted(opened, in: data, began: began) { try write(salvage) }
        case .salvage(let common, let applied):
            door.shut()
            try await running.close()
            let salvage = Salvage(directory: data, file: opened.file, common: common, applied: applied)
            try write(salvage)
        }
        try data.beginReseeding(pair: settings.pair, node: settings.node, disk: .random())
        return nil
    }

    private func write(_ salvage: Salvage) throws {
        let written = try salvage.write(at: wallClockNow())
        log.critical(
            salvage.isExact
                ? "what was answered here and the other node lacks is in this file; look through it"
                : "what was answered here and the other node may lack is in this file; look through it",
            metadata: ["file": "\(written.path)", "entries": "\(written.entries)"])
    }
}

extension RandomID {
    static func random() -> RandomID {
        var random = SystemRandomNumberGenerator()
        return RandomID(high: random.next(), low: random.next())
    }
}

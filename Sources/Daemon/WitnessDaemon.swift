import Arbitration
import DurableLog
import Glibc
import Logging
import NIOCore
import NIOPosix
import Replication
import Transport
import Wire

package struct WitnessSettings: Sendable {
    package var listen: [SocketAddress]
    package var data: String
    package var tls: TLSFiles
    package init(listen: [SocketAddress], data: String, tls: TLSFiles) {
        self.listen = listen
        self.data = data
        self.tls = tls
    }
}

/// The witness's process.
package final class WitnessDaemon: Sendable {
    private let settings: WitnessSettings
    private let log: Logger

    package init(_ settings: WitnessSettings, log: Logger) {
        self.settings = settings
        self.log = log
    }

    /// Runs until asked to stop, or until its record can't be kept.
    package func run(_ stopper: Stopper) async -> ExitCode {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let ended = loop.makePromise(of: ExitCode.self)
        let (settings, log) = (settings, log)
        // Whatever stops it before: a promise that nobody keeps is a programmer's error to its loop.
        defer { ended.succeed(.unexpected) }
        do {
            let directory = try DataDirectory.locked(settings.data)
            OpenFiles.raiseLimit()
            let refusals = RefusalLog(log)
            let server = try await loop.submit { () throws -> NIOLoopBound<WitnessServer> in
                let server = try WitnessServer(
                    on: loop, directory: directory, log: log,
                    failed: { error in
                        log.critical("\(error)")
                        ended.succeed(DataError.log(error).exitCode)
                    })
                server.dismissed = { channel, name, reason in
                    refusals.note(channel.remoteAddress, .peerRefused(.notAdmitted(reason), of: name), ended: true)
                }
                log.notice("witness", metadata: ["id": "\(server.id)", "pairs": "\(server.pairs)"])
                return NIOLoopBound(server, eventLoop: loop)
            }.get()
            let certificates = CertificateWatch(settings.tls, log: log)
            let listener = try await Listener.bind(
                settings.listen, on: group, try certificates.connections(.server, [.witness]),
                options: WitnessServer.connectionOptions, refused: { refusals.note($0, $1) },
                accept: { channel, identity, _ throws(PeerFault) in
                    do { try server.value.accept(channel, identity) } catch { throw .notAdmitted("\(error)") }
                })
            certificates.start(on: loop)
            stopper.whenRereadRequested { certificates.reread() }
            for address in listener.addresses { log.info("listening", metadata: ["address": "\(address)"]) }
            stopper.whenRequested { ended.succeed(.orderly) }
            let code = try await ended.futureResult.get()
            await listener.close()
            try await loop.submit { server.value.close() }.get()
            return code
        } catch let error as DataError {
            log.critical("\(error)")
            return error.exitCode
        } catch let error as WitnessError {
            log.critical("\(error)")
            switch error {
            case .disk(let error): return DataError.log(error).exitCode
            case .unreadable: return .damaged
            case .nodesDirectory: return .configuration
            }
        } catch {
            log.critical("\(error)")
            return error is TransportError ? .unavailable : .unexpected
        }
    }
}

import DurableLog
import Glibc
import Logging
import NIOCore
import NIOPosix
import Replication
import Transport
import Wire

/// The witness process: keeps registers, answers nodes, and nothing else. All of it on one event loop: a change is one
/// record of a page or two, written and synced in place, and nobody waits for a witness but a claim.
package final class WitnessServer {
    private let loop: any EventLoop
    private let log: Logger
    private var witness: Witness
    private let file: WitnessRecord
    private var clients: [UInt64: (channel: any Channel, name: String)] = [:]
    private var speakers = Speakers()
    private var nextClient: UInt64 = 0
    private let failed: (LogError) -> Void
    /// For the log: a connection is ended for what came over it.
    package var dismissed: (any Channel, _ name: String, _ reason: String) -> Void = { _, _, _ in }

    /// Opens the record in `directory`, or makes it on an empty one, and counts this start.
    /// - Parameter failed: the record can't be kept any more; the process must end.
    package init(
        on loop: any EventLoop, directory: any DiskDirectory, log: Logger, failed: @escaping (LogError) -> Void
    ) throws(WitnessError) {
        self.loop = loop
        self.log = log
        self.failed = failed
        try Self.requireNoNode(in: directory)
        file = try WitnessRecord(in: directory, boot: Self.bootID()) {
            UInt64.random(in: 0 ... .max)
        }
        witness = file.witness
    }

    private static func requireNoNode(in directory: any DiskDirectory) throws(WitnessError) {
        let names: [String]
        do throws(LogError) { names = try directory.names() } catch { throw .disk(error) }
        guard !names.contains("record"), !names.contains(where: { $0.hasPrefix("copy-") }) else {
            throw .nodesDirectory(path: directory.path)
        }
    }

    package var id: RandomID { witness.record.id }
    package var pairs: Int { witness.record.registers.count }

    /// For the listener: its peers are two nodes and a few ops, and all that is said here is short.
    package static var connectionOptions: ConnectionOptions {
        var options = ConnectionOptions()
        options.strangerLimit = 256
        options.connectionsPerPeer = 32
        options.firstFrameLimit = 4096
        options.unsentLimit = 1 << 20
        return options
    }

    /// For the listener: takes a connection of a node, or of ops for installing.
    package func accept(_ channel: any Channel, _ identity: Identity) throws {
        nextClient += 1
        let client = nextClient
        clients[client] = (channel, "\(identity)")
        // Ops may read, and install a new pair's register.
        let node: NodeName? = if case .node(let name) = identity.role { name } else { nil }
        let bound = NIOLoopBound(self, eventLoop: loop)
        try channel.pipeline.syncOperations.addHandler(
            FrameHandler(
                frame: { bound.value.received($0, from: client, of: identity.pair, node: node) },
                closed: { _ in bound.value.left(client) }))
        send(.welcome(witness: witness.record.id, start: witness.start), to: client)
    }

    /// Sends all away.
    package func close() {
        for client in clients.values { client.channel.close(promise: nil) }
    }

    private func left(_ client: UInt64) {
        clients[client] = nil
        speakers.left(client)
    }

    private func received(_ bytes: [UInt8], from client: UInt64, of name: String, node: NodeName?) {
        // It may be refused already, and still speak.
        guard clients[client] != nil else { return }
        do throws(MalformedMessage) {
            let envelope = try WitnessEnvelope(try decoded(bytes))
            guard envelope.witness == witness.record.id else { throw MalformedMessage(field: "witness_id") }
            switch envelope.request.action {
            case .read, .install: break
            case .compareAndSet: guard node != nil else { throw MalformedMessage(field: "action") }
            case .testify(let said): guard said.node == node else { throw MalformedMessage(field: "node") }
            }
            if let node, let silent = speakers.heard(node, envelope.request.number.process, from: client, at: .now()) {
                guard silent != client else { return refuse(client, node, "already, and alive") }
                refuse(silent, node, "now")
            }
            perform(
                witness.receive(
                    envelope.request, pair: envelope.pair, named: name, start: envelope.start, client: client))
        } catch {
            dismiss(client, because: "it said what can't be: \(error.field)")
        }
    }

    private func refuse(_ client: UInt64, _ node: NodeName, _ since: String) {
        dismiss(
            client,
            because: "another process is node \(node) \(since); two with one certificate must never run: stop one")
    }

    private func dismiss(_ client: UInt64, because reason: String) {
        guard let (channel, name) = clients.removeValue(forKey: client) else { return }
        speakers.left(client)
        dismissed(channel, name, reason)
        Dismissal.of(channel, because: reason)
    }

    private func perform(_ effects: [Witness.Effect]) {
        for effect in effects {
            switch effect {
            case .answer(let client, let answer): send(.answer(answer), to: client)
            case .save(let record):
                do throws(LogError) {
                    try file.save(record, isTrusted: witness.cautious.isEmpty)
                } catch { return failed(error) }
                perform(witness.recordSaved())
            }
        }
    }

    private func send(_ reply: WitnessReply, to client: UInt64) {
        guard let channel = clients[client]?.channel else { return }
        var buffer = channel.allocator.buffer(capacity: 256)
        buffer.writeFrame(encoded(Twinline_Witness_V1_WitnessAnswer(reply)))
        channel.writeAndFlush(buffer, promise: nil)
    }

    /// Names the time since the machine last started. Empty where the system doesn't say, and then each start counts as
    /// the machine's: to be cautious costs the nodes' testimony, not to be could cost an answer.
    private static func bootID() -> String {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "r") else { return "" }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 64)
        guard fgets(&buffer, 64, file) != nil else { return "" }
        return String(decoding: buffer.prefix { $0 > 32 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

package enum WitnessError: Error, CustomStringConvertible {
    case disk(LogError)
    case unreadable(path: String)
    case nodesDirectory(path: String)

    package var description: String {
        switch self {
        case .disk(.damaged(let path, let offset, let reason)):
            "\(path), offset \(offset): \(reason). The disk lost what it had promised to keep: start a witness on an "
                + "empty directory, then twinline witness adopt"
        case .disk(let error): "\(error)"
        case .nodesDirectory(let path):
            "\(path) holds a node's data; nothing was changed; check `data` in the configuration"
        case .unreadable(let path):
            "\(path) holds a witness's record that this program can't read; update the program, or start a new witness"
                + " on an empty directory and adopt it"
        }
    }
}

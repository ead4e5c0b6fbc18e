import Foundation
import Logging
import NIOCore
import NIOEmbedded
import Replication
import Transport
import Wire

@testable import Daemon

/// A node's port, as the other node reaches it. Behind the link is the protocol itself, with a disk that is always done
/// at once; what the protocol halts for, as between two primaries, ends that node, and another takes its place.
final class NodePort: Port, PeerLinkDelegate {
    private let pair = RandomID(high: 1, low: 2)
    private let loop = EmbeddedEventLoop()
    private let refusals = RefusalLog(Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    private let link: PeerLink
    private let long = LongMessageThread()
    private var work = LongMessageThread.Work()
    private var replica: Replica
    private var process: UInt64 = 1
    private var heard = 0
    var reached: Int { heard }

    init(_ tls: TLSContext) {
        link = PeerLink(
            on: loop, to: [], dialer: Dialer(tls: tls), pair: pair, peer: .a, process: 1, heartbeat: 50, long: long,
            log: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        replica = Self.replica()
        link.delegate = self
    }

    private static func replica() -> Replica {
        let disks = PerNode(a: RandomID(high: 3, low: 3), b: RandomID(high: 4, low: 4))
        let register = Register(
            version: 1, epoch: Epoch(5), primary: .a, mode: .paired, disks: disks, starts: PerNode(a: 1, b: 1),
            floor: .zero)
        let record = NodeRecord(
            epoch: Epoch(5), claimed: Epoch(4), disk: disks.b, starts: 1, register: register,
            witness: WitnessChoice(RandomID(high: 5, low: 5)))
        return Replica(
            name: .b, record: record, log: EpochTable(), applied: .zero, process: 9,
            spareDisk: RandomID(high: 6, low: 6), now: Instant(nanoseconds: 0))
    }

    var corpus: [[UInt8]] {
        let log = EpochTable(
            base: Position(Epoch(1), LSN(7)), starts: [Position(Epoch(2), LSN(8)), Position(Epoch(5), LSN(200))],
            last: Position(Epoch(5), LSN(300)))
        let disk = RandomID(high: 3, low: 3), witness = WitnessChoice(RandomID(high: 5, low: 5), number: 1)
        let hello = Hello(node: .a, leads: true, synced: .zero, disk: disk, starts: 2, registerVersion: 1)
        let entry = Entry(
            position: Position(Epoch(5), LSN(1)), kind: .mark, schemaVersion: 1, digest: Digest(7), payload: [])
        let frame = EntryFrame(encoding: entry, chainBefore: 0, knownSynced: .zero)
        // What the node behind the link calls its first join.
        let session = UniqueNumber(process: 9, counter: 1)
        let bodies: [Message.Body] = [
            .hello(hello), .joinAccepted(common: .zero), .joinRefused(.flapping), .append(.empty, committed: LSN(1)),
            .join(Join(log: log, synced: LSN(299), disk: disk, starts: 4, witness: witness)),
            .heartbeat(committed: LSN(1), synced: LSN(1), applied: .zero), .confirm(round: 7), .confirmed(round: 7),
            .acknowledge(synced: LSN(1), applied: .zero), .handOver(through: LSN(1)), .stale, .fetch(log),
            .adopt(witness), .adopted(witness, registerVersion: 3),
        ]
        var envelopes = bodies.map { PeerEnvelope(Message(Epoch(5), session, $0), pair: pair, process: process) }
        let entries = Message(Epoch(5), session, .append(Run([frame]), committed: LSN(1)))
        envelopes.append(PeerEnvelope(entries, frames: [frame]))
        let lent = Message(Epoch(5), .none, .fetched(Run([frame]), last: frame.position))
        envelopes.append(PeerEnvelope(lent, frames: [frame]))
        var messages = envelopes.map { encoded(Twinline_Node_V1_PeerMessage($0)) }
        let long = messages[messages.count - 1]
        for range in [0..<long.count / 2, long.count / 2..<long.count] {
            var part = Twinline_Node_V1_PeerMessage()
            (part.part.offset, part.part.length) = (UInt64(range.lowerBound), UInt64(long.count))
            part.part.bytes = Data(long[range])
            messages.append(encoded(part))
        }
        return messages
    }

    func connect() throws -> EmbeddedChannel {
        let channel = try EmbeddedChannel.behindTLS()
        channel.embeddedEventLoop.run()
        try PeerLink.accept(channel, of: "twinline://test/node/a", NIOLoopBound(link, eventLoop: loop), refusals)
        try channel.begin()
        channel.pipeline.fireChannelActive()
        return channel
    }

    func settle(_ channel: EmbeddedChannel) {
        loop.run()
        _ = work.carryOut(long.takeWaiting())
        loop.run()
        channel.embeddedEventLoop.run()
        channel.discardOutbound()
    }

    func servesOthers() throws -> Bool {
        let channel = try connect()
        let before = heard
        try channel.writeInbound(framed(corpus[0]))
        settle(channel)
        let isServed = heard == before + 1 && link.isUp
        _ = try channel.finish()
        settle(channel)
        return isServed && !link.isUp
    }

    // MARK: the node behind the link

    func peerConnected() { perform(replica.peerConnected()) }
    func peerDisconnected(dismissed: Bool) { perform(replica.peerDisconnected(dismissed: dismissed)) }
    func peerRefused() {}
    func peerRouteChanged() {}
    func peerSaid(_ envelope: PeerEnvelope) {
        heard += 1
        perform(replica.receive(envelope.message))
    }
    func peerWorked() { perform(replica.worked()) }
    var hello: PeerEnvelope { PeerEnvelope(replica.hello, pair: pair) }

    private func perform(_ effects: [Replica.Effect]) {
        for effect in effects {
            switch effect {
            case .save(let record): perform(replica.recordSaved(record))
            case .append(let run): perform(replica.logSynced(through: min(run.last.lsn, replica.log.last.lsn)))
            case .mark(let position, _): perform(replica.logSynced(through: min(position.lsn, replica.log.last.lsn)))
            case .cut(let lsn): perform(replica.logCut(to: lsn))
            case .commit(let lsn): perform(replica.applied(through: lsn))
            case .send(let message):
                link.send(PeerEnvelope(message, pair: pair), everywhere: false)
            case .halt, .reseed: replica = Self.replica()
            case .ask, .ship, .confirmReads, .lend: break
            }
        }
        // A register's version near its end, or an epoch, is nothing that any later one could outgrow.
        if replica.record.epoch > Epoch(1 << 40) { replica = Self.replica() }
    }
}

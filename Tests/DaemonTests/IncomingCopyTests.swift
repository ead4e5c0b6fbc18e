import DurableLog
import Foundation
import Replication
import Store
import Testing
import Tickets
import Wire

@testable import Daemon

/// A copy takes the old one's place whole or not at all, wherever a crash finds it.
@Suite final class IncomingCopyTests {
    private let folder: URL
    private let pair = RandomID(high: 1, low: 2)
    private let segmentSize = 1 << 20

    init() throws {
        let name = "twinline-copy-\(UInt64.random(in: 0 ... .max))"
        folder = FileManager.default.temporaryDirectory.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func formatted() throws -> DataDirectory {
        let data = try DataDirectory(path: path("data"))
        try data.format(file(), segmentSize: segmentSize)
        return data
    }

    private func file() -> NodeFile {
        NodeFile(
            pair: "test", pairID: pair, node: .b,
            record: NodeRecord(
                epoch: Epoch(1), claimed: Epoch(1), disk: RandomID(high: 3, low: 4), starts: 0, register: register,
                witness: WitnessChoice(RandomID(high: 5, low: 6))))
    }

    private var register: Register {
        firstRegister(PerNode(a: RandomID(high: 0, low: 1), b: RandomID(high: 3, low: 4)))
    }

    /// A snapshot of another node's database with a table of the platform's in it, and the offer of it.
    private func snapshot() throws -> (CopyOffer, [UInt8]) {
        let database = try ReplicatedDatabase.create(at: path("source"))
        func perform(_ sequence: Int64, _ body: StoreRequest.Body) throws -> Batch {
            let request = StoreRequest(session: 1, sequence: sequence, actor: "service/1", body: body)
            let batch = try database.execute([request], now: 1)
            try database.commit(at: Position(Epoch(1), database.applied.lsn.next))
            return batch
        }
        _ = try perform(0, .openSession)
        _ = try perform(1, .changeSchema("CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY)"))
        let batch = try perform(2, .execute([SQLStatement("INSERT INTO units VALUES ('Roads')")]))
        let snapshot = try SnapshotFile(of: path("source"), into: path("snapshot"))
        while try snapshot.copy(bytes: 4096) {}
        try snapshot.finish()
        let bytes = [UInt8](try Data(contentsOf: folder.appending(path: "snapshot")))
        #expect(snapshot.contents.digest == batch.digest && bytes.count == snapshot.size)
        let offer = CopyOffer(
            snapshot: RandomID(high: 7, low: 8), pair: pair, position: snapshot.contents.position, chain: 99,
            digest: snapshot.contents.digest, schemaVersion: snapshot.contents.schemaVersion, size: UInt64(bytes.count),
            checksum: bytes.span.bytes.withUnsafeBytes { crc32c($0) }, leads: Epoch(3), register: register,
            witness: WitnessChoice(RandomID(high: 5, low: 6)))
        return (offer, bytes)
    }

    private func open(_ data: DataDirectory) throws -> DataDirectory.Opened {
        try data.open(pair: "test", node: .b, segmentSize: segmentSize)
    }

    private func expectNoNode(in data: DataDirectory) {
        #expect(throws: DataError.self) { try open(data) }
        #expect(throws: DataError.self) { try data.format(file(), segmentSize: segmentSize) }
        #expect((try? data.file())??.isReseeding == true)
    }

    @Test("before the one step nothing opens, after it the new copy does and the old one is gone")
    func oneStep() throws {
        let (offer, bytes) = try snapshot()
        let data = try formatted()
        var file = try data.beginReseeding(pair: "test", node: .b, disk: RandomID(high: 9, low: 9))
        #expect(file.record.disk == RandomID(high: 9, low: 9))
        expectNoNode(in: data)
        do {
            let copy = try IncomingCopy(path: data.copyPath(file.incoming))
            try copy.begin(offer)
            try copy.write(Array(bytes[..<8192]))
        }
        expectNoNode(in: data)
        do {
            // What was written and not said to be on the disk is fetched again.
            let copy = try IncomingCopy(path: data.copyPath(file.incoming))
            #expect(copy.offer == offer && !copy.isComplete)
            try copy.begin(offer)
            try copy.write(Array(bytes[Int(copy.received)...]))
            #expect(copy.isComplete)
        }
        expectNoNode(in: data)
        let copy = try IncomingCopy(path: data.copyPath(file.incoming))
        #expect(copy.isComplete)
        try copy.verify()
        expectNoNode(in: data)
        // Interrupted and done again.
        try copy.complete(segmentSize: segmentSize)
        try copy.complete(segmentSize: segmentSize)
        expectNoNode(in: data)
        #expect(try data.beginReseeding(pair: "test", node: .b, disk: .zero) == file)
        // As a crash right behind the step would leave it: the old copy still there.
        (file.copy, file.incoming) = (file.incoming, 0)
        try data.save(file)
        #expect(FileManager.default.fileExists(atPath: data.copyPath(1)))
        let next = Entry(
            position: Position(offer.position.epoch, offer.position.lsn.next), kind: .changes, schemaVersion: 2,
            digest: .zero, payload: [1])
        do {
            let opened = try open(data)
            #expect(!FileManager.default.fileExists(atPath: data.copyPath(1)))
            #expect(opened.log.last == offer.position && opened.log.lastChain == offer.chain)
            #expect(opened.database.digest == offer.digest && opened.database.applied == offer.position)
            #expect(opened.database.schemaVersion == 2)
            let units = try opened.queries.read(SQLQuery("SELECT name FROM units")).1
            #expect(units == .success(SQLRows(columns: ["name"], rows: [[.text("Roads")]])))
            #expect(try opened.log.tip() == nil && opened.origin.digest == offer.digest)
            // What follows the copy and was not committed may be cut, also by a process that has found it there.
            try opened.log.append([EntryFrame(encoding: next, chainBefore: offer.chain, knownSynced: .zero)])
            _ = try opened.log.sync()
        }
        let again = try open(data)
        #expect(again.log.last == next.position && again.origin.position == offer.position)
        #expect(again.origin.chain == offer.chain)
    }

    @Test("a copy with one wrong byte, wherever it is, is not sound", arguments: [20, 5000, 12_000])
    func flipped(at offset: Int) throws {
        var (offer, bytes) = try snapshot()
        bytes[offset] ^= 1
        let data = try formatted()
        let file = try data.beginReseeding(pair: "test", node: .b, disk: .random())
        let copy = try IncomingCopy(path: data.copyPath(file.incoming))
        try copy.begin(offer)
        try copy.write(bytes)
        #expect(throws: DataError.self) { try copy.verify() }
        try copy.clear()
        #expect(!copy.isComplete && copy.offer == nil)
        // A checksum of the wrong bytes does not help, when it is the tables that they are in.
        offer.digest = Digest(offer.digest.value &+ 1)
        bytes[offset] ^= 1
        try copy.begin(offer)
        try copy.write(bytes)
        #expect(throws: DataError.self) { try copy.verify() }
    }

    @Test("a chunk whose checksum does not hold is refused")
    func chunk() throws {
        var wire = Twinline_Copy_V1_CopyReply(CopyReply.chunk(offset: 0, [1, 2, 3]))
        #expect(try CopyReply(wire) == .chunk(offset: 0, [1, 2, 3]))
        wire.chunk.bytes[1] ^= 4
        #expect(throws: MalformedMessage.self) { try CopyReply(wire) }
    }

    @Test("a wiped disk and one with a damaged record are marked too, and learn whose they are from the offer")
    func wiped() throws {
        let (offer, _) = try snapshot()
        let wiped = try DataDirectory(path: path("wiped"))
        let file = try wiped.beginReseeding(pair: "test", node: .b, disk: RandomID(high: 9, low: 9))
        #expect(file.copy == 0 && file.incoming == 1 && file.pairID == .zero)
        #expect(try wiped.file() == file)
        let learned = try wiped.learn(from: offer, file)
        #expect(learned.pairID == pair && learned.record.disk == RandomID(high: 9, low: 9))
        #expect(learned.record.epoch == offer.leads && learned.record.register == offer.register)

        _ = try formatted()
        let record = folder.appending(path: "data/record")
        try Data(repeating: 1, count: 8192).write(to: record)
        let data = try DataDirectory(path: path("data"))
        #expect(throws: DataError.self) { try data.file() }
        #expect(try data.beginReseeding(pair: "test", node: .b, disk: .random()).incoming == 2)
        expectNoNode(in: data)
    }
}

import DurableLog
import Glibc
import Replication
import Store
import Wire

/// A copy that is being received, in a folder beside the old one: the database's bytes as far as they came, and a
/// record that says how many of them are on the disk for certain. Owned by one thread.
///
///     copy-N/progress         CopyProgress: of which snapshot, and how much
///     copy-N/tickets.sqlite   its bytes, from the first on
///     copy-N/log/             made last
final class IncomingCopy {
    /// So many bytes may have to be fetched again after an interruption, or those of a second.
    static let syncEvery: UInt64 = 16 << 20

    private let path: String
    private let directory: PosixDirectory
    private let record: DurableRecord
    private var file: (any DiskFile)?
    /// Nil: nothing of any snapshot is here.
    private(set) var offer: CopyOffer?
    /// Bytes that came, from the first on.
    private(set) var received: UInt64 = 0
    private var synced: UInt64 = 0
    private var syncedAt = monotonicNow()

    /// Finds how far it came in an earlier life.
    /// - Parameter path: of its folder, which is made if it is missing.
    init(path: String) throws(LogError) {
        self.path = path
        try DataDirectory.make(path)
        directory = try PosixDirectory(path: path)
        record = try DurableRecord(in: directory, name: "progress")
        guard let bytes = record.load(), !bytes.isEmpty, let progress = try? CopyProgress(bytes: bytes),
            try directory.names().contains(DataDirectory.databaseName)
        else { return }
        let file = try directory.open(DataDirectory.databaseName)
        guard try file.size() >= Int(progress.received) else { return }
        (self.file, offer, received, synced) = (file, progress.offer, progress.received, progress.received)
    }

    var isComplete: Bool { offer.map { received == $0.size } ?? false }

    /// Begins with this snapshot, unless it is the one that is here already. Reserves the room for all of it.
    func begin(_ new: CopyOffer) throws(LogError) {
        if let offer, offer == new { return }
        try clear()
        let file = try directory.create(DataDirectory.databaseName)
        try file.reserve(Int(new.size))
        try file.sync()
        try directory.sync()
        try record.save(CopyProgress(offer: new, received: 0).bytes)
        (self.file, offer) = (file, new)
    }

    /// What comes next.
    func write(_ bytes: [UInt8]) throws(LogError) {
        guard let file, let offer else { return }
        precondition(received + UInt64(bytes.count) <= offer.size, "more bytes than the offer said")
        try bytes.span.bytes.withUnsafeBytes { bytes throws(LogError) in try file.write(bytes, at: Int(received)) }
        received += UInt64(bytes.count)
        let late = monotonicNow() >= syncedAt.advanced(byMilliseconds: 1000)
        if received - synced >= Self.syncEvery || late || isComplete { try sync() }
    }

    private func sync() throws(LogError) {
        guard let file, let offer, received > synced else { return }
        try file.sync()
        try record.save(CopyProgress(offer: offer, received: received).bytes)
        (synced, syncedAt) = (received, monotonicNow())
    }

    /// Forgets what came: none of it is of use any more.
    func clear() throws(LogError) {
        (file, offer, received, synced) = (nil, nil, 0, 0)
        try record.save([])
        for name in try directory.names() where name.hasPrefix(DataDirectory.databaseName) {
            try directory.remove(name)
        }
    }

    /// Makes sure that all bytes are those of the snapshot, and that it holds what was offered.
    /// - Throws: a copy that is not sound has to be cleared, and fetched anew.
    func verify() throws(DataError) {
        guard let file, let offer, isComplete else { return }
        do throws(LogError) {
            let found = try Self.checksum(of: file)
            guard found == offer.checksum else {
                throw LogError.damaged(path: file.path, offset: 0, reason: "the whole copy's checksum does not hold")
            }
        } catch { throw .log(error) }
        let expected = SnapshotFile.Contents(
            position: offer.position, digest: offer.digest, schemaVersion: offer.schemaVersion)
        do throws(StoreError) {
            try ReplicatedDatabase.verify(copyAt: path + "/" + DataDirectory.databaseName, holds: expected)
        } catch { throw .store(error) }
    }

    /// A log that goes on where the snapshot ends; then all of the folder is synced. It may be interrupted and done
    /// again.
    func complete(segmentSize: Int) throws(LogError) {
        guard let file, let offer, isComplete else { return }
        let logPath = path + "/log"
        try DataDirectory.make(logPath)
        let folder = try PosixDirectory(path: logPath)
        for name in try folder.names() { try folder.remove(name) }
        _ = try EntryLog.create(
            in: folder, pairID: offer.pair, before: ChainLink(offer.position, chain: offer.chain),
            options: EntryLog.Options(segmentSize: segmentSize))
        try folder.sync()
        try file.sync()
        try directory.sync()
    }

    /// CRC-32C of a whole file.
    static func checksum(of file: any DiskFile, every: (Int) -> Void = { _ in }) throws(LogError) -> UInt32 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var sum: UInt32 = 0
        var offset = 0
        while true {
            let count = try file.read(into: buffer, at: offset)
            guard count > 0 else { return sum }
            sum = crc32c(UnsafeRawBufferPointer(rebasing: buffer[..<count]), from: sum)
            offset += count
            every(offset)
        }
    }
}

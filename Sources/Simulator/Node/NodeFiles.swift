import DurableLog
import Engine
import Replication
import Store
import Wire

/// A node's data directory on its simulated disk, as the daemon keeps it on a real one: the record says which copy of
/// log and database counts.
struct NodeFiles {
    let disk: SimulatedDisk
    let pair: RandomID
    let node: NodeName
    let options: EntryLog.Options

    static let pairName = "simulated"

    struct Opened {
        var file: NodeFile
        var recordFile: DurableRecord
        var log: EntryLog
        var database: ReplicatedDatabase
        var reader: DatabaseReader

        /// The end of the log for as long as it holds no entry.
        var origin: LogTip
    }

    enum Failure: Error {
        case log(LogError)
        case store(StoreError)
        /// The record can't be read, or names what is not there.
        case lost(String)
    }

    var root: SimulatedDirectory { SimulatedDirectory(disk, disk.root) }
    func folder(_ copy: UInt64) -> String { "copy-\(copy)" }
    func logFolder(_ copy: UInt64) -> SimulatedDirectory { disk.directory(folder(copy) + "/log") }
    func databasePath(_ copy: UInt64) -> String { disk.root + "/" + folder(copy) + "/tickets.sqlite" }

    private func onLog<Result>(_ body: () throws(LogError) -> Result) throws(Failure) -> Result {
        do throws(LogError) { return try body() } catch { throw .log(error) }
    }

    private func onStore<Result>(_ body: () throws(StoreError) -> Result) throws(Failure) -> Result {
        do throws(StoreError) { return try body() } catch { throw .store(error) }
    }

    /// Nil: the disk is empty.
    func file() throws(Failure) -> NodeFile? {
        let bytes = try onLog { () throws(LogError) in try DurableRecord(in: root, name: "record").load() }
        guard let bytes else { return nil }
        guard let file = try? NodeFile(bytes: bytes) else { throw .lost("the record makes no sense") }
        return file
    }

    func format(_ record: NodeRecord) throws(Failure) {
        _ = try onLog { () throws(LogError) in
            try EntryLog.create(in: logFolder(1), pairID: pair, options: options)
        }
        _ = try onStore { () throws(StoreError) in
            try ReplicatedDatabase.create(at: databasePath(1)).checkpoint(now: true)
        }
        try onLog { () throws(LogError) in
            disk.syncNames(of: disk.root + "/" + folder(1))
            try root.sync()
            try save(NodeFile(pair: Self.pairName, pairID: pair, node: node, record: record))
        }
    }

    func save(_ file: NodeFile) throws(LogError) {
        try DurableRecord(in: root, name: "record").save(file.bytes)
    }

    /// Opens all of it, and counts this start of the node.
    func open() throws(Failure) -> Opened {
        guard var file = try file() else { throw .lost("the disk is empty") }
        removeLeftovers(keeping: [file.copy])
        file.record.starts += 1
        let saved = file
        let (recordFile, log) = try onLog { () throws(LogError) in
            let recordFile = try DurableRecord(in: root, name: "record")
            try recordFile.save(saved.bytes)
            return (
                recordFile, try EntryLog.open(in: logFolder(saved.copy), expecting: saved.pairID, options: options)
            )
        }
        let path = databasePath(file.copy)
        let (database, reader) = try onStore { () throws(StoreError) in
            (try ReplicatedDatabase.open(at: path), try DatabaseReader(at: path))
        }
        guard try onLog({ () throws(LogError) in try log.holds(database.applied) }) else {
            throw .lost("the database holds \(database.applied), the log ends at \(log.last)")
        }
        let origin = try onLog { () throws(LogError) in try LogTip(of: database, beneath: log) }
        return Opened(
            file: file, recordFile: recordFile, log: log, database: database, reader: reader, origin: origin)
    }

    func removeLeftovers(keeping copies: [UInt64]) {
        let kept = copies.map { disk.root + "/" + folder($0) + "/" }
        for path in disk.paths(below: disk.root) {
            let inside = path.dropFirst(disk.root.utf8.count + 1)
            guard inside.hasPrefix("copy-") || inside.hasPrefix("outgoing"), !kept.contains(where: path.hasPrefix)
            else { continue }
            disk.name(nil, path)
        }
    }

    // MARK: reseeding

    /// From now on it is being reseeded, whatever it holds or lacks, and counts as a new disk (rule R11).
    func beginReseeding(disk id: RandomID) throws(Failure) -> NodeFile {
        var file: NodeFile
        do throws(Failure) { file = try self.file() ?? .blank(pair: Self.pairName, node: node) } catch {
            // Nobody knows what it said; so what is here is nobody's.
            try onLog { () throws(LogError) in try root.remove("record") }
            file = .blank(pair: Self.pairName, node: node)
        }
        guard !file.isReseeding else { return file }
        var copy = file.copy + 1
        while !disk.paths(below: disk.root + "/" + folder(copy)).isEmpty { copy += 1 }
        file.beginReseeding(disk: id, into: copy)
        let marked = file
        try onLog { () throws(LogError) in try save(marked) }
        return file
    }

    /// A copy begins to come: a wiped disk learns whose it is, too.
    func learn(from offer: CopyOffer, _ file: NodeFile) throws(LogError) -> NodeFile {
        var learned = file
        learned.learn(from: offer)
        if learned != file { try save(learned) }
        return learned
    }

    /// The copy's bytes are here and sound: a log that goes on where it ends, and then all of it counts.
    func install(_ offer: CopyOffer, _ bytes: [UInt8], into file: NodeFile) throws(Failure) {
        var file = file
        let incoming = databasePath(file.incoming)
        try onStore { () throws(StoreError) in
            try ReplicatedDatabase.verify(
                copyAt: incoming,
                holds: .init(position: offer.position, digest: offer.digest, schemaVersion: offer.schemaVersion))
        }
        let from = file.incoming
        file.install()
        let installed = file
        try onLog { () throws(LogError) in
            _ = try EntryLog.create(
                in: logFolder(from), pairID: offer.pair, before: ChainLink(offer.position, chain: offer.chain),
                options: options)
            disk.files[incoming]?.sync()
            disk.syncNames(of: disk.root + "/" + folder(from))
            try root.sync()
            try save(installed)
        }
        removeLeftovers(keeping: [file.copy])
    }
}

import Foundation
import Replication
import Testing
import Tickets
import Wire

@testable import DurableLog
@testable import Store
@testable import Daemon
@testable import Commands

/// A log as a node writes it: real batches, in real segments.
final class LogSample {
    let directory: URL
    private var log: EntryLog?
    private let database: ReplicatedDatabase
    private var session: Int64 = 0
    private var sequence: Int64 = 0

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(
            path: "twinline-log-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(
            at: directory.appending(path: "log"), withIntermediateDirectories: true)
        database = try ReplicatedDatabase.create(at: directory.appending(path: "tickets.sqlite").path)
        let log = try EntryLog.create(
            in: PosixDirectory(path: logPath), pairID: RandomID(high: 1, low: 2),
            options: EntryLog.Options(segmentSize: 1 << 16))
        let mark = Entry(
            position: Position(Epoch(3), LSN(1)), kind: .mark, schemaVersion: 1, digest: .zero, payload: [])
        try log.append([EntryFrame(encoding: mark, chainBefore: 0, knownSynced: .zero)])
        try database.apply([mark])
        self.log = log
        try write([StoreRequest(actor: "seat/017", body: .openSession)])
        session = 1
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    var logPath: String { directory.appending(path: "log").path }
    var segment: String { logPath + "/" + SegmentHeader.name(LSN(1)) }

    func perform(_ commands: Command...) throws {
        try write(
            commands.map { command in
                sequence += 1
                return StoreRequest(
                    session: session, sequence: sequence, answeredBelow: sequence - 1, actor: "seat/017",
                    body: .command(command))
            })
    }

    func sql(_ bodies: StoreRequest.Body...) throws {
        for body in bodies {
            sequence += 1
            try write([
                StoreRequest(session: session, sequence: sequence, answeredBelow: 0, actor: "seat/017", body: body)
            ])
        }
    }

    private func write(_ requests: [StoreRequest]) throws {
        guard let log else { return }
        let version = database.schemaVersion
        let batch = try database.execute(requests, now: 1_314_525_600_000 + sequence * 1000)
        let position = Position(Epoch(3), log.last.lsn.next)
        let entry = Entry(
            position: position, kind: batch.kind, schemaVersion: version, digest: batch.digest,
            payload: batch.changeset)
        try log.append([EntryFrame(encoding: entry, chainBefore: log.lastChain, knownSynced: log.synced)])
        _ = try log.sync()
        try database.commit(at: position)
    }

    func show(
        last: Int? = nil, from: UInt64 = 0, to: UInt64 = .max, filter: EntryFilter = EntryFilter(),
        _ line: (FoundEntry) -> String
    ) throws -> (lines: [String], troubles: [String]) {
        let view = try LogView(of: ReadOnlyDirectory(path: LogPlace.find(directory.path)))
        let search = LogSearch(
            view: view, from: LSN(from), to: LSN(to), last: last, filter: filter, showsProgress: false)
        var lines: [String] = []
        try search.run { lines.append(line($0)) }
        return (lines, search.troubles)
    }

    /// Spoils the last byte of the last entry.
    func tear() throws {
        guard let end = log?.segments.last else { return }
        try damage(at: end.end - 1, of: end.name)
    }

    /// Changes a byte of a segment behind everybody's back.
    func damage(at offset: Int, of name: String = SegmentHeader.name(LSN(1))) throws {
        let file = try FileHandle(forUpdating: URL(filePath: logPath + "/" + name))
        try file.seek(toOffset: UInt64(offset))
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: [byte ^ 1])
        try file.close()
    }
}

import Engine
import Foundation
import Replication
import Store
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Daemon
@testable import DurableLog

/// A worker takes all orders that wait at once. What a later one of them says holds while an earlier one is carried
/// out.
@Suite final class WorkerOrdersTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    @Test("a writer that is told to take requests, and in the same breath that the disk is full, takes none")
    func pausedAtOnce() async throws {
        let database = try ReplicatedDatabase.create(at: directory.appending(path: "db").path)
        let events = Events()
        let writer = WriterThread(wallClock: { 0 }, report: events.take)
        writer.takeRequests(reign: 1)
        writer.pauseRequests(.diskFull)
        let thread = Worker { [database = Handed(database)] in writer.run(database.value) }
        try await eventually { events.returned == [.diskFull] }
        #expect(writer.submit(request) == .diskFull)
        writer.takeRequests(reign: 1)
        try await eventually { writer.submit(request) == nil }
        writer.stop()
        try await eventually { thread.hasEnded }
    }

    @Test("a log that waits for room on its disk ends when it is told to, with the entry or while it waits")
    func stoppedWithoutRoom() async throws {
        for isTogether in [true, false] {
            let path = directory.appending(path: "log-\(isTogether)").path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let disk = try FullDirectory(PosixDirectory(path: path))
            let options = EntryLog.Options(segmentSize: 1 << 16)
            let log = try EntryLog.create(in: disk, pairID: RandomID(high: 1, low: 1), options: options)
            let record = try DurableRecord(in: disk, name: "record")
            disk.isFull.store(true, ordering: .relaxed)

            let events = Events()
            let worker = LogThread(Retention(), report: events.take)
            // More than a segment holds, and there is room for no other.
            worker.append([entry(bytes: 100_000)])
            if isTogether { worker.stop() }
            let origin = LogTip(position: .zero, chain: 0, digest: .zero, schemaVersion: 1)
            let thread = Worker { [log = Handed(log), record = Handed(record), file] in
                worker.run(log.value, origin, file, record.value)
            }
            try await eventually { events.isFull }
            if !isTogether { worker.stop() }
            try await eventually { thread.hasEnded }
            #expect(!events.hasSynced)
        }
    }

    // MARK: what they are given

    private var request: PendingWrite {
        let request = SeatRequest(session: 0, sequence: 1, answeredBelow: 0, body: .openSession)
        return PendingWrite(request: request, actor: "seat/1", bytes: 10, connection: Seat())
    }

    private func entry(bytes: Int) -> EntryFrame {
        let entry = Entry(
            position: Position(Epoch(1), LSN(1)), kind: .changes, schemaVersion: 1, digest: .zero,
            payload: [UInt8](repeating: 7, count: bytes))
        return EntryFrame(encoding: entry, chainBefore: 0, knownSynced: .zero)
    }

    private var file: NodeFile {
        let disks = PerNode(a: RandomID(high: 1, low: 1), b: RandomID(high: 1, low: 2))
        let register = firstRegister(disks)
        let record = NodeRecord(
            epoch: register.epoch, claimed: register.epoch, disk: disks.a, starts: 0, register: register,
            witness: WitnessChoice(RandomID(high: 1, low: 3)))
        return NodeFile(pair: "demo", pairID: RandomID(high: 1, low: 1), node: .a, record: record)
    }

    private final class Seat: SeatConnection {
        let loop = 0
        func write(_ answer: WriteAnswer) {}
        func write(_ answer: ReadAnswer) {}
        func flush() {}
    }

    private final class Events: Sendable {
        private let all = Mutex<[WorkerEvent]>([])
        func take(_ event: WorkerEvent) { all.withLock { $0.append(event) } }

        /// Why requests were given back, each time.
        var returned: [NotNow] {
            all.withLock { $0.compactMap { if case .requestsReturned(_, let reason) = $0 { reason } else { nil } } }
        }
        var isFull: Bool { all.withLock { $0.contains { if case .roomChanged(false) = $0 { true } else { false } } } }
        var hasSynced: Bool { all.withLock { $0.contains { if case .logSynced = $0 { true } else { false } } } }
    }

    private final class Worker: Sendable {
        private let ended = Atomic(false)
        var hasEnded: Bool { ended.load(ordering: .acquiring) }

        init(_ work: @escaping @Sendable () -> Void) {
            startThread("worker") {
                work()
                self.ended.store(true, ordering: .releasing)
            }
        }
    }

    /// What one thread gives to another for good.
    ///
    /// `@unchecked Sendable`: the test lets go of it with the thread's start, which orders all before it.
    private struct Handed<Value>: @unchecked Sendable {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    /// A real directory in which, once it is full, no file can be begun.
    private final class FullDirectory: DiskDirectory {
        let directory: PosixDirectory
        let isFull = Atomic(false)
        var path: String { directory.path }

        init(_ directory: PosixDirectory) { self.directory = directory }

        func create(_ name: String) throws(LogError) -> any DiskFile {
            if isFull.load(ordering: .relaxed) { throw .full(path: path) }
            return try directory.create(name)
        }
        func names() throws(LogError) -> [String] { try directory.names() }
        func open(_ name: String) throws(LogError) -> any DiskFile { try directory.open(name) }
        func rename(_ name: String, to new: String) throws(LogError) { try directory.rename(name, to: new) }
        func remove(_ name: String) throws(LogError) { try directory.remove(name) }
        func sync() throws(LogError) { try directory.sync() }
    }
}

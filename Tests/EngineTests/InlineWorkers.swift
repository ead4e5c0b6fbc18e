import DurableLog
import Foundation
import Replication
import Store
import Tickets
import Wire

@testable import Engine

/// Workers without threads: orders are carried out when the test says so, on the real log and the real database.
final class InlineLog: LogWorker {
    let log: EntryLog
    private var orders: [() throws -> Void] = []
    let report: (WorkerEvent) -> Void
    var saved: NodeRecord
    /// What is to be read takes its time.
    var holdsReads = false
    private var heldReads: [() throws -> Void] = []
    /// A record of a newer epoch takes its time, and what is ordered after it waits.
    var holdsNewEpochs = false
    private var newEpochAt: Int?
    /// As a log that has grown over its limit.
    var forgetsAbsent = false
    /// What lies before was offered to be let go of.
    private(set) var released = LSN.zero

    init(_ log: EntryLog, saved: NodeRecord, report: @escaping (WorkerEvent) -> Void) {
        self.log = log
        self.saved = saved
        self.report = report
    }

    func append(_ frames: [EntryFrame]) {
        orders.append { [self] in
            try log.append(frames)
            report(.logSynced(through: try log.sync()))
        }
    }

    func cut(to lsn: LSN) {
        orders.append { [self] in
            try log.cut(to: lsn)
            report(.logCut(to: lsn, tip: try tip()))
        }
    }

    func read(from lsn: LSN, maxBytes: Int, for purpose: ReadPurpose) {
        heldReads.append { [self] in report(.entriesRead(try log.read(from: lsn, maxBytes: maxBytes), for: purpose)) }
        releaseReads()
    }

    func save(_ record: NodeRecord) {
        if record.epoch > saved.epoch { newEpochAt = newEpochAt ?? orders.count }
        orders.append { [self] in
            saved = record
            report(.recordSaved(record))
        }
    }

    func release(before needed: LSN, possible: LSN) {
        released = max(released, possible)
        orders.append { [self] in
            let first = log.first
            try log.release(before: forgetsAbsent ? possible : needed)
            if log.first > first { report(.logReleased(first: log.first)) }
        }
    }

    func measureRoom() {}

    func tip() throws -> LogTip {
        guard log.last.lsn > .zero, let frame = try log.read(from: log.last.lsn, maxBytes: 1).last else {
            return LogTip(position: log.last, chain: log.lastChain, digest: .zero, schemaVersion: 1)
        }
        return LogTip(after: frame)
    }

    private func releaseReads() {
        guard !holdsReads else { return }
        orders += heldReads
        heldReads = []
    }

    /// As when the process dies: what was ordered and not done is forgotten.
    func discard() { (orders, heldReads, newEpochAt) = ([], [], nil) }

    /// False: there was nothing to do.
    func work() throws -> Bool {
        releaseReads()
        let count = holdsNewEpochs ? newEpochAt ?? orders.count : orders.count
        guard count > 0 else { return false }
        let taken = orders.prefix(count)
        orders.removeFirst(count)
        newEpochAt = newEpochAt.flatMap { $0 < count ? nil : $0 - count }
        for order in taken { try order() }
        return true
    }
}

final class InlineDatabase: DatabaseWorker {
    let database: ReplicatedDatabase
    private var orders: [() throws -> Void] = []
    private var requests: [PendingWrite] = []
    private var reign: UInt64?
    /// After each commit, so that the log may be released.
    var checkpoints = false
    let report: (WorkerEvent) -> Void

    init(_ database: ReplicatedDatabase, report: @escaping (WorkerEvent) -> Void) {
        self.database = database
        self.report = report
    }

    func submit(_ request: PendingWrite) { requests.append(request) }
    func discard() { orders = [] }
    func takeRequests(reign: UInt64) { orders.append { [self] in self.reign = reign } }

    func refuseRequests() {
        orders.append { [self] in
            reign = nil
            if database.hasOpenBatch { database.rollBack() }
            report(.requestsReturned(requests, .notPrimary))
            requests = []
        }
    }

    func pauseRequests(_ reason: NotNow) {
        orders.append { [self] in
            report(.requestsReturned(requests, reason))
            requests = []
            reign = nil
        }
    }

    func commit(_ position: Position) {
        orders.append { [self] in
            try database.commit(at: position)
            report(.applied(through: position.lsn))
            if checkpoints { try checkpoint() }
        }
    }

    func rollback() { orders.append { [self] in if database.hasOpenBatch { database.rollBack() } } }

    func apply(_ frames: [EntryFrame]) {
        orders.append { [self] in
            try database.apply(frames.map(\.entry))
            report(.applied(through: database.applied.lsn))
            if checkpoints { try checkpoint() }
        }
    }

    private func checkpoint() throws {
        if let position = try database.checkpoint(now: true) { report(.checkpointed(through: position.lsn)) }
    }

    func work() throws -> Bool {
        if !orders.isEmpty {
            let taken = orders
            orders = []
            for order in taken { try order() }
            return true
        }
        guard let reign, !requests.isEmpty, !database.hasOpenBatch else { return false }
        // As the daemon's writer does: a schema change alone.
        let alone = requests.firstIndex(where: \.standsAlone)
        let taken = Array(requests.prefix(alone.map { max($0, 1) } ?? requests.count))
        requests.removeFirst(taken.count)
        let batch = try database.execute(taken.map(StoreRequest.init), now: 1)
        let answers = zip(taken, batch.outcomes).map { $0.answered(.init($1)) }
        report(
            .batchExecuted(
                ExecutedBatch(
                    reign: reign, answers: answers, kind: batch.kind,
                    changes: batch.changeset.isEmpty ? nil : EntryDraft(payload: batch.changeset),
                    digest: batch.digest)))
        return true
    }
}

final class InlineReader: ReadWorker {
    private let reader: DatabaseReader
    private let queries: QueryReader
    private let deliver: ([ReadAnswer]) -> Void

    init(_ reader: DatabaseReader, _ queries: QueryReader, deliver: @escaping ([ReadAnswer]) -> Void) {
        self.reader = reader
        self.queries = queries
        self.deliver = deliver
    }

    func read(_ reads: [PendingRead]) {
        for read in reads {
            guard case .sql(let query) = read.query, let (position, found) = try? queries.read(query) else { continue }
            switch found {
            case .success(let rows): deliver([read.answered(.view(.rows(rows)), at: position)])
            case .failure(let refusal): deliver([read.answered(.refused(refusal), at: position)])
            }
        }
        let reads = reads.filter { if case .sql = $0.query { false } else { true } }
        guard !reads.isEmpty, let (position, views) = try? reader.read(reads.map(\.query)) else { return }
        deliver(zip(reads, views).map { $0.answered(.view($1), at: position) })
    }
}

import Engine
import Foundation
import Replication
import Synchronization
import TestSupport
import Testing
import Tickets
import Wire

@testable import Daemon
@testable import Store

/// The verification of one node, with its real writer and database.
@Suite struct VerifierTests {
    /// A database, its writer's thread, and the entries that it could apply.
    private final class Bench: Sendable {
        let directory: URL
        let writer = WriterThread(wallClock: { 0 }, report: { _ in })
        let log = RecordedLog()
        let verifier: Verifier
        let path: String
        let frames: [EntryFrame]
        private let writerEnded = DispatchSemaphore(value: 0)

        /// - Parameter rows: in a table that the walk goes through first.
        init(rows: Int = 0) throws {
            directory = FileManager.default.temporaryDirectory.appending(
                path: "twinline-verifier-\(UInt64.random(in: 0 ... .max))")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let source = try ReplicatedDatabase.create(at: directory.appending(path: "source").path)
            frames = try (1...8).map { _ in try Self.entry(source) }
            path = directory.appending(path: "tickets.sqlite").path
            let database = try ReplicatedDatabase.create(at: path)
            if rows > 0 {
                try database.connection.access { _ throws(StoreError) in
                    try database.connection.execute(
                        """
                        WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(rows))
                        INSERT INTO answers SELECT i, x'00' FROM n
                        """)
                }
            }
            verifier = Verifier(path, writer, log: log.logger, interval: 0)
            nonisolated(unsafe) let given = database
            startThread("writer") { [writer, writerEnded] in
                writer.run(given)
                writerEnded.signal()
            }
        }

        deinit {
            writer.stop()
            // Until then it writes there.
            writerEnded.wait()
            // A walk that was given up still closes its files there.
            while FileManager.default.fileExists(atPath: directory.path) {
                try? FileManager.default.removeItem(at: directory)
            }
        }

        private static func entry(_ source: ReplicatedDatabase) throws -> EntryFrame {
            let batch = try source.execute([StoreRequest(actor: "seat/1", body: .openSession)], now: 1)
            let position = Position(Epoch(1), source.applied.lsn.next)
            try source.commit(at: position)
            let entry = Entry(
                position: position, kind: .changes, schemaVersion: 1, digest: batch.digest, payload: batch.changeset)
            return EntryFrame(encoding: entry, chainBefore: 0, knownSynced: .zero)
        }
    }

    /// What a verification says, to be waited for.
    private final class Words: Sendable {
        private let words = Mutex<[Twinline_Seat_V1_Verification]>([])
        var all: [Twinline_Seat_V1_Verification] { words.withLock { $0 } }
        func add(_ word: Twinline_Seat_V1_Verification) { words.withLock { $0.append(word) } }

        func first(
            _ holds: (Twinline_Seat_V1_Verification) -> Bool
        ) async throws -> Twinline_Seat_V1_Verification {
            var found: Twinline_Seat_V1_Verification?
            try await eventually {
                found = words.withLock { $0.first(where: holds) }
                return found != nil
            }
            return try #require(found)
        }
    }

    @Test("the snapshot is taken at the entry that was named, amid entries applied together")
    func exactly() throws {
        let bench = try Bench()
        let snapshot = try DatabaseSnapshot(at: bench.path)
        let wish = SnapshotWish(snapshot, at: LSN(5))
        bench.writer.snapshot(wish)
        bench.writer.apply(Array(bench.frames[..<3]))
        bench.writer.apply(Array(bench.frames[3...]))
        guard case .taken(let position) = wish.wait() else {
            Issue.record("no snapshot was taken")
            return
        }
        let sums = try #require(try snapshot.sums { _, _ in true })
        #expect(position == Position(Epoch(1), LSN(5)) && sums.position == position)
        #expect(sums.computed == bench.frames[4].digest && sums.stored == sums.computed)
    }

    @Test("what the database is past already is not verified, and it says how far it is")
    func past() async throws {
        let bench = try Bench()
        bench.writer.apply(bench.frames)
        let words = Words()
        #expect(bench.verifier.begin(at: LSN(7), by: "ops/1", words.add) != nil)
        let last = try await words.first { $0.stage != .walking }
        #expect(last.stage == .past && last.positionLsn == 8)
        let now = Words()
        try await eventually { bench.verifier.begin(at: nil, by: "ops/1", now.add) != nil }
        #expect(try await now.first { $0.stage == .done }.positionLsn == 8)
    }

    @Test("one at a time; who gives up waiting makes room for the next")
    func oneAtATime() async throws {
        let bench = try Bench()
        let words = Words()
        let run = try #require(bench.verifier.begin(at: LSN(8), by: "ops/1", words.add))
        #expect(bench.verifier.begin(at: nil, by: "ops/2", words.add) == nil)
        run.cancel()
        try await eventually { bench.verifier.begin(at: nil, by: "ops/2", words.add) != nil }
        _ = try await words.first { $0.stage == .done }
    }

    @Test("a walk that nobody wants to hear of any more ends")
    func cancelled() async throws {
        let bench = try Bench(rows: 300_000)
        let words = Words()
        // From the walk's own thread, which waits for it: however busy the machine, the walk is not over by then.
        let isBegun = DispatchSemaphore(value: 0)
        let begun = Mutex<Verifier.Run?>(nil)
        let run = bench.verifier.begin(at: nil, by: "ops/1") { word in
            words.add(word)
            guard word.rows > 0 else { return }
            isBegun.wait()
            isBegun.signal()
            begun.withLock { $0?.cancel() }
        }
        begun.withLock { $0 = run }
        isBegun.signal()
        _ = try #require(run)
        try await bench.log.wait(for: "given up")
        #expect(bench.log.lines(with: "verified").isEmpty)
        #expect(words.all.allSatisfy { $0.stage == .walking && ($0.rowsTotal == 0 || $0.rows < $0.rowsTotal) })
    }

    @Test("tables that are not what the digest says are an error in the log")
    func wrong() async throws {
        let bench = try Bench(rows: 3)
        let words = Words()
        #expect(bench.verifier.begin(at: nil, by: "ops/1", words.add) != nil)
        let last = try await words.first { $0.stage == .done }
        #expect(last.computed != last.stored && last.tables.first?.rows == 3)
        #expect(bench.log.lines(with: "error the tables are not what the digest says").count == 1)
    }
}

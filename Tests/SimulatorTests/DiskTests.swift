import DurableLog
import Replication
import Store
import Testing
import Tickets

@testable import Simulator

/// The real log and the real SQLite on a simulated disk.
struct DiskTests {
    static let path = "copy-1/tickets.sqlite"

    private static func batch(_ number: Int) -> [StoreRequest] {
        let ticket = OpenTicket(
            id: TicketID(milliseconds: Int64(number), random: (0, UInt64(number))), openedAt: 1, category: "c",
            text: String(repeating: "x", count: number % 700 + 1))
        return [StoreRequest(actor: "seat/1", body: .openSession)]
            + [StoreRequest(session: 1, sequence: Int64(number), actor: "seat/1", body: .command(.open(ticket)))]
    }

    @Test("a database lives on it, with a reader beside the writer")
    func lives() throws {
        let disk = SimulatedDisk(seed: 1)
        let path = disk.root + "/" + Self.path
        let database = try ReplicatedDatabase.create(at: path)
        let reader = try DatabaseReader(at: path)
        for number in 1...50 {
            _ = try database.execute(Self.batch(number), now: 1)
            try database.commit(at: Position(Epoch(1), LSN(UInt64(number))))
        }
        let (position, views) = try reader.read([.show(TicketID(milliseconds: 50, random: (0, 50)))])
        #expect(position.lsn == LSN(50))
        guard case .ticket(let ticket) = views[0] else { return }
        #expect(ticket?.text.utf8.count == 51)
        #expect(try database.recomputeDigest() == database.digest)
        #expect(try database.checkpoint(now: true)?.lsn == LSN(50))
        // Its files are in memory, and nowhere else.
        #expect(disk.files[path].map { $0.bytes.count > 4096 } == true)
    }

    /// What a node's log would hold.
    private struct History {
        var entries: [Entry] = []

        init(count: Int) throws {
            let disk = SimulatedDisk(seed: 2)
            let database = try ReplicatedDatabase.create(at: disk.root + "/" + DiskTests.path)
            for number in 1...count {
                let batch = try database.execute(DiskTests.batch(number), now: 1)
                let position = Position(Epoch(1), LSN(UInt64(number)))
                entries.append(
                    Entry(
                        position: position, kind: batch.kind, schemaVersion: 1, digest: batch.digest,
                        payload: batch.changeset))
                try database.commit(at: position)
            }
        }
    }

    @Test("a power cut at any change of the disk leaves a database that goes on from the log")
    func powerCuts() throws {
        let history = try History(count: 30)
        var cuts = 0
        for loss in PowerLoss.allCases {
            var after = 0
            while true {
                let disk = SimulatedDisk(seed: UInt64(after))
                let path = disk.root + "/" + Self.path
                let made = try ReplicatedDatabase.create(at: path)
                _ = try made.checkpoint(now: true)
                disk.directory("copy-1").disk.syncNames(of: disk.root + "/copy-1")
                disk.crashAfter = disk.changes + after
                _ = try? Self.apply(history.entries, to: made, checkpointEvery: 7)
                let ended = !disk.hasCrashed
                disk.cutPower(loss)
                let found = try ReplicatedDatabase.open(at: path)
                #expect(try found.recomputeDigest() == found.digest)
                try Self.apply(history.entries, to: found, checkpointEvery: 7)
                #expect(found.digest == history.entries.last?.digest)
                #expect(try found.recomputeDigest() == found.digest)
                if ended { break }
                cuts += 1
                after += after < 20 ? 1 : 17
            }
        }
        #expect(cuts > 80)
    }

    private static func apply(_ entries: [Entry], to database: ReplicatedDatabase, checkpointEvery: UInt64) throws {
        for entry in entries {
            try database.apply([entry])
            if entry.position.lsn.value % checkpointEvery == 0 { _ = try database.checkpoint(now: true) }
        }
    }

    @Test("a killed process's connection can do nothing any more, and a new one finds all that was committed")
    func killed() throws {
        let history = try History(count: 5)
        let disk = SimulatedDisk(seed: 3)
        let path = disk.root + "/" + Self.path
        let dead = try ReplicatedDatabase.create(at: path)
        try Self.apply(Array(history.entries[..<4]), to: dead, checkpointEvery: 2)
        disk.kill()
        let found = try ReplicatedDatabase.open(at: path)
        #expect(throws: StoreError.self) { try dead.apply(history.entries) }
        #expect(found.applied.lsn == LSN(4))
        try Self.apply(history.entries, to: found, checkpointEvery: 2)
        #expect(found.digest == history.entries.last?.digest)
    }
}

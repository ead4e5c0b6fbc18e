import Arbitration
import Replication
import Testing

@testable import Simulator

struct WitnessRecordTests {
    private static let pair = RandomID(high: 7, low: 7)

    private static func register(_ version: UInt64) -> Register {
        Register(
            version: version, epoch: Epoch(1), primary: .a, mode: .paired, disks: PerNode(a: .zero, b: .zero),
            starts: PerNode(a: 0, b: 0), floor: .zero)
    }

    private static func start(_ disk: SimulatedDisk, boot: String) throws -> WitnessRecord {
        disk.kill()
        return try WitnessRecord(in: SimulatedDirectory(disk, disk.root), boot: boot) { .random(in: 0 ... .max) }
    }

    private static func holding(_ version: UInt64, _ found: WitnessRecord) -> Witness.Record {
        var record = found.witness.record
        record.registers = [Witness.Pair(id: pair, name: "p", register: register(version))]
        return record
    }

    @Test("a witness that is killed while it is cautious starts cautious again")
    func staysCautious() throws {
        let disk = SimulatedDisk(seed: 1)
        let first = try Self.start(disk, boot: "monday")
        try first.save(Self.holding(1, first), isTrusted: true)
        #expect(try Self.start(disk, boot: "monday").witness.cautious.isEmpty)
        #expect(try Self.start(disk, boot: "tuesday").witness.cautious == [Self.pair])
        let again = try Self.start(disk, boot: "tuesday")
        #expect(again.witness.cautious == [Self.pair])
        // Another pair is installed meanwhile.
        try again.save(Self.holding(2, again), isTrusted: false)
        #expect(try Self.start(disk, boot: "tuesday").witness.cautious == [Self.pair])
    }

    @Test("no start of it is taken for another one, though the disk was put back between them")
    func putBack() throws {
        let disk = SimulatedDisk(seed: 1)
        _ = try Self.start(disk, boot: "monday")
        let image = disk.copy()
        let first = try Self.start(disk, boot: "monday")
        disk.replace(with: image)
        let second = try Self.start(disk, boot: "monday")
        #expect(first.witness.record == second.witness.record)
        #expect(first.witness.start != second.witness.start)
    }

    @Test("once the nodes were heard it is trusted, until the machine reboots again")
    func trusted() throws {
        let disk = SimulatedDisk(seed: 1)
        let first = try Self.start(disk, boot: "monday")
        try first.save(Self.holding(1, first), isTrusted: true)
        let cautious = try Self.start(disk, boot: "tuesday")
        try cautious.save(Self.holding(2, cautious), isTrusted: true)
        #expect(try Self.start(disk, boot: "tuesday").witness.cautious.isEmpty)
        #expect(try Self.start(disk, boot: "wednesday").witness.cautious == [Self.pair])
        // Where the system does not name its boots each start is one.
        #expect(try Self.start(disk, boot: "").witness.cautious == [Self.pair])
    }
}

import TestSupport
import Testing

@testable import DurableLog

struct DurableRecordTests {
    let disk = SimulatedDirectory()
    private func open() throws -> DurableRecord { try DurableRecord(in: disk, name: "record") }

    @Test("a record is nil until it is saved, and then what was saved last")
    func savesAndLoads() throws {
        let record = try open()
        #expect(record.load() == nil)
        for payload in [[1, 2, 3], [], [UInt8](repeating: 7, count: DurableRecord.maximumPayload)] as [[UInt8]] {
            try record.save(payload)
            #expect(record.load() == payload)
            #expect(try open().load() == payload)
        }
    }

    @Test("saving costs two syncs of one page each")
    func cost() throws {
        let record = try open()
        try record.save([1])
        let before = disk.changes
        try record.save([2])
        #expect(disk.changes - before == 4)
        #expect(disk.files["record"]?.bytes.count == 8192)
    }

    @Test("a flipped bit leaves the record as it was saved last", arguments: [1, 2])
    func flips(savings: Int) throws {
        let record = try open()
        for number in 1...savings { try record.save([UInt8(number)]) }
        let bytes = try #require(disk.files["record"]).bytes
        for bit in stride(from: 0, to: bytes.count * 8, by: 7) {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            let disk = SimulatedDirectory(files: ["record": changed])
            #expect(try DurableRecord(in: disk, name: "record").load() == [UInt8(savings)])
            #expect(disk.files["record"]?.bytes == bytes)
        }
    }

    @Test("a record cut short within its second slot is whole; within its first it is damaged")
    func truncations() throws {
        try open().save([1, 2, 3])
        let bytes = try #require(disk.files["record"]).bytes
        for length in stride(from: 0, through: bytes.count, by: 4) {
            let disk = SimulatedDirectory(files: ["record": Array(bytes[..<length])])
            if length >= 4096 {
                #expect(try DurableRecord(in: disk, name: "record").load() == [1, 2, 3])
            } else {
                #expect(throws: LogError.self) { try DurableRecord(in: disk, name: "record") }
            }
        }
    }

    @Test("two slots that no crash leaves are damage")
    func impossibleSlots() throws {
        let record = try open()
        var slots: [ArraySlice<UInt8>] = []
        for number in 1...3 {
            try record.save([UInt8(number)])
            slots.append(try #require(disk.files["record"]).bytes[..<4096])
        }
        func load(_ first: Int, _ second: Int) throws -> [UInt8]? {
            let disk = SimulatedDirectory(files: ["record": Array(slots[first] + slots[second])])
            return try DurableRecord(in: disk, name: "record").load()
        }
        #expect(try load(1, 0) == [2])
        #expect(throws: LogError.self) { try load(0, 1) }
        #expect(throws: LogError.self) { try load(2, 0) }
    }

    @Test("a power cut at any moment leaves the record that was saved, or the one that was being saved")
    func crashes() throws {
        for seed in 0..<10 as Range<UInt64> {
            for step in 0..<30 {
                let disk = SimulatedDirectory()
                disk.crashAfter = step
                var random = SeededRandom(seed << 8 | UInt64(step))
                var (saved, saving) = (nil as [UInt8]?, nil as [UInt8]?)
                do {
                    let record = try DurableRecord(in: disk, name: "record")
                    for number in 0..<5 as Range<UInt8> {
                        saving = [UInt8](repeating: number, count: 2000)
                        try record.save(saving ?? [])
                        saved = saving
                    }
                } catch {}
                var remains = disk.afterCrash(&random)
                let found = try DurableRecord(in: remains, name: "record").load()
                #expect(found == saved || found == saving)
                remains = remains.afterCrash(&random)
                #expect(try DurableRecord(in: remains, name: "record").load() == found)
            }
        }
    }

    @Test("after a failed sync the record is closed")
    func failedSync() throws {
        let record = try open()
        try record.save([1])
        disk.nextSyncFails = true
        #expect(throws: LogError.syncFailed(path: "disk/record.new", errno: 5)) { try record.save([2]) }
        #expect(throws: LogError.closed(path: "disk/record")) { try record.save([2]) }
        #expect(record.load() == [1])
    }
}

import Planted
import Replication
import Wire

/// A small record that is replaced as a whole and never goes back: two equal slots of 4 KiB in one file. All integers
/// are big-endian.
///
///     offset  size  field (of each slot)
///          0     4  magic "TWDR"
///          4     2  format version, 1
///          6     2  reserved, 0
///          8     8  counter: how often the record was saved, from 1
///         16     4  length of the payload, at most 4072
///         20     …  payload, then zeros
///       4092     4  CRC-32C of bytes 0..<4092
///
/// A slot is valid if and only if its magic and its checksum hold and its length is in bounds. `save` writes the first
/// slot and syncs it, then the second and syncs it, and only then is the record saved. So whichever slot alone is
/// valid, no newer record was ever saved, and whether the other one is a torn write or a rotten page does not matter.
///
///     first    second   the record
///     n        n        n, if the payloads are equal
///     n        n - 1    n: its saving was interrupted, and is finished now, before anybody is told of it
///     n        invalid  n, likewise
///     invalid  n        n: if there was an n + 1, its second slot was not written, so it was never saved
///     else              damage: no crash leaves this, only a disk that lost what it had synced
///
/// With one write to alternating slots a torn write of the newest record could not be told from the decay of a saved
/// one, and the older would be taken for the newest. This costs a second sync, and finds every single fault. What it
/// can't find is a file put back whole to an earlier state; the register's start counters are there for that.
package final class DurableRecord {
    package static let maximumPayload = slotSize - headerSize - 4
    private static let slotSize = 4096
    private static let headerSize = 20
    private static let version: UInt16 = 1
    private static let magic: UInt32 = 0x5457_4452

    private struct Slot: Equatable {
        var counter: UInt64
        var payload: [UInt8]
    }

    private let directory: any DiskDirectory
    private let name: String
    /// Nil until the record is first saved.
    private var file: (any DiskFile)?
    private var current: Slot?
    private var isClosed = false

    /// Finds the record and, if its last saving was interrupted, finishes that.
    package init(in directory: any DiskDirectory, name: String) throws(LogError) {
        (self.directory, self.name) = (directory, name)
        guard try directory.names().contains(name) else { return }
        let file = try directory.open(name)
        let first = try Self.slot(0, of: file)
        let second = try Self.slot(1, of: file)
        switch (first, second) {
        case (let slot?, nil), (nil, let slot?): current = slot
        case (let first?, let second?) where first == second || first.counter == second.counter + 1: current = first
        case (nil, nil): throw .damaged(path: file.path, offset: 0, reason: "neither slot of the record is valid")
        case (let first?, let second?):
            let reason = "the record's slots are of savings \(first.counter) and \(second.counter)"
            throw .damaged(path: file.path, offset: 0, reason: reason)
        }
        self.file = file
        // Rewritten even if both slots can be read: what can be read is not yet on the disk.
        if let current { try write(current, to: file) }
        try directory.sync()
    }

    /// The newest record, nil if none was ever saved.
    package func load() -> [UInt8]? { current?.payload }

    /// The newest record in a file that its owner may be writing at this moment: nothing is finished or judged.
    static func look(at name: String, in directory: any ReadableDirectory) throws(LogError) -> [UInt8]? {
        guard try directory.names().contains(name) else { return nil }
        let file = try directory.open(name)
        let slots = [try slot(0, of: file), try slot(1, of: file)]
        return slots.compactMap { $0 }.max { $0.counter < $1.counter }?.payload
    }

    /// Replaces the record. Two syncs of one page each; the first time, a new file.
    /// - Throws: after any error it is unknown which of the two records the disk holds, and every later call throws.
    package func save(_ payload: [UInt8]) throws(LogError) {
        precondition(payload.count <= Self.maximumPayload, "a record of \(payload.count) bytes")
        guard !isClosed else { throw .closed(path: directory.path(of: name)) }
        isClosed = true
        let slot = Slot(counter: (current?.counter ?? 0) + 1, payload: payload)
        if let file {
            try write(slot, to: file)
        } else {
            let new = name + ".new"
            let file = try directory.create(new)
            try write(slot, to: file)
            try directory.rename(new, to: name)
            try directory.sync()
            self.file = file
        }
        current = slot
        isClosed = false
    }

    private func write(_ slot: Slot, to file: any DiskFile) throws(LogError) {
        let bytes = Self.encode(slot)
        for index in 0..<2 {
            try bytes.span.bytes.withUnsafeBytes { bytes throws(LogError) in
                try file.write(bytes, at: index * Self.slotSize)
            }
            if planted("recordWithoutSync") || index == 0 && planted("recordSlotsTogether") { continue }
            try file.sync()
        }
    }

    private static func encode(_ slot: Slot) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: slotSize)
        bytes.replaceSubrange(headerSize..<headerSize + slot.payload.count, with: slot.payload)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.store(magic, at: 0)
            bytes.store(version, at: 4)
            bytes.store(slot.counter, at: 8)
            bytes.store(UInt32(slot.payload.count), at: 16)
            bytes.store(crc32c(UnsafeRawBufferPointer(rebasing: bytes[..<(slotSize - 4)])), at: slotSize - 4)
        }
        return bytes
    }

    /// - Returns: nil if the slot is not valid.
    private static func slot(_ index: Int, of file: any DiskFile) throws(LogError) -> Slot? {
        let buffer = Buffer()
        let bytes = try buffer.fill(slotSize, from: file, at: index * slotSize)
        guard bytes.count == slotSize, bytes.load(at: 0) == magic,
            bytes.load(at: slotSize - 4) == crc32c(UnsafeRawBufferPointer(rebasing: bytes[..<(slotSize - 4)]))
        else { return nil }
        let found: UInt16 = bytes.load(at: 4)
        guard found <= version || planted("openANewerFormat") else {
            throw .newerFormat(path: file.path, newest: version, found: found)
        }
        let length = Int(bytes.load(at: 16) as UInt32)
        guard length <= maximumPayload else { return nil }
        return Slot(counter: bytes.load(at: 8), payload: Array(bytes[headerSize..<headerSize + length]))
    }
}

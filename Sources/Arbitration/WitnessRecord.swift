import DurableLog
import Planted
import Replication
import Wire

/// The witness's record file, and whether what it holds may be trusted: not if the machine has rebooted since it was
/// last trusted, until the nodes have been heard (rule R12).
///
/// The file keeps the boot id of the last trusted moment, not that of the last writing: a process that is killed while
/// it is cautious starts cautious again.
package final class WitnessRecord {
    private let file: DurableRecord
    /// Names the time since the machine last started; empty: unknown, and never trusted.
    private let boot: String
    private var trusted: String

    /// As it begins.
    package let witness: Witness

    /// - Parameter random: for the id of an empty disk, and for this start.
    package init(
        in directory: any DiskDirectory, boot: String, random: () -> UInt64
    ) throws(WitnessError) {
        self.boot = boot
        do throws(LogError) { file = try DurableRecord(in: directory, name: "witness") } catch { throw .disk(error) }
        let record: Witness.Record
        if let bytes = file.load() {
            guard let stored = try? WitnessFile(bytes: bytes) else { throw .unreadable(path: directory.path) }
            (record, trusted) = (stored.record, stored.boot)
        } else {
            (record, trusted) = (Witness.Record(id: RandomID(high: random(), low: random())), boot)
        }
        witness = Witness(
            record: record, start: planted("startByTheSameNumber") ? 1 : random(),
            machineRebooted: boot.isEmpty || trusted != boot)
        if witness.cautious.isEmpty { trusted = boot }
        do throws(LogError) {
            try file.save(WitnessFile(record: record, boot: trusted).bytes)
        } catch { throw .disk(error) }
    }

    /// Writes and syncs.
    /// - Parameter isTrusted: no pair of it is waited for any more.
    package func save(_ record: Witness.Record, isTrusted: Bool) throws(LogError) {
        if isTrusted { trusted = boot }
        try file.save(WitnessFile(record: record, boot: trusted).bytes)
    }
}

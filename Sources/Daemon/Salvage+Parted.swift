import DurableLog
import Replication

extension Salvage {
    /// For a node whose log and the leader's have no entry in common any more. It lacks nothing that it followed as a
    /// standby: the other node answered that. It may have answered alone what the other lacks if it led last, and
    /// alone: the register that it knew at its start said so, or it was forced to, or it led in this very life.
    /// Nobody can claim after a node that leads solo by the register, so then the other one was forced, and something
    /// is lost; without that, an ordinary failover has happened, and all of it is there.
    ///
    /// Where the two parted nobody knows, but the other can't lack what was there when this node began to lead.
    /// - Parameter began: the log's end at this node's start.
    /// - Returns: nil: there is nothing to be set aside.
    static func parted(
        _ opened: DataDirectory.Opened, in directory: DataDirectory, began: Position
    ) throws(LogError) -> Salvage? {
        let (file, log) = (opened.file, opened.log)
        let reign = log.epochStarts().reversed().prefix { $0.epoch.owner == file.node }
        guard let first = reign.last?.lsn, log.last.lsn >= first else { return nil }
        let register = file.record.register
        let ledAlone = register.primary == file.node && register.mode == .solo
        let ledNow = log.last.epoch != began.epoch
        let wasForced = try wasForced(log, from: first)
        guard ledAlone || ledNow || wasForced else { return nil }
        let common = try log.position(at: LSN(first.value - 1)) ?? .zero
        return Salvage(
            directory: directory, file: file, common: common, isExact: false, applied: opened.database.applied.lsn)
    }

    private static func wasForced(_ log: EntryLog, from first: LSN) throws(LogError) -> Bool {
        for start in log.epochStarts() where start.lsn >= first {
            if try log.read(from: start.lsn, maxBytes: 1).first?.kind == .forcedMark { return true }
        }
        return false
    }
}

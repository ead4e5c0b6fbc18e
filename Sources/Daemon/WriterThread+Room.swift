import Glibc
import Replication
import Store
import Wire

/// A full disk under the database. What is committed in the log has to be done here too, sooner or later: the writer
/// waits for room, as it would for a disk that is stuck. That is rare, since the write-ahead log's file has its full
/// size beforehand.
extension WriterThread {
    /// Microseconds between two attempts.
    private static var retry: UInt32 { 50_000 }

    /// - Returns: false: to be stopped while it waits.
    func commit(_ database: ReplicatedDatabase, at position: Position) throws(StoreError) -> Bool {
        do throws(StoreError) {
            try database.commit(at: position)
            return true
        } catch {
            guard case .diskFull = error, let entry = database.uncommitted else { throw error }
            diskFull()
            return try apply([entry], to: database)
        }
    }

    /// - Returns: false: to be stopped while it waits.
    func apply(_ entries: [Entry], to database: ReplicatedDatabase) throws(StoreError) -> Bool {
        while true {
            do throws(StoreError) {
                try database.apply(entries)
                return true
            } catch .diskFull {
                diskFull()
            }
            if isToStop { return false }
            usleep(Self.retry)
        }
    }

    /// One that finds no room is made up for by a later one: the log keeps what it would have put on the disk.
    func checkpoint(
        _ database: ReplicatedDatabase, _ state: inout RoomyCheckpoints, now: Bool = false
    ) throws(StoreError) {
        do throws(StoreError) {
            let position = try database.checkpoint(now: now)
            if !state.isReserved, now || position != nil {
                try database.reserveWriteAheadLog()
                state.isReserved = true
            }
            if let position { report(.checkpointed(through: position.lsn)) }
        } catch .diskFull {
            diskFull()
        }
    }
}

struct RoomyCheckpoints {
    /// The write-ahead log's file has its full size.
    var isReserved = false
}

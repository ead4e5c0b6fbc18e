import Replication

/// An entry of the walk's logs; the payload stands for a batch of transactions and is never used twice.
struct Record: Equatable, CustomStringConvertible {
    var position: Position
    var payload: UInt64
    var description: String { "\(position)#\(payload)" }
}

/// A node's log: what its process has asked for, and what a file of it would hold.
struct SimulatedLog {
    enum Order {
        case append([Record])
        case cut(to: LSN)
    }
    /// As the process sees it; the orders under way will make the file equal to it.
    private(set) var entries: [Record] = []
    private(set) var file: [Record] = []
    /// So much of the file survives a power cut.
    private(set) var synced = 0
    private(set) var orders: [Order] = []
    private(set) var busy = false

    mutating func append(_ records: [Record]) {
        entries += records
        orders.append(.append(records))
    }

    mutating func cut(to lsn: LSN) {
        entries.removeLast(entries.count - Int(lsn.value))
        orders.append(.cut(to: lsn))
    }

    /// Begins the next order; appends that follow each other share one sync.
    mutating func begin() -> Order? {
        guard !busy, let first = orders.first else { return nil }
        busy = true
        guard case .append = first else {
            orders.removeFirst()
            return first
        }
        var batch: [Record] = []
        while case .append(let records) = orders.first {
            batch += records
            orders.removeFirst()
        }
        file += batch
        return .append(batch)
    }

    mutating func finish(_ order: Order) {
        busy = false
        switch order {
        case .append(let records): synced += records.count
        case .cut(let lsn):
            file.removeLast(file.count - Int(lsn.value))
            synced = min(synced, file.count)
        }
    }

    /// The process is gone; `kept` of the unsynced tail can still be read, and a restart syncs it.
    mutating func crash(keeping kept: (ClosedRange<UInt64>) -> UInt64, cutting: Order?) {
        if let cutting, case .cut(let lsn) = cutting {
            file.removeLast(file.count - Int(lsn.value))
            synced = min(synced, file.count)
        }
        file.removeLast(file.count - Int(kept(UInt64(synced)...UInt64(file.count))))
        (synced, entries, orders, busy) = (file.count, file, [], false)
    }

    var table: EpochTable {
        var table = EpochTable()
        for entry in entries { table.append(entry.position) }
        return table
    }

    func contains(_ record: Record) -> Bool {
        let index = Int(record.position.lsn.value) - 1
        return index < entries.count && entries[index] == record
    }

    func isDurable(_ record: Record) -> Bool {
        let index = Int(record.position.lsn.value) - 1
        return index < synced && file[index] == record
    }
}

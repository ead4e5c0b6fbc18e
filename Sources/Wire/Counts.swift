import Replication

/// How far anything counted may have come: positions, epochs, versions.
///
/// Who reads such a number goes on counting from it, so none may stand near the end of its 64 bits; and what is then
/// written to this program's own file must be read again, so a file may hold more than a message. No pair comes near
/// either by counting: one a nanosecond, 2^62 takes 146 years.
enum Count {
    static let messageLimit: UInt64 = 1 << 62
    static let fileLimit: UInt64 = 1 << 63
    /// Each schema change raises it by one.
    static let schemaVersionLimit: UInt32 = 1 << 31
}

extension UInt64 {
    init(counted number: UInt64, below limit: UInt64 = Count.messageLimit, field: String) throws(MalformedMessage) {
        guard number < limit else { throw MalformedMessage(field: field) }
        self = number
    }
}

extension LSN {
    init(wire number: UInt64, below limit: UInt64 = Count.messageLimit, field: String) throws(MalformedMessage) {
        self.init(try UInt64(counted: number, below: limit, field: field))
    }
}

extension Epoch {
    init(wire number: UInt64, below limit: UInt64 = Count.messageLimit, field: String) throws(MalformedMessage) {
        self.init(try UInt64(counted: number, below: limit, field: field))
    }
}

extension EntryFrame {
    /// The log can go on behind it.
    var isCountable: Bool {
        position.lsn.value < Count.messageLimit && position.epoch.value < Count.messageLimit
            && schemaVersion < Count.schemaVersionLimit
    }
}

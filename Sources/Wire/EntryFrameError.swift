import Replication

/// Why bytes are no entry frame. One case for each rule in EntryFrame.swift.
package enum FrameError: Error, Equatable, CustomStringConvertible {
    case headChecksum
    case lengthOutOfBounds(Int)
    case bodyChecksum
    case unknownKind(UInt8)
    case unknownFlags(UInt8)
    case reservedNotZero
    case noPosition(Position)
    case knownSyncedTooHigh(LSN, at: Position)
    case markWithPayload

    package var description: String {
        switch self {
        case .headChecksum: "the checksum of the frame's head does not hold"
        case .lengthOutOfBounds(let length): "a frame of \(length) bytes; it must be within \(EntryFrame.lengths)"
        case .bodyChecksum: "the checksum of the frame's body does not hold"
        case .unknownKind(let kind): "an entry of kind \(kind); update this node to the version that wrote it"
        case .unknownFlags(let flags): "an entry with flags \(flags); update this node to the version that wrote it"
        case .reservedNotZero: "reserved bytes are not 0; update this node to the version that wrote them"
        case .noPosition(let position): "position \(position); LSNs and epochs begin at 1"
        case .knownSyncedTooHigh(let known, let position): "entry \(position) says that \(known) was synced before it"
        case .markWithPayload: "the mark of an epoch with a payload"
        }
    }
}

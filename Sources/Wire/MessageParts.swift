import FoundationEssentials
import Replication

/// Long messages between nodes, in parts: so that a heartbeat never waits behind 64 MiB of entries.
package enum MessageParts {
    /// Of one part, in bytes. A gigabit takes a millisecond for it.
    package static let size = 128 << 10
    /// The longest frame between nodes: a part with what is around it, or a whole message of that size.
    package static let frameLimit = size + 1024
    /// The longest message: one entry of the largest size and what is around it.
    package static let messageLimit = EntryFrame.lengths.upperBound + 1024

    /// The encoded parts of an encoded message, in order.
    package static func cut(_ message: [UInt8], number: UInt64, _ use: ([UInt8]) throws -> Void) rethrows {
        for offset in stride(from: 0, to: message.count, by: size) {
            var part = Twinline_Node_V1_PeerMessage()
            part.part.offset = UInt64(offset)
            part.part.length = UInt64(message.count)
            part.part.number = number
            part.part.bytes = Data(message[offset..<min(offset + size, message.count)])
            try use(encoded(part))
        }
    }
}

/// Puts the parts of one connection together again.
package struct MessageAssembly {
    private var bytes: [UInt8] = []
    private var length = 0

    package init() {}

    /// The whole message once this part completes it; memory grows with what has come, not with what was announced.
    package mutating func add(_ part: Twinline_Node_V1_Part) throws(MalformedMessage) -> Twinline_Node_V1_PeerMessage? {
        if part.offset == 0 {
            guard part.length <= MessageParts.messageLimit else { throw MalformedMessage(field: "length") }
            (bytes, length) = ([], Int(part.length))
        }
        guard part.offset == bytes.count, part.length == length, !part.bytes.isEmpty,
            part.bytes.count <= length - bytes.count
        else { throw MalformedMessage(field: "part") }
        bytes.append(contentsOf: part.bytes)
        guard bytes.count == length else { return nil }
        defer { (bytes, length) = ([], 0) }
        let message: Twinline_Node_V1_PeerMessage = try decoded(bytes)
        if case .part? = message.body { throw MalformedMessage(field: "part") }
        return message
    }
}

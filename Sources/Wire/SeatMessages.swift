import FoundationEssentials
import Tickets

/// A message of the seat protocol that says something impossible. The connection may go on; the message is not run.
package struct MalformedMessage: Error, Equatable, CustomStringConvertible {
    /// The field as the protocol names it.
    package let field: String
    package init(field: String) { self.field = field }

    /// As an answer to the seat that sent it.
    package var refusal: Refusal { .malformed(field: field) }
    package var description: String { refusal.description }
}

// The shapes that all messages share. Nothing here trusts its input: it comes from the network.

extension TicketID {
    /// From exactly 16 big-endian bytes.
    package init(_ bytes: Data, field: String = "ticket") throws(MalformedMessage) {
        guard bytes.count == 16 else { throw MalformedMessage(field: field) }
        self = bytes.withUnsafeBytes { raw in
            TicketID(
                high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// 16 big-endian bytes.
    package var bytes: Data { withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Data($0) } }
}

extension RawRepresentable where RawValue == Int64 {
    init(wire number: UInt32, field: String) throws(MalformedMessage) {
        guard let value = Self(rawValue: Int64(number)) else { throw MalformedMessage(field: field) }
        self = value
    }

    var wire: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

extension Int64 {
    init(wire number: UInt64, field: String) throws(MalformedMessage) {
        guard let value = Int64(exactly: number) else { throw MalformedMessage(field: field) }
        self = value
    }
}

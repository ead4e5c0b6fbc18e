import FoundationEssentials
import SwiftProtobuf
import Tickets
import Wire

/// A call that a seat keeps on its own disk until it has its answer. All integers are big-endian.
///
///     offset  size  field
///          0     4  magic "TWOB"
///          4     2  format version, 1
///          6     2  reserved, 0
///          8     8  session of its name; 0: it has no name yet, and was never sent
///         16     8  sequence of its name
///         24     8  when it was kept: milliseconds since 1970 by the seat's clock, for people
///         32     4  length of the payload
///         36     …  payload: a `Request` of the seat protocol, without its name
///          …     4  CRC-32C of all before
///
/// It is valid if and only if magic and version are these, the length is that of the file, the checksum holds, and the
/// payload is a command on a ticket.
package struct KeptCall: Equatable, Sendable {
    /// In the order in which they were kept, from 1.
    package var number: UInt64
    package var command: Command
    package var name: RequestName?
    package var keptAt: Int64

    package init(_ number: UInt64, _ command: Command, name: RequestName? = nil, keptAt: Int64) {
        (self.number, self.command, self.name, self.keptAt) = (number, command, name, keptAt)
    }

    private static let magic: UInt32 = 0x5457_4F42
    private static let version: UInt16 = 1
    private static let header = 36

    /// Nil: it can't be encoded.
    var bytes: [UInt8]? {
        guard let payload: [UInt8] = try? Twinline_Seat_V1_Request(command).serializedBytes() else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.header + payload.count + 4)
        bytes.append(Self.magic)
        bytes.append(Self.version)
        bytes.append(UInt16(0))
        bytes.append(name?.session ?? 0)
        bytes.append(name?.sequence ?? 0)
        bytes.append(keptAt)
        bytes.append(UInt32(payload.count))
        bytes.append(contentsOf: payload)
        bytes.append(bytes.withUnsafeBytes { crc32c($0) })
        return bytes
    }

    /// Nil: damaged.
    init?(_ number: UInt64, _ bytes: [UInt8]) {
        guard bytes.count >= Self.header + 4 else { return nil }
        let end = bytes.count - 4
        let isSound = bytes.withUnsafeBytes { raw in
            raw.integer(at: 0) == Self.magic && raw.integer(at: 4) == Self.version
                && Int(raw.integer(at: 32) as UInt32) == end - Self.header
                && raw.integer(at: end) == crc32c(UnsafeRawBufferPointer(rebasing: raw[..<end]))
        }
        guard isSound, let request = try? Twinline_Seat_V1_Request(serializedBytes: Array(bytes[Self.header..<end])),
            let command = try? Command(request)
        else { return nil }
        let (session, sequence, keptAt): (Int64, Int64, Int64) = bytes.withUnsafeBytes {
            ($0.integer(at: 8), $0.integer(at: 16), $0.integer(at: 24))
        }
        let name = session == 0 ? nil : RequestName(session: session, sequence: sequence)
        self.init(number, command, name: name, keptAt: keptAt)
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func integer<Integer: FixedWidthInteger>(at offset: Int) -> Integer {
        Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}

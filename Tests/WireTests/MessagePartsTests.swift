import FoundationEssentials
import Replication
import Testing

@testable import Wire

struct MessagePartsTests {
    let payload = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }

    private var message: Twinline_Node_V1_PeerMessage {
        var message = Twinline_Node_V1_PeerMessage()
        message.append.frames = Data(payload)
        return message
    }

    private func parts(of message: Twinline_Node_V1_PeerMessage) throws -> [Twinline_Node_V1_Part] {
        var parts: [Twinline_Node_V1_Part] = []
        try MessageParts.cut(encoded(message), number: 7) { bytes in
            #expect(bytes.count <= MessageParts.frameLimit)
            parts.append(try (decoded(bytes) as Twinline_Node_V1_PeerMessage).part)
        }
        return parts
    }

    @Test("a message's parts make the message again, after one that was never finished too")
    func roundTrip() throws {
        let parts = try parts(of: message)
        #expect(parts.count == 4)
        var assembly = MessageAssembly()
        #expect(try assembly.add(parts[0]) == nil)
        #expect(try assembly.add(parts[1]) == nil)
        for part in parts.dropLast() {
            #expect(part.number == 7)
            #expect(try assembly.add(part) == nil)
        }
        #expect(try assembly.add(parts[3]) == message)
    }

    @Test("a part is byte for byte what the protocol says")
    func golden() throws {
        var part = Twinline_Node_V1_PeerMessage()
        (part.part.offset, part.part.length, part.part.bytes) = (131_072, 131_074, Data([7, 8]))
        // part, 12 bytes: offset, length, two bytes
        #expect(
            encoded(part) == [0xca, 0x01, 0x0c, 0x08, 0x80, 0x80, 0x08, 0x10, 0x82, 0x80, 0x08, 0x1a, 0x02, 0x07, 0x08])
    }

    @Test("parts that are missing, repeated, empty or too long are refused")
    func refusals() throws {
        let parts = try parts(of: message)
        func refused(_ first: Int, _ change: (inout Twinline_Node_V1_Part) -> Void) throws {
            var assembly = MessageAssembly()
            for part in parts[..<first] { #expect(try assembly.add(part) == nil) }
            var part = parts[first]
            change(&part)
            #expect(throws: MalformedMessage.self) { _ = try assembly.add(part) }
        }
        try refused(1) { $0 = parts[2] }
        try refused(2) { $0 = parts[1] }
        try refused(1) { $0.bytes = Data() }
        try refused(1) { $0.length += 1 }
        try refused(3) { $0.bytes.append(0) }
        try refused(0) { $0.length = UInt64(MessageParts.messageLimit) + 1 }
        try refused(0) { $0.length = .max }
        try refused(1) { $0.offset = .max }
    }

    @Test("a part of a part is refused")
    func nested() throws {
        var nested = Twinline_Node_V1_PeerMessage()
        nested.part.bytes = Data(payload)
        let parts = try parts(of: nested)
        var assembly = MessageAssembly()
        for part in parts.dropLast() { #expect(try assembly.add(part) == nil) }
        #expect(throws: MalformedMessage.self) { _ = try assembly.add(parts[parts.count - 1]) }
    }
}

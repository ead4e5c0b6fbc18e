import Testing

@testable import Commands

/// What a clogged cable lets pass: all that carries no byte of a TCP connection.
@Suite struct CableTests {
    /// Ethernet, IPv4 and TCP as they stand behind a virtio_net_hdr, with options of so many words.
    private func frame(
        payload: Int, type: [UInt8] = [0x08, 0x00], transport: UInt8 = 6, ipOptions: Int = 0, tcpOptions: Int = 3,
        padding: Int = 0
    ) -> [UInt8] {
        let (ip, tcp) = (20 + ipOptions * 4, 20 + tcpOptions * 4)
        let length = ip + tcp + payload
        var packet = [UInt8](repeating: 0, count: length)
        packet[0] = 0x40 | UInt8(ip / 4)
        (packet[2], packet[3]) = (UInt8(length >> 8), UInt8(length & 0xff))
        packet[9] = transport
        packet[ip + 12] = UInt8(tcp / 4) << 4
        let ethernet = [UInt8](repeating: 1, count: 12) + type
        return [UInt8](repeating: 0, count: 10) + ethernet + packet + [UInt8](repeating: 0, count: padding)
    }

    @Test("bytes of a connection are told from its beginning, its end and what confirms them")
    func payload() {
        #expect(CableFrame(frame(payload: 1)).hasPayload)
        #expect(CableFrame(frame(payload: 40_000, ipOptions: 1, tcpOptions: 10)).hasPayload)
        #expect(!CableFrame(frame(payload: 0)).hasPayload)
        #expect(!CableFrame(frame(payload: 0, tcpOptions: 10)).hasPayload)
        // Ethernet fills up what is short.
        #expect(!CableFrame(frame(payload: 0, tcpOptions: 0, padding: 6)).hasPayload)
    }

    @Test("whatever is not TCP passes, and what is cut off is no reason to crash")
    func others() {
        #expect(!CableFrame(frame(payload: 100, type: [0x08, 0x06])).hasPayload)
        #expect(!CableFrame(frame(payload: 100, transport: 17)).hasPayload)
        let whole = frame(payload: 5)
        for length in 0..<(10 + 14 + 20 + 13) { #expect(!CableFrame(Array(whole.prefix(length))).hasPayload) }
    }
}

import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import Transport

/// Against the openssl tool, as an implementation that isn't ours to err the same way.
@Suite struct ForeignPeerTests {
    private func tool(_ command: String, _ files: TLSFiles?, _ arguments: String...) throws -> Tool {
        let own = files.map { ["-cert", $0.certificate, "-key", $0.key, "-CAfile", $0.authority] } ?? []
        return try Tool([command] + own + arguments)
    }

    @Test("a foreign client is let in and understood")
    func client() async throws {
        let echo = try await Echo()
        let tool = try tool(
            "s_client", Authority.hotline.files("ops-anna"), "-connect", echo.address.numeric, "-alpn",
            "twinline-seat/1", "-quiet", "-verify_return_error")
        #expect(await echo.next() == .accepted(Identity(pair: "hotline", role: .ops("anna")), .seat))
        try tool.write([0, 0, 0, 2, 0x68, 0x69])
        #expect(try tool.read(6) == [0, 0, 0, 2, 0x68, 0x69])
        tool.end()
        await echo.listener.close()
    }

    @Test("a foreign client without a certificate, without TLS 1.3 or without our protocol is refused by name")
    func refusedClients() async throws {
        let echo = try await Echo()
        let address = echo.address.numeric
        let files = Authority.hotline.files("seat-017")
        var tool = try tool("s_client", nil, "-connect", address, "-alpn", "twinline-seat/1", "-quiet")
        #expect(await echo.next() == .refused(.peerRefused(.noCertificate)))
        tool.end()
        tool = try self.tool("s_client", files, "-connect", address, "-alpn", "twinline-seat/1", "-tls1_2")
        #expect(await echo.next() == .refused(.peerRefused(.oldTLS)))
        tool.end()
        tool = try self.tool("s_client", files, "-connect", address, "-alpn", "h2")
        #expect(await echo.next() == .refused(.peerRefused(.noCommonProtocol)))
        tool.end()
        tool = try self.tool("s_client", files, "-connect", address, "-quiet")
        #expect(await echo.next() == .refused(.peerRefused(.noCommonProtocol, of: "twinline://hotline/seat/017")))
        tool.end()
        await echo.listener.close()
    }

    @Test("a foreign server is accepted and understood")
    func server() async throws {
        let tool = try tool(
            "s_server", Authority.hotline.files("node-a"), "-accept", "127.0.0.1:0", "-alpn", "twinline-seat/1",
            "-Verify", "2", "-tls1_3", "-naccept", "1")
        let caller = try await Caller(try tool.acceptedAddress())
        try await caller.send(Array("from here".utf8))
        try tool.read(upTo: "from here")
        try tool.write([0, 0, 0, 3] + Array("hi\n".utf8))
        #expect(try await caller.next() == Array("hi\n".utf8))
        try await caller.channel.close()
        tool.end()
    }

    @Test("a foreign server that speaks only TLS 1.2, or not our protocol, is refused")
    func refusedServers() async throws {
        var tool = try tool(
            "s_server", Authority.hotline.files("node-a"), "-accept", "127.0.0.1:0", "-tls1_2", "-naccept", "1")
        let told = TransportError.refusedByPeer(alert: "protocol version", own: "twinline://hotline/seat/017")
        await #expect(throws: told) {
            try await Caller(try tool.acceptedAddress())
        }
        tool.end()
        tool = try self.tool(
            "s_server", Authority.hotline.files("node-a"), "-accept", "127.0.0.1:0", "-naccept", "1")
        await #expect(throws: TransportError.peerRefused(.noCommonProtocol, of: "twinline://hotline/node/a")) {
            try await Caller(try tool.acceptedAddress())
        }
        tool.end()
    }
}

/// An openssl process with its input and output in hand.
private final class Tool {
    private let process = Process()
    private let input = Pipe(), output = Pipe()
    private var seen: [UInt8] = []

    init(_ arguments: [String]) throws {
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        (process.standardInput, process.standardOutput) = (input, output)
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { process.terminate() } }

    func write(_ bytes: [UInt8]) throws { try input.fileHandleForWriting.write(contentsOf: Data(bytes)) }
    /// Not `waitUntilExit`: s_client does not end with its input.
    func end() { process.terminate() }

    func read(_ count: Int) throws -> [UInt8] {
        while seen.count < count { try readMore() }
        defer { seen.removeFirst(count) }
        return Array(seen.prefix(count))
    }

    @discardableResult func read(upTo text: String) throws -> String {
        while true {
            let all = String(decoding: seen, as: UTF8.self)
            if let range = all.range(of: text) {
                seen = Array(all[range.upperBound...].utf8)
                return String(all[..<range.lowerBound])
            }
            try readMore()
        }
    }

    /// s_server prints "ACCEPT 127.0.0.1:PORT" once it listens.
    func acceptedAddress() throws -> SocketAddress {
        try read(upTo: "ACCEPT 127.0.0.1:")
        let port = try read(upTo: "\n")
        return try SocketAddress(ipAddress: "127.0.0.1", port: Int(port) ?? 0)
    }

    private func readMore() throws {
        let data = output.fileHandleForReading.availableData
        guard !data.isEmpty else { throw ChannelError.eof }
        seen += data
    }
}

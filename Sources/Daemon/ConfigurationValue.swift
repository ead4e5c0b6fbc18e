import Logging
import NIOCore
import Replication

/// The texts that a configuration's values are written in.
enum ConfigurationValue {
    /// Why a text is not the value that is expected, and what to write.
    struct Refusal: Error {
        var reason: String
        init(_ reason: String) { self.reason = reason }
    }

    static func text(_ text: String) throws(Refusal) -> String {
        guard !text.isEmpty else { throw Refusal("must not be empty") }
        return text
    }

    /// As certificates name a pair (Identity.swift).
    static func pair(_ text: String) throws(Refusal) -> String {
        let isName = { (byte: UInt8) in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        }
        guard (1...64).contains(text.utf8.count), text.utf8.first.map(isName) == true,
            text.utf8.allSatisfy({ isName($0) || [0x2d, 0x2e, 0x5f].contains($0) })
        else {
            throw Refusal("'\(text)' names no pair; write 1 to 64 of A-Z a-z 0-9 - _ . and begin with no sign")
        }
        return text
    }

    static func node(_ text: String) throws(Refusal) -> NodeName {
        guard let name = NodeName(rawValue: text) else { throw Refusal("'\(text)' is no node; write a or b") }
        return name
    }

    static func yesOrNo(_ text: String) throws(Refusal) -> Bool {
        switch text {
        case "yes", "true": return true
        case "no", "false": return false
        default: throw Refusal("'\(text)' is neither yes nor no")
        }
    }

    static func logLevel(_ text: String) throws(Refusal) -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal("'\(text)' is no log level; write one of \(levels)")
        }
        return level
    }

    /// Where to listen: port 0 takes a free one.
    static func listenAddress(_ text: String) throws(Refusal) -> SocketAddress { try address(text, ports: 0...65535) }

    /// Where somebody else listens.
    static func address(_ text: String) throws(Refusal) -> SocketAddress { try address(text, ports: 1...65535) }

    /// As it was written, too: a seat looks a name up again for each connection.
    struct NamedAddress {
        var host: String
        var address: SocketAddress
    }

    static func namedAddress(_ text: String) throws(Refusal) -> NamedAddress {
        let address = try address(text)
        // What could be looked up ends with a colon and the port; brackets are for numbers only.
        let host = text[..<(text.lastIndex(of: ":") ?? text.endIndex)]
        return NamedAddress(host: host.hasPrefix("[") ? address.ipAddress ?? "" : String(host), address: address)
    }

    /// One of this machine's own, without a port.
    static func localAddress(_ text: String) throws(Refusal) -> SocketAddress {
        guard let address = try? SocketAddress(ipAddress: text, port: 0) else {
            throw Refusal("'\(text)' is no numeric address of this machine; write one such as 192.0.2.17")
        }
        return address
    }

    /// "HOST:PORT" or "[IPv6]:PORT". A name is looked up now, once.
    private static func address(_ text: String, ports: ClosedRange<Int>) throws(Refusal) -> SocketAddress {
        guard let colon = text.lastIndex(of: ":"), colon > text.startIndex else {
            throw Refusal("'\(text)' is no address; write HOST:PORT, as in 192.0.2.1:7401 or \"[2001:db8::1]:7401\"")
        }
        guard let port = Int(text[text.index(after: colon)...]), ports.contains(port) else {
            throw Refusal("'\(text)' has no port from \(ports.lowerBound) to \(ports.upperBound)")
        }
        var host = text[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw Refusal("'\(text)': write an IPv6 address in brackets, as in \"[2001:db8::1]:7401\"")
        }
        do {
            if let numeric = try? SocketAddress(ipAddress: String(host), port: port) { return numeric }
            return try SocketAddress.makeAddressResolvingHost(String(host), port: port)
        } catch {
            throw Refusal("'\(host)' can't be looked up; write a numeric address, which needs nothing else to work")
        }
    }

    /// "300ms", "1s", "2m", in milliseconds; at least one.
    static func milliseconds(_ text: String) throws(Refusal) -> UInt64 {
        try quantity(text, units: ["ms": 1, "s": 1000, "m": 60_000], in: 1...86_400_000, example: "300ms, 1s or 2m")
    }

    /// "64MiB", in bytes. Smaller ones roll all the time, larger ones are given back too seldom.
    static func segmentSize(_ text: String) throws(Refusal) -> Int {
        let units: [String: UInt64] = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        return Int(try quantity(text, units: units, in: 1 << 20...4 << 30, example: "64MiB, within 1MiB to 4GiB"))
    }

    /// "0s", "90m", "24h", "7d", in seconds.
    static func seconds(_ text: String) throws(Refusal) -> UInt64 {
        let units: [String: UInt64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        return try quantity(text, units: units, in: 0...10 * 366 * 86_400, example: "90m, 24h or 7d")
    }

    /// "16GiB", in bytes.
    static func logLimit(_ text: String) throws(Refusal) -> Int {
        let units: [String: UInt64] = ["MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40]
        return Int(try quantity(text, units: units, in: 4 << 20...1 << 50, example: "16GiB, at least 4MiB"))
    }

    /// "100MB/s", in bytes a second. Slower ones never catch up with a busy pair.
    static func rate(_ text: String) throws(Refusal) -> UInt64 {
        let units: [String: UInt64] = ["MB/s": 1_000_000, "GB/s": 1_000_000_000]
        return try quantity(text, units: units, in: 1_000_000...100_000_000_000, example: "100MB/s, at least 1MB/s")
    }

    private static func quantity(
        _ text: String, units: [String: UInt64], in range: ClosedRange<UInt64>, example: String
    ) throws(Refusal) -> UInt64 {
        let digits = text.prefix { ("0"..."9").contains($0) }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = UInt64(digits), let factor = units[String(unit)] else {
            throw Refusal("'\(text)' is no quantity with a unit; write for example \(example)")
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow && range.contains(value) else {
            throw Refusal("'\(text)' is out of bounds; write for example \(example)")
        }
        return value
    }
}

import ArgumentParser
import Daemon
import Foundation
import Glibc
import Replication

/// A cable of a drill that takes its time: what comes in at one of two devices leaves by the other later, in its order.
/// The kernel's netem does as much where it is there. Whatever can't be sent is lost, as on any cable.
struct SlowCable {
    /// What every frame takes, in nanoseconds.
    var delay: ClosedRange<UInt64>
    /// Until then no byte of a TCP connection passes, and yet connections are taken: those frames wait that have any.
    var cloggedUntil: UInt64

    private struct Frame {
        var due: UInt64
        var bytes: [UInt8]
    }

    /// One direction.
    private struct Way {
        let from, to: Int32
        var moving: [Frame] = []
        var clogged: [Frame] = []
        /// No frame overtakes another.
        var lastDue: UInt64 = 0

        var nextDue: UInt64? { [moving.first?.due, clogged.first?.due].compactMap { $0 }.min() }

        mutating func sendDue(at now: UInt64) {
            for frames in [\Way.moving, \.clogged] {
                let count = self[keyPath: frames].prefix { $0.due <= now }.count
                for frame in self[keyPath: frames].prefix(count) {
                    _ = send(to, frame.bytes, frame.bytes.count, Int32(MSG_NOSIGNAL))
                }
                self[keyPath: frames].removeFirst(count)
            }
        }
    }

    /// Carries frames until the process is ended.
    /// - Parameter ready: called once it does.
    func carry(between one: String, and other: String, _ ready: () -> Void) throws -> Never {
        let (first, second) = (try Self.open(one), try Self.open(other))
        var ways = [Way(from: first, to: second), Way(from: second, to: first)]
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        ready()
        while true {
            let due = ways.compactMap(\.nextDue).min()
            let wait = due.map { $0 > now ? Int32(clamping: ($0 - now) / 1_000_000 + 1) : 0 } ?? -1
            var polled = ways.map { pollfd(fd: $0.from, events: Int16(POLLIN), revents: 0) }
            poll(&polled, nfds_t(polled.count), wait)
            for index in ways.indices where polled[index].revents != 0 {
                let count = recv(ways[index].from, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count > 0 { take(Array(buffer.prefix(count)), &ways[index]) }
            }
            for index in ways.indices { ways[index].sendDue(at: now) }
        }
    }

    private var now: UInt64 { monotonicNow().nanoseconds }

    private func take(_ bytes: [UInt8], _ way: inout Way) {
        way.lastDue = max(way.lastDue, now + .random(in: delay))
        if now < cloggedUntil, CableFrame(bytes).hasPayload {
            way.clogged.append(Frame(due: max(cloggedUntil, way.lastDue), bytes: bytes))
        } else {
            way.moving.append(Frame(due: way.lastDue, bytes: bytes))
        }
    }

    /// All frames that come in at a device, each with the header that says what of its checksum and its cutting up is
    /// still to be done: so they can be given on as they are.
    private static func open(_ device: String) throws -> Int32 {
        let everything = UInt16(3).bigEndian
        let file = socket(AF_PACKET, Int32(SOCK_RAW.rawValue), Int32(everything))
        // packet(7): sockaddr_ll; PACKET_IGNORE_OUTGOING, PACKET_VNET_HDR.
        var address = [UInt8](repeating: 0, count: 20)
        let index = if_nametoindex(device)
        address.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt16(AF_PACKET), toByteOffset: 0, as: UInt16.self)
            bytes.storeBytes(of: everything, toByteOffset: 2, as: UInt16.self)
            bytes.storeBytes(of: index, toByteOffset: 4, as: UInt32.self)
        }
        let isBound = address.withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { bind(file, $0.baseAddress, 20) }
        }
        var yes: Int32 = 1
        guard file >= 0, index != 0, isBound == 0,
            [23, 15].allSatisfy({ setsockopt(file, 263, $0, &yes, socklen_t(MemoryLayout<Int32>.size)) == 0 })
        else { throw Failure("can't take the place of the cable at \(device): \(String(cString: strerror(errno)))") }
        return file
    }
}

/// What is to be known of a frame: Ethernet behind the ten bytes of a virtio_net_hdr.
struct CableFrame {
    let hasPayload: Bool

    init(_ bytes: [UInt8]) {
        let ip = 10 + 14
        func word(_ at: Int) -> Int { Int(bytes[at]) << 8 | Int(bytes[at + 1]) }
        // IPv4 with TCP in it.
        guard bytes.count >= ip + 20, word(ip - 2) == 0x0800, bytes[ip + 9] == 6 else {
            hasPayload = false
            return
        }
        let header = Int(bytes[ip] & 15) * 4
        guard bytes.count > ip + header + 12 else {
            hasPayload = false
            return
        }
        hasPayload = word(ip + 2) > header + Int(bytes[ip + header + 12] >> 4) * 4
    }
}

/// What a drill starts in the place of a cable.
struct CableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cable", abstract: "Carries a drill's frames between two devices, later.", shouldDisplay: false)

    @Argument var one: String
    @Argument var other: String
    @Option(help: "Milliseconds.")
    var delay: UInt64 = 0
    @Option(help: "Milliseconds more, at most, by chance.")
    var jitter: UInt64 = 0
    @Option(help: "For so many milliseconds no byte of a TCP connection passes.")
    var clog: UInt64 = 0
    @Flag(help: .hidden)
    var endWithParent = false

    static let ready = "ready"

    func run() throws {
        if endWithParent { ProcessLife.endWithStandardInput() }
        let least = delay * 1_000_000
        let cable = SlowCable(
            delay: least...least + jitter * 1_000_000, cloggedUntil: monotonicNow().nanoseconds + clog * 1_000_000)
        try cable.carry(between: one, and: other) {
            print(Self.ready)
            fflush(nil)
        }
    }
}

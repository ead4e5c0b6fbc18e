import Daemon
import DurableLog
import Foundation
import Replication
import TestSupport
import Testing

@testable import Commands

/// Data directories that are not what a node or a witness needs, given to the real processes: one sentence that names
/// the path and what to do, and an exit code.
extension ProcessTests.DataDirectoryTests {
    /// A pair that has worked and is stopped. What a test does to it is undone by `mend`.
    private final class Stopped {
        let faulty: FaultyPair
        private let kept: URL
        private let names = ["data-a", "data-b", "data-witness", "node-a.yaml", "witness.yaml"]

        init() async throws {
            faulty = try FaultyPair()
            try await faulty.start()
            try await faulty.waitForWrites(500)
            try await faulty.audit()
            for process in faulty.pair.nodes.values + [faulty.pair.witness] { process.stop() }
            kept = faulty.pair.directory.appending(path: "kept")
            try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: true)
            for name in names { try FileManager.default.copyItem(at: file(name), to: kept.appending(path: name)) }
        }

        func file(_ name: String) -> URL { faulty.pair.directory.appending(path: name) }

        func mend() throws {
            for name in names {
                try? FileManager.default.removeItem(at: file(name))
                try FileManager.default.copyItem(at: kept.appending(path: name), to: file(name))
            }
        }

        func remove(_ name: String) throws { try FileManager.default.removeItem(at: file(name)) }

        func replace(_ old: String, _ new: String, in name: String) throws {
            let text = try String(contentsOf: file(name), encoding: .utf8)
            try #require(text.contains(old))
            try text.replacingOccurrences(of: old, with: new).write(to: file(name), atomically: true, encoding: .utf8)
        }

        /// Writes a version in the place where a format has it, with the checksum that belongs there.
        func newer(_ name: String, slots: Int = 1) throws {
            var bytes = try Data(contentsOf: file(name))
            for slot in 0..<slots {
                let page = slot * 4096..<slot * 4096 + 4092
                bytes[slot * 4096 + 5] = 99
                var sum = crc32c(Array(bytes[page])).bigEndian
                withUnsafeBytes(of: &sum) { bytes.replaceSubrange(page.upperBound..<page.upperBound + 4, with: $0) }
            }
            try bytes.write(to: file(name))
        }

        /// What the process says of its end, and its exit code. One that goes to work instead is killed.
        func run(_ role: String, _ configuration: String) async throws -> (code: Int32?, said: String) {
            let log = file("said")
            try? FileManager.default.removeItem(at: log)
            let process = ManagedProcess(
                role, FaultyPair.program, [role, "--config", file(configuration).path, "--log-level", "info"], log: log)
            // A node listens before it looks at its data.
            let working = role == "node" ? "no connection to the other node" : "listening"
            try process.start()
            try await eventually { !process.isRunning || process.lastWords().contains(working) }
            process.kill()
            let said = process.lastWords().split(separator: "\n").filter { $0.contains(" critical ") }
            return (process.waitForExit(), said.joined(separator: "\n"))
        }

        func node(_ code: ExitCode, _ sentence: String) async throws {
            try await expect("node", "node-a.yaml", code, sentence)
        }

        func witness(_ code: ExitCode, _ sentence: String) async throws {
            try await expect("witness", "witness.yaml", code, sentence)
        }

        private func expect(_ role: String, _ configuration: String, _ code: ExitCode, _ sentence: String) async throws
        {
            let found = try await run(role, configuration)
            let expected = sentence.replacingOccurrences(of: "DIR", with: faulty.pair.directory.path)
            #expect(found.code == code.rawValue && found.said.contains(expected), "\(found), not \(code): \(expected)")
            #expect(found.said.split(separator: "\n").count == 1, "\(found.said)")
            try mend()
        }
    }

    /// CRC-32C, bit by bit: not the one under test.
    private static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
        }
        return ~sum
    }

    @Test("a directory that is somebody else's is refused and left alone")
    func foreign() async throws {
        let pair = try await Stopped()
        try pair.replace("pair: demo", "pair: other", in: "node-a.yaml")
        try await pair.node(.configuration, "DIR/data-a belongs to pair demo, not other; check `data` and `pair`")
        try pair.replace("data: data-a", "data: data-b", in: "node-a.yaml")
        try await pair.node(.configuration, "DIR/data-b is node b's, not a's; check `data` and `node`")
        try pair.replace("data: data-a", "data: data-witness", in: "node-a.yaml")
        try await pair.node(
            .configuration, "DIR/data-witness holds a witness's record; nothing was changed; check `data`")
        try pair.replace("data: data-witness", "data: data-a", in: "witness.yaml")
        try await pair.witness(.configuration, "DIR/data-a holds a node's data; nothing was changed; check `data`")
        for name in ["data-a", "data-witness"] {
            try pair.remove(name)
            try "not a directory".write(to: pair.file(name), atomically: true, encoding: .utf8)
            let sentence = "DIR/\(name) is a file, not a directory; check `data` in the configuration"
            try await name == "data-a" ? pair.node(.configuration, sentence) : pair.witness(.configuration, sentence)
        }
        try pair.replace("data: data-a", "data: nowhere/data-a", in: "node-a.yaml")
        try await pair.node(
            .configuration, "can't make the data directory DIR/nowhere/data-a: No such file or directory")
    }

    @Test("a directory of a newer program is refused")
    func newer() async throws {
        let pair = try await Stopped()
        let log = "data-a/copy-1/log/"
        for (name, slots) in [("data-a/record", 2), (log + "cut", 2), (log + "0000000000000001.segment", 1)] {
            try pair.newer(name, slots: slots)
            try await pair.node(
                .configuration, "DIR/\(name) has format 99, this program knows up to 1; update this node")
        }
        try pair.newer("data-witness/witness", slots: 2)
        try await pair.witness(.configuration, "DIR/data-witness/witness has format 99, this program knows up to 1")
    }

    @Test("a directory that lacks a part is refused, and says how to get it back")
    func incomplete() async throws {
        let pair = try await Stopped()
        for name in ["", "-wal", "-shm"] { try? pair.remove("data-a/copy-1/tickets.sqlite" + name) }
        try await pair.node(.damaged, "The database DIR/data-a/copy-1/tickets.sqlite is missing: restore the whole")
        try pair.remove("data-a/copy-1/log")
        try await pair.node(.damaged, "DIR/data-a/copy-1/log is missing; restore the data directory, or reseed")
        try pair.remove("data-a/copy-1/log/0000000000000001.segment")
        try await pair.node(.damaged, "DIR/data-a/copy-1/log/0000000000000001.segment is missing; restore")
        try pair.remove("data-a/copy-1/log/cut")
        try await pair.node(.damaged, "DIR/data-a/copy-1/log/cut is missing; restore")
        try pair.remove("data-a/copy-1")
        try await pair.node(.damaged, "DIR/data-a/copy-1/log is missing; restore")
        try pair.remove("data-a/record")
        try await pair.node(
            .damaged, "DIR/data-a/record is missing, though there are a log's entries: nobody knows whose")
        // And nothing of it was taken for a leftover.
        try pair.remove("data-a/record")
        _ = try await pair.run("node", "node-a.yaml")
        #expect(FileManager.default.fileExists(atPath: pair.file("data-a/copy-1/tickets.sqlite").path))
    }

    @Test("a directory in use, not writable, or on a full disk is refused")
    func unusable() async throws {
        let pair = try await Stopped()
        do {
            let lock = try PosixDirectory(path: pair.file("data-a").path)
            let found = try await pair.run("node", "node-a.yaml")
            #expect(found.code == ExitCode.temporary.rawValue)
            #expect(found.said.contains("\(lock.path) is in use by another process; stop that one first"))
        }
        do {
            let lock = try PosixDirectory(path: pair.file("data-witness").path)
            let found = try await pair.run("witness", "witness.yaml")
            #expect(found.code == ExitCode.temporary.rawValue)
            #expect(found.said.contains("\(lock.path) is in use by another process; stop that one first"))
        }
        for (fault, code, sentence) in [
            ("read-only 1", ExitCode.configuration, "record can't be written to: Read-only file system; give the dir"),
            ("no-space 1", ExitCode.temporary, "is full. Make room"),
        ] {
            try pair.faulty.disk(of: .a, fault)
            try pair.faulty.pair.nodes[.a]?.start()
            #expect(pair.faulty.pair.nodes[.a]?.waitForExit() == code.rawValue)
            let said = pair.faulty.pair.nodes[.a]?.lastWords(1) ?? ""
            #expect(said.contains(sentence), "\(said)")
            try pair.faulty.disk(of: .a)
            try pair.mend()
        }
    }
}

import Foundation
import Testing

/// Reads the sources: what a reviewer should not have to say twice (after TigerBeetle's tidy.zig).
@Suite struct TidyTests {
    /// What each module may import: what stands above it, and the libraries that the design names.
    static let imports: [String: Set<String>] = [
        "Planted": ["Glibc"], "Replication": ["Planted"], "Tickets": [], "Histories": ["Tickets"],
        "Wire": ["Replication", "Tickets", "CChecksum", "SwiftProtobuf", "FoundationEssentials", "Synchronization"],
        "DurableLog": ["Planted", "Replication", "Wire", "Glibc"],
        "Store": [
            "Planted", "Replication", "Tickets", "Wire", "GRDB", "CSQLiteSession", "Glibc", "Synchronization",
            "FoundationEssentials",
        ],
        "Transport": [
            "Planted", "Replication", "Wire", "COpenSSL", "NIOCore", "NIOPosix", "Synchronization", "Glibc",
        ],
        "Engine": ["Planted", "Replication", "Tickets", "Wire", "DurableLog", "Store", "DequeModule"],
        "Seat": [
            "Planted", "Replication", "Tickets", "Wire", "DurableLog", "Transport", "NIOCore", "NIOPosix", "Logging",
            "SwiftProtobuf", "FoundationEssentials", "Synchronization", "Glibc",
        ],
        "Arbitration": [
            "Planted", "Replication", "Wire", "Transport", "DurableLog", "NIOCore", "NIOPosix", "Logging", "Glibc",
        ],
        "Simulator": [
            "Replication", "Tickets", "Histories", "Wire", "DurableLog", "Store", "Engine", "Seat", "Arbitration",
            "CSQLiteSession", "Glibc", "Synchronization",
        ],
        "Daemon": [
            "Planted", "Replication", "Tickets", "Wire", "DurableLog", "Store", "Transport", "Engine", "Arbitration",
            "NIOCore", "NIOPosix", "Logging", "Yams", "Glibc", "Synchronization", "FoundationEssentials", "Foundation",
        ],
    ]
    /// Levels 0 to 3 are driven from outside, so that they run on simulated time as well.
    static let driven: Set<String> = [
        "Replication", "Tickets", "Histories", "Wire", "DurableLog", "Store", "Engine", "Simulator",
    ]

    struct Source {
        let path: String
        let module: String
        let lines: [String]
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

    static func sources(below folder: String) -> [Source] {
        let base = root.appending(path: folder)
        let files = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)?.allObjects ?? []
        return files.compactMap { file in
            guard let file = file as? URL, file.pathExtension == "swift", !file.path.contains("/Generated/"),
                let text = try? String(contentsOf: file, encoding: .utf8)
            else { return nil }
            let path = file.path.replacingOccurrences(of: root.path + "/", with: "")
            return Source(
                path: path, module: path.split(separator: "/").dropFirst().first.map(String.init) ?? "",
                lines: text.components(separatedBy: "\n"))
        }
    }

    @Test("files, functions and lines stay short enough to be read")
    func lengths() {
        for source in Self.sources(below: "Sources") + Self.sources(below: "Tests") {
            #expect(source.lines.count <= 251, "\(source.path) has \(source.lines.count - 1) lines")
            for (number, line) in source.lines.enumerated() where line.count > 120 {
                Issue.record("\(source.path):\(number + 1) has \(line.count) columns")
            }
            for (number, line) in source.lines.enumerated() where line.contains("func ") && line.hasSuffix("{") {
                let end = String(line.prefix { $0 == " " }) + "}"
                let length = source.lines[number...].firstIndex(of: end).map { $0 - number - 1 } ?? 0
                #expect(length <= 60, "\(source.path):\(number + 1): a function of \(length) lines")
            }
        }
    }

    @Test("each module imports only what stands above it")
    func layers() {
        for source in Self.sources(below: "Sources") {
            guard let allowed = Self.imports[source.module] else { continue }
            for line in source.lines where line.hasPrefix("import ") || line.hasPrefix("@preconcurrency import ") {
                let name = line.split(separator: " ").last.map(String.init) ?? ""
                #expect(allowed.contains(name), "\(source.path): \(line)")
            }
        }
    }

    @Test("nothing is left undone, nothing crashes by choice")
    func banned() {
        let words = ["try!", "fatal" + "Error(", "TO" + "DO", "FIX" + "ME", "as" + "! "]
        for source in Self.sources(below: "Sources") {
            for (number, line) in source.lines.enumerated() {
                for word in words where line.contains(word) {
                    Issue.record("\(source.path):\(number + 1): \(word)")
                }
            }
        }
    }

    @Test("no clock, no chance and no output in the layers that are driven from outside")
    func driven() {
        let words = ["Date()", "ContinuousClock", ".random(", "SystemRandomNumberGenerator", "print(", "clock_gettime"]
        for source in Self.sources(below: "Sources") where Self.driven.contains(source.module) {
            for (number, line) in source.lines.enumerated() {
                for word in words where line.contains(word) {
                    Issue.record("\(source.path):\(number + 1): \(word)")
                }
            }
        }
    }

    @Test("every unchecked promise of safety says why it holds")
    func unchecked() {
        for source in Self.sources(below: "Sources") {
            for (number, line) in source.lines.enumerated()
            where line.contains("@unchecked Sendable") && !line.contains("///") {
                let before = source.lines[max(0, number - 8)..<number].joined(separator: "\n")
                #expect(before.contains("`@unchecked Sendable`"), "\(source.path):\(number + 1)")
            }
        }
    }

    @Test("every planted fault is in the list, with what finds it, and in the code")
    func planted() throws {
        let list = try String(contentsOf: Self.root.appending(path: "Tests/Planted/faults"), encoding: .utf8)
        let listed = list.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let parts = line.components(separatedBy: "  ").filter { !$0.isEmpty }
            #expect(parts.count == 3 && line.count <= 120, "\(line)")
            return parts[0]
        }
        let text = Self.sources(below: "Sources").flatMap(\.lines).joined(separator: "\n")
        let sites = text.matches(of: /planted\("(\w+)"\)/).map { String($0.output.1) }
        #expect(Set(listed) == Set(sites) && Set(listed).count == listed.count)
        #expect(listed.count >= 40)
    }

    @Test("the README names every module")
    func map() throws {
        let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        for module in Self.imports.keys { #expect(readme.contains("`\(module)`"), "\(module)") }
    }
}

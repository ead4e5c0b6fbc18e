import Foundation
import Testing

/// Reads the sources: what a reviewer should not have to say twice (after TigerBeetle's tidy.zig).
@Suite struct TidyTests {
    /// What each module takes of the system and of the standard library. What else it imports, and that it stands above
    /// it, is in Package.swift, and is held against the sources by `Tests/Tidy/dependencies`.
    static let system: [String: Set<String>] = [
        "Planted": [], "Replication": [], "Tickets": [], "Histories": [],
        "Wire": ["FoundationEssentials", "Synchronization"], "DurableLog": ["Glibc"],
        "Store": ["Glibc", "Synchronization"], "Transport": ["Synchronization", "Glibc"],
        "Engine": [], "Seat": ["FoundationEssentials", "Synchronization", "Glibc"], "Arbitration": ["Glibc"],
        "Simulator": ["Glibc", "Synchronization"],
        "Daemon": ["Glibc", "Synchronization", "FoundationEssentials", "Foundation"],
    ]
    static let systemModules: Set<String> = [
        "Dispatch", "Foundation", "FoundationEssentials", "FoundationXML", "Glibc", "Synchronization",
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

    @Test("each module takes of the system what it says, and no more")
    func system() {
        var found: [String: Set<String>] = [:]
        for source in Self.sources(below: "Sources") where Self.system[source.module] != nil {
            for line in source.lines where line.hasPrefix("import ") || line.hasPrefix("@preconcurrency import ") {
                let name = line.split(separator: " ").last.map(String.init) ?? ""
                guard Self.systemModules.contains(name) else { continue }
                found[source.module, default: []].insert(name)
                #expect(Self.system[source.module]?.contains(name) == true, "\(source.path): \(line)")
            }
        }
        for (module, names) in Self.system { #expect(found[module] ?? [] == names, "\(module)") }
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
        for module in Self.system.keys { #expect(readme.contains("`\(module)`"), "\(module)") }
    }
}

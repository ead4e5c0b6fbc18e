import Foundation
import Testing

/// A file of bytes that follow from the specification alone, not from the encoder here: hexadecimal digits, and text in
/// quotation marks; a comment from "#" on. A name in brackets begins the next message; one alone needs none.
struct Goldens {
    private(set) var lines: [String]
    private(set) var messages: [(name: String, bytes: [UInt8])] = []

    init(_ path: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: path + ".hex")
        lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        for line in lines {
            let content = line.prefix { $0 != "#" }
            if content.hasPrefix("[") {
                messages.append((String(content.dropFirst().prefix { $0 != "]" }), []))
                continue
            }
            let bytes = try #require(Self.bytes(in: content), "\(path): \(line)")
            if bytes.isEmpty { continue }
            if messages.isEmpty { messages.append(("", [])) }
            messages[messages.count - 1].bytes += bytes
        }
    }

    private static func bytes(in content: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        for (index, part) in content.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            if index % 2 == 1 {
                bytes += part.utf8
                continue
            }
            let digits = Array(part.filter { $0 != " " })
            guard digits.count % 2 == 0 else { return nil }
            for start in stride(from: 0, to: digits.count, by: 2) {
                guard let byte = UInt8(String(digits[start...start + 1]), radix: 16) else { return nil }
                bytes.append(byte)
            }
        }
        return bytes
    }
}

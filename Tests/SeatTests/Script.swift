import Foundation

/// A script of `Scripts`, which any client of the seat protocol can play; the README there says what the words mean.
struct Script: Decodable {
    struct Step: Decodable {
        /// Milliseconds.
        var at: Double
        // One of these says what happens.
        var start: Bool?, tick: Bool?, run: Bool?
        var connected: String?, lost: String?, hear: String?
        var perform: UInt64?, withdraw: UInt64?, read: UInt64?
        // And these say more of it.
        var on: String?, how: String?
        var pair: String?, role: String?, epoch: UInt64?
        var to: Addressee?, outcome: String?, session: Int64?, reason: String?
        var connections: UInt32?
        var again_after: UInt64?, disk_full: Bool?, stamp: UInt64?
        var within: UInt64?, again: [Int64]?, sql: Bool?, level: String?, text: Int?
        var alive: [String]?
        var then: [Expected]
    }

    /// Whose answer it is.
    enum Addressee: Decodable, Equatable {
        case opening
        case request(session: Int64, sequence: Int64)
        case read(UInt64)

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let numbers = try? value.decode([Int64].self), numbers.count == 2 {
                self = .request(session: numbers[0], sequence: numbers[1])
            } else if let number = try? value.decode(UInt64.self) {
                self = .read(number)
            } else {
                self = .opening
            }
        }
    }

    /// A decision; of a `run`, also when it is due.
    struct Expected: Decodable {
        var text: String
        var within: ClosedRange<Double>?
        /// It has to be anywhere in there.
        var isJittered = false

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                self.text = text
            } else {
                var values = try decoder.unkeyedContainer()
                text = try values.decode(String.self)
                let first = try values.decode(Double.self)
                within = first...(try values.decode(Double.self))
                isJittered = !values.isAtEnd
            }
        }
    }

    struct Memory: Decodable {
        var pair: String
        var epoch: UInt64
    }

    var about: String
    var after: String?
    var memory: Memory?
    /// Whether beats are compared, too.
    var beats: Bool?
    var steps: [Step]

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts")

    static var names: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder.path)
                .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
        }
    }

    /// With the steps of the script that it goes on from.
    static func load(_ name: String) throws -> Script {
        let data = try Data(contentsOf: folder.appending(path: "\(name).json"))
        var script = try JSONDecoder().decode(Script.self, from: data)
        if let before = script.after { script.steps = try load(before).steps + script.steps }
        return script
    }
}

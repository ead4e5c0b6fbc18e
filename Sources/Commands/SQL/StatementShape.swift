/// What a statement is, as far as its words tell: enough to choose the way it goes. What it may do the node decides.
struct StatementShape: Equatable {
    enum Kind { case query, change, schema }
    let kind: Kind
    /// Question marks.
    let parameters: Int

    /// Nil: nothing but space, comments and semicolons.
    init?(_ sql: String) {
        var scanner = SQLScanner(sql)
        var first: String?
        var verb: String?
        var parameters = 0
        while let token = scanner.next() {
            switch token {
            case .word(let word, let depth):
                if first == nil { first = word }
                // After WITH, it is the first of these outside of brackets.
                if verb == nil, depth == 0, Self.verbs.contains(word) { verb = word }
            case .questionMark: parameters += 1
            case .other(let byte): if first == nil, byte != UInt8(ascii: ";") { first = "" }
            }
        }
        guard let first else { return nil }
        self.parameters = parameters
        switch first {
        case "SELECT", "VALUES", "EXPLAIN", "PRAGMA": kind = .query
        case "WITH": kind = verb == "SELECT" || verb == "VALUES" ? .query : .change
        case "CREATE", "ALTER", "DROP": kind = .schema
        default: kind = .change
        }
    }

    private static let verbs: Set<String> = ["SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "REPLACE"]
}

/// Words and question marks of SQL; texts, quoted names and comments are passed over.
struct SQLScanner {
    enum Token {
        /// In capitals, and in how many brackets it stands.
        case word(String, depth: Int)
        case questionMark
        case other(UInt8)
    }

    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0

    init(_ sql: String) { bytes = Array(sql.utf8) }

    mutating func next() -> Token? {
        while place < bytes.count {
            let byte = bytes[place]
            switch byte {
            case 0x20, 0x09...0x0d: place += 1
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
                skip(past: byte)
                return .other(byte)
            case UInt8(ascii: "["):
                skip(past: UInt8(ascii: "]"))
                return .other(byte)
            case UInt8(ascii: "-") where follows("-"): skip { $0 == 0x0a }
            case UInt8(ascii: "/") where follows("*"): skipComment()
            case _ where Self.isOfWord(byte): return word()
            case UInt8(ascii: "?"):
                place += 1
                return .questionMark
            default:
                place += 1
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") { depth -= 1 }
                return .other(byte)
            }
        }
        return nil
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private mutating func word() -> Token {
        let start = place
        while place < bytes.count, Self.isOfWord(bytes[place]) { place += 1 }
        return .word(String(decoding: bytes[start..<place], as: UTF8.self).uppercased(), depth: depth)
    }

    private func follows(_ scalar: Unicode.Scalar) -> Bool {
        place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: scalar)
    }

    private mutating func skip(past end: UInt8) {
        place += 1
        skip { $0 == end }
    }

    /// To the byte after the first that is meant, or to the end.
    private mutating func skip(_ isMeant: (UInt8) -> Bool) {
        while place < bytes.count, !isMeant(bytes[place]) { place += 1 }
        place = min(place + 1, bytes.count)
    }

    private mutating func skipComment() {
        place += 2
        while place < bytes.count, !(bytes[place] == UInt8(ascii: "*") && follows("/")) { place += 1 }
        place = min(place + 2, bytes.count)
    }
}

import CSQLiteSession

/// SQL as people write it down.
package enum SQLText {
    /// Its statements one by one, cut where SQLite says that one is complete: not in a text, a comment or a trigger.
    package static func statements(_ text: String) -> [String] {
        var statements: [String] = []
        var piece: [CChar] = []
        for byte in text.utf8 where byte != 0 {
            piece.append(CChar(bitPattern: byte))
            guard byte == UInt8(ascii: ";") else { continue }
            piece.append(0)
            let isComplete = sqlite3_complete(piece) != 0
            piece.removeLast()
            if isComplete {
                statements.append(String(decoding: piece.map { UInt8(bitPattern: $0) }, as: UTF8.self))
                piece = []
            }
        }
        statements.append(String(decoding: piece.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        return statements
    }
}

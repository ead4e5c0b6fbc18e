/// A JSON value of those that histories use: no fractions.
enum JSON: Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case array([JSON])
    case object([Member])

    struct Member: Equatable {
        var key: String
        var value: JSON
    }
}

/// What is wrong at which byte.
struct JSONError: Error, Equatable {
    var offset: Int
    var reason: String
}

/// Reads one value from a range of bytes (RFC 8259). Foundation's reader takes five times as long for a history, and
/// does not say where it failed.
struct JSONReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    /// - Throws: also if anything but space follows it.
    static func value(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> JSON {
        var reader = JSONReader(bytes: bytes, index: bytes.startIndex)
        let value = try reader.value(depth: 1)
        reader.skipSpace()
        guard reader.index == bytes.endIndex else { throw reader.wrong("something follows the value") }
        return value
    }

    private var next: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

    private func wrong(_ reason: String) -> JSONError { JSONError(offset: index - bytes.startIndex, reason: reason) }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0D { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        skipSpace()
        guard let byte = next else { throw wrong("a value is missing") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try elements(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .integer(try integer())
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        default: throw wrong("no JSON value begins so")
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let length = text.utf8CodeUnitCount
        guard bytes.endIndex - index >= length, bytes[index..<index + length].elementsEqual("\(text)".utf8) else {
            throw wrong("no JSON value begins so")
        }
        index += length
        return value
    }

    private mutating func elements(depth: Int) throws(JSONError) -> [JSON] {
        guard depth <= HistoryFormat.depthLimit else { throw wrong("nested too deep") }
        index += 1
        var elements: [JSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return elements }
            guard take(UInt8(ascii: ",")) else { throw wrong("a comma or the end of the list is missing") }
        }
    }

    private mutating func members(depth: Int) throws(JSONError) -> [JSON.Member] {
        guard depth <= HistoryFormat.depthLimit else { throw wrong("nested too deep") }
        index += 1
        var members: [JSON.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return members }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw wrong("a key is missing") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw wrong("a colon is missing") }
            members.append(JSON.Member(key: key, value: try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return members }
            guard take(UInt8(ascii: ",")) else { throw wrong("a comma or the end of the object is missing") }
        }
    }

    private mutating func integer() throws(JSONError) -> Int64 {
        let negative = take(UInt8(ascii: "-"))
        guard let first = next, (0x30...0x39).contains(first) else { throw wrong("a digit is missing") }
        var value: Int64 = 0
        while let byte = next, (0x30...0x39).contains(byte) {
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte - 0x30)
            // Towards the sign, so that the lowest integer can be read.
            let (sum, overAgain) = tens.addingReportingOverflow(negative ? -digit : digit)
            if over || overAgain { throw wrong("the number has more than 64 bits") }
            value = sum
            index += 1
            if first == 0x30, let byte = next, (0x30...0x39).contains(byte) {
                throw wrong("the number begins with a zero")
            }
        }
        if let byte = next, byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") {
            throw wrong("the number is no integer")
        }
        return value
    }

    private mutating func string() throws(JSONError) -> String {
        index += 1
        let start = index
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        if next == UInt8(ascii: "\""), let text = String(validating: bytes[start..<index], as: UTF8.self) {
            index += 1
            return text
        }
        index = start
        return try escapedString()
    }

    /// The slow way, for what has an escape in it or is wrong.
    private mutating func escapedString() throws(JSONError) -> String {
        var text: [UInt8] = []
        let start = index
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    index = start
                    throw wrong("the text is no UTF-8")
                }
                index += 1
                return string
            case UInt8(ascii: "\\"):
                index += 1
                text += Array(String(try escape()).utf8)
            case ..<0x20: throw wrong("a control character in a text")
            default:
                text.append(byte)
                index += 1
            }
        }
        throw wrong("the text has no end")
    }

    private static let plainEscapes: [UInt8: Character] = [
        UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
        UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]

    private mutating func escape() throws(JSONError) -> Character {
        guard let byte = next else { throw wrong("the text has no end") }
        index += 1
        if let character = Self.plainEscapes[byte] { return character }
        guard byte == UInt8(ascii: "u") else { throw wrong("no such escape") }
        let unit = try hexadecimal()
        if let scalar = Unicode.Scalar(UInt32(unit)) { return Character(scalar) }
        guard UTF16.isLeadSurrogate(unit), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw wrong("half a surrogate pair")
        }
        let trail = try hexadecimal()
        guard UTF16.isTrailSurrogate(trail),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit - 0xD800) << 10 | UInt32(trail - 0xDC00)))
        else { throw wrong("half a surrogate pair") }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        guard bytes.endIndex - index >= 4,
            let text = String(validating: bytes[index..<index + 4], as: UTF8.self),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }),
            let value = UInt16(text, radix: 16)
        else { throw wrong("an escape needs four hexadecimal digits") }
        index += 4
        return value
    }
}

import NIOCore
import TestSupport

/// Thinks of frames that no honest program sends: noise, and valid messages that were tampered with.
struct FrameFuzzer {
    var random: SeededRandom
    private let corpus: [[UInt8]]

    /// - Parameter corpus: valid messages of the protocol under attack.
    init(seed: UInt64, corpus: [[UInt8]]) { (random, self.corpus) = (SeededRandom(seed), corpus) }

    /// A frame as it goes over the wire, with a length that mostly is its own.
    mutating func frame() -> [UInt8] {
        let payload = payload()
        var length = UInt32(payload.count)
        switch number(below: 100) {
        case 0: length = UInt32(truncatingIfNeeded: random.next())
        case 1: length &+= UInt32(number(below: 9))
        case 2: length &-= UInt32(number(below: 9))
        case 3: length = [.max, .max - 1, 1 << 31, 65_537, 0][number(below: 5)]
        default: break
        }
        return (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32($0))) } + payload
    }

    /// Pieces of any size, in order.
    mutating func pieces(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(number(below: 4) == 0 ? number(below: 20) + 1 : number(below: 4000) + 1)
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }

    mutating func number(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

    private mutating func payload() -> [UInt8] {
        if number(below: 8) == 0 { return noise(number(below: 200)) }
        var bytes = corpus[number(below: corpus.count)]
        // Some stay as they are: what is behind the checks must be reached too.
        for _ in 0..<[0, 1, 1, 2, 4][number(below: 5)] { mutate(&bytes) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let start = number(below: bytes.count + 1), end = min(bytes.count, start + number(below: 12))
        switch number(below: 9) {
        case 0, 1: if start < bytes.count { bytes[start] ^= 1 << UInt8(number(below: 8)) }
        case 2: bytes.removeSubrange(start...)
        case 3: bytes.removeSubrange(start..<end)
        case 4: bytes.insert(contentsOf: noise(number(below: 4) + 1), at: start)
        case 5: bytes.replaceSubrange(start..<end, with: varint())
        case 6: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 7:
            let other = corpus[number(below: corpus.count)]
            bytes.replaceSubrange(start..<end, with: other.dropFirst(number(below: other.count + 1)).prefix(60))
        // A field that holds a message which holds itself, so to say.
        default: for _ in 0..<number(below: 120) { bytes.insert(contentsOf: [0x0a, 0x7f], at: start) }
        }
    }

    /// The longest, one that is too long, one that ends nowhere, and any.
    private mutating func varint() -> [UInt8] {
        switch number(below: 4) {
        case 0: return [UInt8](repeating: 0xff, count: 9) + [1]
        case 1: return [UInt8](repeating: 0xff, count: 11)
        case 2: return [0x80, 0x80, 0x80]
        default:
            var number = random.next() >> UInt64.random(in: 0..<64, using: &random)
            var bytes: [UInt8] = []
            while number > 127 {
                bytes.append(UInt8(number & 127) | 128)
                number >>= 7
            }
            return bytes + [UInt8(number)]
        }
    }

    private mutating func noise(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}

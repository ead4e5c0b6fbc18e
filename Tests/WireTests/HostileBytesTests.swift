import TestSupport
import Testing

@testable import Wire

/// Bytes that no honest program sends. Whatever passes the checks must be a value like any other.
struct HostileBytesTests {
    @Test("no proper prefix of a message is that message", arguments: Sample.files)
    func prefixes(file: String) throws {
        for sample in try #require(Sample.all[file]) {
            for end in 0..<sample.bytes.count {
                let prefix = Array(sample.bytes[..<end])
                #expect((try? sample.isValue(prefix)) != true, "\(sample.name), \(end) bytes")
                #expect(sample.isHarmless(prefix), "\(sample.name), \(end) bytes")
            }
        }
    }

    @Test("a message with any one bit flipped is refused, or another message", arguments: Sample.files)
    func flips(file: String) throws {
        for sample in try #require(Sample.all[file]) {
            let harmful = (0..<sample.bytes.count * 8).filter { !sample.isHarmless(flipped(sample.bytes, bit: $0)) }
            #expect(harmful == [], "\(sample.name)")
        }
    }

    @Test("a message is refused when any one bit of its entries is flipped", arguments: ["append", "fetched"])
    func flippedEntries(name: String) throws {
        let sample = try #require(Sample.nodeEntries.first { $0.name == name })
        let frames = firstFrames.suffix(name == "append" ? 2 : 1).flatMap(\.bytes)
        let start = try #require((0..<sample.bytes.count).first { sample.bytes[$0...].starts(with: frames) })
        for bit in start * 8..<(start + frames.count) * 8 {
            #expect(throws: MalformedMessage(field: "frames"), "bit \(bit)") {
                try sample.isValue(flipped(sample.bytes, bit: bit))
            }
        }
    }

    @Test("random bytes are harmless", arguments: Sample.files)
    func randomBytes(file: String) throws {
        var random = SeededRandom(1)
        for sample in try #require(Sample.all[file]) {
            for round in 0..<500 {
                let bytes = round % 5 == 0 ? noise(.random(in: 0...80, using: &random), &random) : fields(&random)
                #expect(sample.isHarmless(bytes), "\(sample.name), round \(round): \(bytes)")
            }
        }
    }

    @Test("messages that were tampered with are harmless", arguments: Sample.files)
    func mutations(file: String) throws {
        var random = SeededRandom(2)
        let others = Sample.files.flatMap { Sample.all[$0] ?? [] }.map(\.bytes)
        for sample in try #require(Sample.all[file]) {
            for round in 0..<500 {
                var bytes = sample.bytes
                for _ in 0..<Int.random(in: 1...2, using: &random) { mutate(&bytes, others, &random) }
                #expect(sample.isHarmless(bytes), "\(sample.name), round \(round): \(bytes)")
            }
        }
    }

    private func flipped(_ bytes: [UInt8], bit: Int) -> [UInt8] {
        var bytes = bytes
        bytes[bit / 8] ^= 1 << (bit % 8)
        return bytes
    }

    private func noise(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// Fields of any number and type, as those of a message are; where lengths hold, more is looked at than of noise.
    private func fields(_ random: inout SeededRandom, depth: Int = 0) -> [UInt8] {
        (0..<Int.random(in: 1...5, using: &random)).flatMap { _ -> [UInt8] in
            let field = UInt64.random(in: 1...24, using: &random) << 3
            switch Int.random(in: 0..<8, using: &random) {
            case 0: return varint(field | 1) + noise(8, &random)
            case 1: return varint(field | 5) + noise(4, &random)
            case 2, 3: return varint(field) + varint(random.next() >> UInt64.random(in: 0..<64, using: &random))
            case 4 where depth < 3, 5 where depth < 3:
                let inner = fields(&random, depth: depth + 1)
                return varint(field | 2) + varint(UInt64(inner.count)) + inner
            case 6: return varint(field | 2) + [1] + (Bool.random(using: &random) ? [97] : [98])
            default: return varint(field | 2) + [16] + noise(16, &random)
            }
        }
    }

    private func varint(_ number: UInt64) -> [UInt8] {
        number < 128 ? [UInt8(number)] : [UInt8(number & 127) | 128] + varint(number >> 7)
    }

    /// Inserts, deletes, overwrites, repeats a piece or puts in one of another message.
    private func mutate(_ bytes: inout [UInt8], _ others: [[UInt8]], _ random: inout SeededRandom) {
        let start = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 0...12, using: &random))
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.insert(contentsOf: noise(.random(in: 1...4, using: &random), &random), at: start)
        case 1: bytes.removeSubrange(start..<end)
        case 2: bytes.replaceSubrange(start..<end, with: noise(end - start, &random))
        case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
        default:
            let other = others[Int.random(in: 0..<others.count, using: &random)]
            let cut = Int.random(in: 0...other.count, using: &random)
            bytes.replaceSubrange(start..<end, with: other[cut...].prefix(.random(in: 0...60, using: &random)))
        }
    }
}

/// A set of small numbers, a bit each: a history has reads of tens of thousands of elements, and many of them.
struct Bits: Equatable, Sequence {
    private var words: [UInt64] = []
    private(set) var count = 0

    func contains(_ number: Int) -> Bool {
        number >> 6 < words.count && words[number >> 6] & (1 << UInt64(number & 63)) != 0
    }

    /// False: it was there already.
    @discardableResult
    mutating func insert(_ number: Int) -> Bool {
        if contains(number) { return false }
        if number >> 6 >= words.count {
            words.append(contentsOf: repeatElement(0, count: (number >> 6) + 1 - words.count))
        }
        words[number >> 6] |= 1 << UInt64(number & 63)
        count += 1
        return true
    }

    /// In ascending order.
    func subtracting(_ other: Bits) -> [Int] {
        var numbers: [Int] = []
        for (index, word) in words.enumerated() {
            var rest = index < other.words.count ? word & ~other.words[index] : word
            while rest != 0 {
                numbers.append(index << 6 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
        return numbers
    }

    func makeIterator() -> [Int].Iterator { subtracting(Bits()).makeIterator() }
}

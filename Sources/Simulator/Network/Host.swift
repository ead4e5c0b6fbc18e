import Replication

/// A machine of the simulated network.
struct Host: Hashable, Comparable, CustomStringConvertible {
    let number: Int

    static let a = Host(number: 0), b = Host(number: 1)
    static func node(_ name: NodeName) -> Host { name == .a ? a : b }
    /// The pair's first witness, and one that can take its place.
    static func witness(_ index: Int) -> Host { Host(number: 2 + index) }
    static func seat(_ index: Int) -> Host { Host(number: firstSeat + index) }
    static let firstSeat = 4

    var isNode: Bool { number < 2 }
    var isWitness: Bool { number == 2 || number == 3 }
    static func < (left: Host, right: Host) -> Bool { left.number < right.number }

    var description: String {
        switch number {
        case 0: "a"
        case 1: "b"
        case 2, 3: "w\(number - 1)"
        default: "s\(number - Self.firstSeat + 1)"
        }
    }
}

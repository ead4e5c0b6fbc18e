import Planted

/// What a node still owes the witness while it has no replica, because it waits for a copy of the other's database:
/// its testimony. A witness whose machine has rebooted only reads until it has heard both nodes (rule R12); if this
/// one were silent, the other could not lead, and there would be nobody to fetch a copy from.
///
/// It tells what its record says, claims nothing, and acts on no answer.
public struct Testifier: Sendable {
    private let node: NodeName
    private let record: NodeRecord
    private var number: UniqueNumber
    private var isConnected = false

    /// - Parameter process: tells this process from every other.
    public init(_ node: NodeName, _ record: NodeRecord, process: UInt64) {
        (self.node, self.record) = (node, record)
        number = UniqueNumber(process: process, counter: 0)
    }

    /// A witness is there. Another one than the pair's is told nothing.
    public mutating func connected(_ witness: RandomID) -> RegisterRequest? {
        isConnected = witness == record.witness.id
        return again()
    }

    public mutating func disconnected() { isConnected = false }

    /// From time to time: a witness takes the one that it hears for the node, and another process with the same
    /// certificate for a second one.
    public mutating func again() -> RegisterRequest? {
        guard isConnected, !planted("waitInSilence") else { return nil }
        number.counter += 1
        return RegisterRequest(
            number: number, action: .testify(Testimony(node: node, register: record.register, leads: false)))
    }
}

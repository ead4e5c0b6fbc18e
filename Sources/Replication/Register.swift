/// What the witness keeps for a pair: changed only by compare-and-set on its version.
public struct Register: Equatable, Sendable {
    public enum Mode: UInt8, Sendable {
        /// A commit needs both disks; either node named here may lead by claiming.
        case paired = 1
        /// The primary's disk alone counts; nobody else may claim.
        case solo = 2
    }

    /// Rises with every change.
    public var version: UInt64
    public var epoch: Epoch
    public var primary: NodeName
    public var mode: Mode
    public var disks: PerNode<RandomID>
    /// How often each node had started when it was last written: a disk that shows less was put back (rule R11).
    public var starts: PerNode<UInt64>
    /// Every claimant must hold this position (rule R11).
    public var floor: Position

    public init(
        version: UInt64, epoch: Epoch, primary: NodeName, mode: Mode, disks: PerNode<RandomID>,
        starts: PerNode<UInt64>, floor: Position
    ) {
        self.version = version
        self.epoch = epoch
        self.primary = primary
        self.mode = mode
        self.disks = disks
        self.starts = starts
        self.floor = floor
    }
}

/// One value for each of the two nodes.
public struct PerNode<Value: Equatable & Sendable>: Equatable, Sendable {
    public var a, b: Value
    public init(a: Value, b: Value) { (self.a, self.b) = (a, b) }
    public subscript(name: NodeName) -> Value {
        get { name == .a ? a : b }
        set { if name == .a { a = newValue } else { b = newValue } }
    }
}

/// A number that no other process and no other moment of this process uses: a random number drawn at the process's
/// start, and a counter.
public struct UniqueNumber: Hashable, Sendable, CustomStringConvertible {
    public var process, counter: UInt64
    public init(process: UInt64, counter: UInt64) { (self.process, self.counter) = (process, counter) }
    public static let none = UniqueNumber(process: 0, counter: 0)
    public var description: String { String(process, radix: 16) + "." + String(counter) }
}

/// A node's question to the witness.
public struct RegisterRequest: Equatable, Sendable {
    public enum Action: Equatable, Sendable {
        case read
        /// To be granted only if the register still has this version. The version in `register` does not count: the
        /// witness gives the next.
        case compareAndSet(version: UInt64, register: Register)
        /// What this node knows, for a witness that has restarted with its machine and can't trust its disk (rule R12).
        case testify(Testimony)
        /// A leader's, for a witness that holds no register for this pair yet (rule R12).
        case install(Register)
    }

    public var number: UniqueNumber
    public var action: Action
    public init(number: UniqueNumber, action: Action) { (self.number, self.action) = (number, action) }
}

public struct Testimony: Equatable, Sendable {
    public var node: NodeName
    /// The register of the highest version that this node has seen.
    public var register: Register
    /// It leads solo, or leads with the consent of the standby that follows it now.
    public var leads: Bool
    public init(node: NodeName, register: Register, leads: Bool) {
        self.node = node
        self.register = register
        self.leads = leads
    }
}

public struct RegisterAnswer: Equatable, Sendable {
    public enum Outcome: Equatable, Sendable {
        /// The register, read or as the winning change left it.
        case current(Register)
        case won(Register)
        /// The version had moved on; this is the register now.
        case lost(Register)
        case refused(RegisterRefusal)
    }

    public var number: UniqueNumber
    public var outcome: Outcome
    public init(number: UniqueNumber, outcome: Outcome) { (self.number, self.outcome) = (number, outcome) }
}

public enum RegisterRefusal: UInt8, Equatable, Sendable {
    /// This witness holds no register for this pair: it is new, or was wiped.
    case unknownPair = 1
    /// Its machine has rebooted: it waits for both nodes' testimony, or a leader's.
    case cautious = 2
    /// The request was meant for an earlier start of the witness.
    case earlierStart = 3
    /// It has a register already.
    case alreadyInstalled = 4
}

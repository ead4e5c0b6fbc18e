/// What an entry of the log holds.
public enum EntryKind: UInt8, Sendable {
    /// One batch of client transactions, as a changeset in SQLite's format.
    case changes = 1
    /// A schema change: its SQL, and the changes that go with it (Store/SchemaChange.swift).
    case schema = 2
    /// The first entry of an epoch: no payload.
    case mark = 3
    /// The same, of an epoch that began because a person said so: no payload.
    case forcedMark = 4

    public var isMark: Bool { self == .mark || self == .forcedMark }
}

/// One entry of the log. The pure layers never look into the payload.
public struct Entry: Equatable, Sendable {
    public var position: Position
    public var kind: EntryKind
    /// Version of the schema that the payload is to be applied to.
    public var schemaVersion: UInt32
    /// Digest of the whole database after this entry.
    public var digest: Digest
    public var payload: [UInt8]

    public init(position: Position, kind: EntryKind, schemaVersion: UInt32, digest: Digest, payload: [UInt8]) {
        self.position = position
        self.kind = kind
        self.schemaVersion = schemaVersion
        self.digest = digest
        self.payload = payload
    }
}

/// Sum modulo 2^128 of a keyed hash of every cell of every replicated table: equal tables have equal digests, in
/// whatever order the cells are added.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    public var value: UInt128
    public init(_ value: UInt128) { self.value = value }
    public static let zero = Digest(0)
    public mutating func add(_ cell: UInt128) { value &+= cell }
    public mutating func subtract(_ cell: UInt128) { value &-= cell }
    public var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}

import FoundationEssentials
import Replication
import Testing

@testable import Wire

/// A message between nodes that says something impossible is refused at the field that is wrong.
struct NodeRefusalTests {
    private typealias Wire = Twinline_Node_V1_PeerMessage
    private typealias Place = Twinline_Node_V1_Position

    /// The field at which a golden message is refused once it is changed.
    private func field(_ name: String, _ change: (inout Wire) -> Void = { _ in }) throws -> String? {
        let samples = Sample.node + Sample.nodeEntries
        let sample = try #require(samples.first { $0.name == name }, "\(name)")
        var message = try Wire(serializedBytes: sample.bytes)
        change(&message)
        do throws(MalformedMessage) { _ = try PeerEnvelope(message) } catch { return error.field }
        return nil
    }

    private static let limit = Count.messageLimit

    @Test("a message without a body, or of too high an epoch, is refused", arguments: Sample.node.map(\.name))
    func head(name: String) throws {
        #expect(try field(name) == nil)
        #expect(try field(name) { $0.body = nil } == "body")
        #expect(try field(name) { $0.epoch = Self.limit - 1 } == nil)
        #expect(try field(name) { $0.epoch = Self.limit } == "epoch")
        #expect(try field(name) { $0.epoch = .max } == "epoch")
    }

    @Test("an id of another length is refused", arguments: [0, 1, 15, 17, 32])
    func ids(count: Int) throws {
        let id = Data(count: count)
        #expect(try field("hello") { $0.hello.pairID = id } == "pair_id")
        #expect(try field("hello") { $0.hello.disk = id } == "disk")
        #expect(try field("join") { $0.join.disk = id } == "disk")
        #expect(try field("join") { $0.join.witness.id = id } == "witness")
        #expect(try field("adopt") { $0.adopt.witness.id = id } == "witness")
        #expect(try field("adopted") { $0.adopted.witness.id = id } == "witness")
    }

    @Test("a node of another name is refused", arguments: ["", "c", "A", "ab", "a "])
    func nodes(name: String) throws {
        #expect(try field("hello") { $0.hello.node = name } == "node")
    }

    @Test("an unknown reason is refused, also one that would be known cut to eight bits", arguments: [0, 4, 255, 257])
    func reasons(number: UInt32) throws {
        #expect(try field("join_refused") { $0.joinRefused.reason = number } == "reason")
    }

    @Test("a number that nobody can go on counting from is refused", arguments: [limit, 1 << 63, .max])
    func counts(number: UInt64) throws {
        for place in [Place(Position(Epoch(number), LSN(1))), Place(Position(Epoch(1), LSN(number)))] {
            #expect(try field("hello") { $0.hello.synced = place } == "synced")
            #expect(try field("join_accepted") { $0.joinAccepted.common = place } == "common")
            #expect(try field("fetch") { $0.fetch.base = place } == "base")
            #expect(try field("fetch") { $0.fetch.starts[1] = place } == "starts")
            #expect(try field("fetch") { $0.fetch.last = place } == "last")
        }
        #expect(try field("hello") { $0.hello.registerVersion = number } == "register_version")
        #expect(try field("join") { $0.join.synced = number } == "synced")
        #expect(try field("join") { $0.join.witness.number = number } == "number")
        #expect(try field("append") { $0.append.committed = number } == "committed")
        #expect(try field("acknowledge") { $0.acknowledge.synced = number } == "synced")
        #expect(try field("acknowledge") { $0.acknowledge.applied = number } == "applied")
        #expect(try field("heartbeat") { $0.heartbeat.committed = number } == "committed")
        #expect(try field("heartbeat") { $0.heartbeat.synced = number } == "synced")
        #expect(try field("heartbeat") { $0.heartbeat.applied = number } == "applied")
        #expect(try field("hand_over") { $0.handOver.through = number } == "through")
        #expect(try field("adopt") { $0.adopt.witness.number = number } == "number")
        #expect(try field("adopted") { $0.adopted.witness.number = number } == "number")
        #expect(try field("adopted") { $0.adopted.registerVersion = number } == "register_version")
    }

    @Test("a number that is only carried back may be any", arguments: [0, .max] as [UInt64])
    func carried(number: UInt64) throws {
        #expect(try field("confirm") { $0.confirm.number = number } == nil)
        #expect(try field("confirmed") { $0.confirmed.number = number } == nil)
        #expect(try field("stale") { ($0.sessionProcess, $0.sessionCounter) = (number, number) } == nil)
    }

    @Test("the chain value 0 is another than none")
    func chains() throws {
        for chain in [nil, 0, .max] as [UInt64?] {
            let message = Message(Epoch(1), number, .joinAccepted(common: .zero))
            let envelope = PeerEnvelope(message, chain: chain)
            #expect(try PeerEnvelope(try decoded(encoded(Wire(envelope)))) == envelope)
        }
    }

    @Test(
        "an epoch table that no log can have is refused",
        arguments: [
            ("starts", [(1, 7)], [(2, 9)], (2, 9)), ("starts", [(1, 7)], [(2, 7)], (2, 9)),
            ("starts", [(3, 7)], [(2, 8)], (2, 9)), ("starts", [(1, 7)], [(2, 8), (2, 9)], (2, 9)),
            ("starts", [(1, 7)], [(2, 8), (1, 9)], (1, 9)), ("starts", [(1, 7)], [(2, 8), (3, 8)], (3, 9)),
            ("starts", [], [(2, 2)], (2, 2)), ("last", [(1, 7)], [(2, 8), (3, 10)], (3, 9)),
            ("last", [(1, 7)], [(2, 8)], (3, 9)), ("last", [(1, 7)], [(2, 8)], (1, 9)),
            ("last", [(1, 7)], [], (1, 8)), ("last", [(1, 7)], [], (2, 7)), ("last", [(1, 7)], [], (0, 0)),
        ] as [(String, [(UInt64, UInt64)], [(UInt64, UInt64)], (UInt64, UInt64))])
    func tables(wrong: String, base: [(UInt64, UInt64)], starts: [(UInt64, UInt64)], last: (UInt64, UInt64)) throws {
        var table = Twinline_Node_V1_EpochTable()
        func place(_ position: (UInt64, UInt64)) -> Place { Place(Position(Epoch(position.0), LSN(position.1))) }
        if let base = base.first { table.base = place(base) }
        table.starts = starts.map(place)
        table.last = place(last)
        #expect(try field("join") { $0.join.log = table } == wrong)
        #expect(try field("fetch") { $0.fetch = table } == wrong)
    }

    @Test("an empty log's epoch table is one", arguments: [Position.zero, Position(Epoch(4), LSN(9))])
    func emptyTable(base: Position) throws {
        let table = Twinline_Node_V1_EpochTable(EpochTable(base: base))
        #expect(try field("fetch") { $0.fetch = table } == nil)
        #expect(try field("fetch") { $0.fetch = Twinline_Node_V1_EpochTable() } == nil)
    }

    private func frames(_ entries: Entry...) -> Data {
        Data(entries.flatMap { EntryFrame(encoding: $0, chainBefore: 0, knownSynced: .zero).bytes })
    }

    @Test("entries that are not whole and consecutive are refused")
    func entries() throws {
        let whole = frames(entry(1), entry(2))
        let bad = [
            Data([0]), whole.dropLast(), whole + [0], whole.dropFirst(), frames(entry(1), entry(3)),
            frames(entry(2), entry(1)), frames(entry(1), entry(1)), frames(entry(1, epoch: 2), entry(2)),
        ]
        for name in ["append", "fetched"] {
            func change(_ message: inout Wire, _ data: Data) {
                if name == "append" { message.append.frames = data } else { message.fetched.frames = data }
            }
            #expect(try field(name) { change(&$0, whole) } == nil)
            #expect(try field(name) { change(&$0, frames(entry(1), entry(2, epoch: 2))) } == nil)
            for data in bad { #expect(try field(name) { change(&$0, data) } == "frames") }
        }
    }

    @Test("entries that the log could not go on behind are refused, wherever they stand")
    func lastEntries() throws {
        let low = Self.limit - 1
        #expect(try field("append") { $0.append.frames = frames(entry(low, epoch: low)) } == nil)
        let last = frames(entry(.max))
        for data in [
            frames(entry(Self.limit)), frames(entry(1, epoch: Self.limit)), frames(entry(low), entry(Self.limit)), last,
            last + frames(entry(1)), last + last, frames(entry(1, schemaVersion: 1 << 31)),
            frames(entry(1, schemaVersion: .max)),
        ] {
            #expect(try field("append") { $0.append.frames = data } == "frames")
            #expect(try field("fetched") { $0.fetched.frames = data } == "frames")
        }
    }
}

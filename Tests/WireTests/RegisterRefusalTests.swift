import FoundationEssentials
import Replication
import SwiftProtobuf
import Testing

@testable import Wire

/// What is wrong about a register, on its way or in a file, is refused at the field that is wrong.
struct RegisterRefusalTests {
    private typealias Ask = Twinline_Witness_V1_WitnessRequest
    private typealias Say = Twinline_Witness_V1_WitnessAnswer
    private typealias Wire = Twinline_Witness_V1_Register

    private func message<M: SwiftProtobuf.Message>(_ samples: [Sample], _ name: String) throws -> M {
        try M(serializedBytes: #require(samples.first { $0.name == name }, "\(name)").bytes)
    }

    private func field(_ check: () throws(MalformedMessage) -> Void) -> String? {
        do { try check() } catch { return error.field }
        return nil
    }

    private func asking(_ name: String, _ change: (inout Ask) -> Void = { _ in }) throws -> String? {
        var wire: Ask = try message(Sample.witnessRequests, name)
        change(&wire)
        return field { () throws(MalformedMessage) in _ = try WitnessEnvelope(wire) }
    }

    private func saying(_ name: String, _ change: (inout Say) -> Void = { _ in }) throws -> String? {
        var wire: Say = try message(Sample.witnessAnswers, name)
        change(&wire)
        return field { () throws(MalformedMessage) in _ = try WitnessReply(wire) }
    }

    private func nodeFile(_ change: (inout Twinline_Disk_V1_NodeRecord) -> Void = { _ in }) throws -> String? {
        var wire: Twinline_Disk_V1_NodeRecord = try message(Sample.disk, "node")
        change(&wire)
        return field { () throws(MalformedMessage) in _ = try NodeFile(bytes: encoded(wire)) }
    }

    private func witnessFile(_ change: (inout Twinline_Disk_V1_WitnessRecord) -> Void = { _ in }) throws -> String? {
        var wire: Twinline_Disk_V1_WitnessRecord = try message(Sample.disk, "witness")
        change(&wire)
        return field { () throws(MalformedMessage) in _ = try WitnessFile(bytes: encoded(wire)) }
    }

    /// The field at which the same change of a register is refused in a message and in a file.
    private func register(_ change: (inout Wire) -> Void) throws -> (message: String?, file: String?) {
        let messages = [
            try asking("compare_and_set") { change(&$0.compareAndSet.register) },
            try asking("testify") { change(&$0.testify.register) },
            try asking("install") { change(&$0.install.register) },
            try saying("current") { change(&$0.current) }, try saying("won") { change(&$0.won) },
            try saying("lost") { change(&$0.lost) },
        ]
        let files = [try nodeFile { change(&$0.register) }, try witnessFile { change(&$0.pairs[1].register) }]
        #expect(Set(messages).count == 1 && Set(files).count == 1)
        return (messages[0], files[0])
    }

    @Test("a register with an id of another length, or of an unknown node, is refused")
    func registers() throws {
        #expect(try register { _ in } == (nil, nil))
        for count in [0, 15, 17] {
            #expect(try register { $0.diskA = Data(count: count) } == ("disk_a", "disk_a"))
            #expect(try register { $0.diskB = Data(count: count) } == ("disk_b", "disk_b"))
        }
        for name in ["", "c", "B", "aa"] {
            #expect(try register { $0.primary = name } == ("primary", "primary"))
        }
        #expect(try register { $0 = Wire() } == ("primary", "primary"))
    }

    @Test("a file may hold what was counted on from a message; neither may come near the end of the numbers")
    func counts() throws {
        func counting(_ number: UInt64, _ message: Bool, _ file: Bool) throws {
            func expected(_ field: String) -> (String?, String?) { (message ? field : nil, file ? field : nil) }
            #expect(try register { $0.version = number } == expected("version"))
            #expect(try register { $0.epoch = number } == expected("epoch"))
            #expect(try register { $0.floorEpoch = number } == expected("floor_epoch"))
            #expect(try register { $0.floorLsn = number } == expected("floor_lsn"))
            #expect(try nodeFile { $0.epoch = number } == expected("epoch").1)
            #expect(try nodeFile { $0.claimed = number } == expected("claimed").1)
            #expect(try nodeFile { $0.starts = number } == expected("starts").1)
            #expect(try nodeFile { $0.witnessNumber = number } == expected("witness_number").1)
        }
        try counting(Count.messageLimit - 1, false, false)
        try counting(Count.messageLimit, true, false)
        try counting(Count.fileLimit - 1, true, false)
        try counting(Count.fileLimit, true, true)
        try counting(.max, true, true)
    }

    @Test("a request to the witness is refused at the field that is wrong")
    func requests() throws {
        for name in Sample.witnessRequests.map(\.name) {
            #expect(try asking(name) == nil)
            #expect(try asking(name) { $0.pairID = Data(count: 15) } == "pair_id")
            #expect(try asking(name) { $0.witnessID = Data(count: 17) } == "witness_id")
            #expect(try asking(name) { $0.action = nil } == "action")
        }
        for node in ["", "c", "A"] { #expect(try asking("testify") { $0.testify.node = node } == "node") }
    }

    @Test("what a witness says is refused at the field that is wrong")
    func answers() throws {
        for name in Sample.witnessAnswers.map(\.name) {
            #expect(try saying(name) == nil)
            #expect(try saying(name) { $0.outcome = nil } == "outcome")
        }
        #expect(try saying("welcome") { $0.welcome.witnessID = Data(count: 15) } == "witness_id")
        for number in [-257, -1, 0, 5, 255, 256, 257, .max] {
            let reason = Twinline_Witness_V1_Refused.Reason(rawValue: number) ?? .UNRECOGNIZED(number)
            #expect(try saying("refused: cautious") { $0.refused.reason = reason } == "reason")
        }
    }

    @Test("a record file is refused at the field that is wrong")
    func files() throws {
        #expect(try nodeFile { $0.pairID = Data(count: 15) } == "pair_id")
        #expect(try nodeFile { $0.node = "c" } == "node")
        #expect(try nodeFile { $0.disk = Data() } == "disk")
        #expect(try nodeFile { $0.witness = Data(count: 17) } == "witness")
        #expect(try nodeFile { ($0.copy, $0.incoming) = (3, 3) } == "copy")
        #expect(try nodeFile { ($0.copy, $0.incoming) = (0, 0) } == "copy")
        #expect(try witnessFile { $0.id = Data(count: 15) } == "id")
        #expect(try witnessFile { $0.pairs[0].id = Data(count: 17) } == "id")
        #expect(try witnessFile { $0.pairs = [] } == nil)
        for bytes in [[0], [0xff], [8], [0x0a, 5, 1]] as [[UInt8]] {
            #expect(throws: MalformedMessage(field: "frame")) { try NodeFile(bytes: bytes) }
            #expect(throws: MalformedMessage(field: "frame")) { try WitnessFile(bytes: bytes) }
        }
        #expect(throws: MalformedMessage(field: "pair_id")) { try NodeFile(bytes: []) }
        #expect(throws: MalformedMessage(field: "id")) { try WitnessFile(bytes: []) }
    }
}

import FoundationEssentials
import Replication

extension Position {
    init(_ wire: Twinline_Node_V1_Position, field: String) throws(MalformedMessage) {
        self.init(try Epoch(wire: wire.epoch, field: field), try LSN(wire: wire.lsn, field: field))
    }
}

extension Twinline_Node_V1_Position {
    init(_ position: Position) {
        self.init()
        (epoch, lsn) = (position.epoch.value, position.lsn.value)
    }
}

extension EpochTable {
    /// Refuses a table that no log can have: the pure layer may rely on its order.
    init(_ wire: Twinline_Node_V1_EpochTable) throws(MalformedMessage) {
        let base = try Position(wire.base, field: "base")
        let last = try Position(wire.last, field: "last")
        var starts: [Position] = []
        var before = base
        for start in wire.starts {
            let start = try Position(start, field: "starts")
            let follows =
                starts.isEmpty
                ? start.lsn == base.lsn.next && start.epoch >= base.epoch
                : start.lsn > before.lsn && start.epoch > before.epoch
            guard follows else { throw MalformedMessage(field: "starts") }
            starts.append(start)
            before = start
        }
        guard starts.isEmpty ? last == base : last.lsn >= before.lsn && last.epoch == before.epoch else {
            throw MalformedMessage(field: "last")
        }
        self.init(base: base, starts: starts, last: last)
    }
}

extension Twinline_Node_V1_EpochTable {
    init(_ table: EpochTable) {
        self.init()
        base = Twinline_Node_V1_Position(table.base)
        starts = table.starts.map { Twinline_Node_V1_Position($0) }
        last = Twinline_Node_V1_Position(table.last)
    }
}

extension Hello {
    init(_ wire: Twinline_Node_V1_Hello) throws(MalformedMessage) {
        self.init(
            node: try NodeName(wire: wire.node), leads: wire.leads,
            synced: try Position(wire.synced, field: "synced"), disk: try RandomID(wire.disk, field: "disk"),
            starts: wire.starts, registerVersion: try UInt64(counted: wire.registerVersion, field: "register_version"),
            full: wire.diskFull)
    }
}

extension Twinline_Node_V1_Hello {
    init(_ hello: Hello, pair: RandomID) {
        self.init()
        pairID = pair.bytes
        node = hello.node.rawValue
        leads = hello.leads
        synced = Twinline_Node_V1_Position(hello.synced)
        disk = hello.disk.bytes
        starts = hello.starts
        registerVersion = hello.registerVersion
        diskFull = hello.full
    }
}

extension Join {
    init(_ wire: Twinline_Node_V1_Join) throws(MalformedMessage) {
        self.init(
            log: try EpochTable(wire.log), synced: try LSN(wire: wire.synced, field: "synced"),
            disk: try RandomID(wire.disk, field: "disk"), starts: wire.starts, witness: try WitnessChoice(wire.witness))
    }
}

extension Twinline_Node_V1_Join {
    init(_ join: Join) {
        self.init()
        log = Twinline_Node_V1_EpochTable(join.log)
        synced = join.synced.value
        disk = join.disk.bytes
        starts = join.starts
        witness = Twinline_Node_V1_WitnessChoice(join.witness)
    }
}

extension WitnessChoice {
    init(_ wire: Twinline_Node_V1_WitnessChoice) throws(MalformedMessage) {
        self.init(
            try RandomID(wire.id, field: "witness"), number: try UInt64(counted: wire.number, field: "number"))
    }
}

extension Twinline_Node_V1_WitnessChoice {
    init(_ witness: WitnessChoice) {
        self.init()
        (id, number) = (witness.id.bytes, witness.number)
    }
}

import Replication

extension Words {
    /// `v3 e3 a paired floor e3:1 disks 1 2 starts 1 1`, the last three if they are not the usual ones.
    mutating func register() throws -> Register { try register(version: try count(after: "v")) }

    private mutating func register(version: UInt64) throws -> Register {
        let epoch = try epoch()
        let primary = try node()
        let mode = try mode()
        let floor = try take("floor", else: Position.zero) { try $0.position() }
        let disks = try take("disks", else: Stage.disks) { PerNode(a: try $0.disk(), b: try $0.disk()) }
        let starts = try take("starts", else: PerNode<UInt64>(a: 1, b: 1)) {
            PerNode(a: try $0.count(), b: try $0.count())
        }
        return Register(
            version: version, epoch: epoch, primary: primary, mode: mode, disks: disks, starts: starts, floor: floor)
    }

    private mutating func mode() throws -> Register.Mode {
        if take("paired") { return .paired }
        try expect("solo")
        return .solo
    }

    /// `won v3 …`, `refused cautious`
    mutating func outcome() throws -> RegisterAnswer.Outcome {
        switch try next("outcome") {
        case "won": return .won(try register())
        case "lost": return .lost(try register())
        case "current": return .current(try register())
        case "refused":
            let refusals: [RegisterRefusal] = [.unknownPair, .cautious, .earlierStart, .alreadyInstalled]
            return .refused(try one(of: refusals, "refusal"))
        case let word: throw unreadable(word, "outcome")
        }
    }

    private mutating func one<Value>(of values: [Value], _ expected: String) throws -> Value {
        let word = try next(expected)
        guard let value = values.first(where: { "\($0)" == word }) else { throw unreadable(word, expected) }
        return value
    }

    /// `a.4 change v3 to e3 a solo`
    mutating func request() throws -> RegisterRequest {
        let word = try next("number")
        guard let number = Words.number(word) else { throw unreadable(word, "number") }
        let action: RegisterRequest.Action
        switch try next("question") {
        case "read": action = .read
        case "testify":
            try expect("from")
            let node = try node()
            let leads = take("leading")
            action = .testify(Testimony(node: node, register: try register(), leads: leads))
        case "change":
            let version = try count(after: "v")
            try expect("to")
            action = .compareAndSet(version: version, register: try register(version: version))
        case let word: throw unreadable(word, "question")
        }
        return RegisterRequest(number: number, action: action)
    }

    /// `e3/b.4 acknowledge 2 applied 1`
    mutating func message() throws -> Message {
        let head = try next("epoch").split(separator: "/")
        guard let epoch = UInt64(head[0].dropFirst()), head[0].hasPrefix("e"),
            let session = head.count == 1 ? UniqueNumber.none : Words.number(head[1])
        else { throw unreadable(head.joined(separator: "/"), "epoch and session") }
        return Message(Epoch(epoch), session, try body())
    }

    private mutating func body() throws -> Message.Body {
        if take("join", "accepted", "at") { return .joinAccepted(common: try position()) }
        if take("join", "refused") {
            return .joinRefused(try one(of: [.reseedNeeded, .flapping, .diskForgot], "refusal"))
        }
        if take("hand", "over", "through") { return .handOver(through: try lsn()) }
        switch try next("message") {
        case "hello": return .hello(try hello())
        case "join": return .join(try join())
        case "append": return .append(try run(), committed: try take("committed", else: .zero) { try $0.lsn() })
        case "acknowledge":
            let synced = try lsn()
            let applied = try take("applied", else: .zero) { try $0.lsn() }
            let reachesWitness = !take("without", "witness")
            return .acknowledge(
                synced: synced, applied: applied, reachesWitness: reachesWitness, hasRoom: !take("without", "room"))
        case "adopt": return .adopt(try witness())
        case "adopted":
            let witness = try witness()
            try expect("at")
            return .adopted(witness, registerVersion: try count(after: "v"))
        case "heartbeat":
            try expect("committed")
            let committed = try lsn()
            try expect("synced")
            let synced = try lsn()
            try expect("applied")
            return .heartbeat(committed: committed, synced: synced, applied: try lsn())
        case "confirm": return .confirm(round: try count())
        case "confirmed": return .confirmed(round: try count())
        case "stale": return .stale
        case "working": return .working
        case "stranded": return .stranded(seats: try count())
        case "fetch":
            try expect("log")
            return .fetch(try log())
        case "fetched":
            let run = try run()
            return .fetched(run, last: run.last)
        case let word: throw unreadable(word, "message")
        }
    }

    private mutating func hello() throws -> Hello {
        try expect("from")
        let node = try node()
        let leads = take("leading")
        try expect("synced")
        let synced = try position()
        let disk = try take("disk", else: Stage.disks[node]) { try $0.disk() }
        let starts = try take("starts", else: 1) { try $0.count() }
        return Hello(
            node: node, leads: leads, synced: synced, disk: disk, starts: starts, registerVersion: 1,
            full: take("full"))
    }

    private mutating func join() throws -> Join {
        try expect("log")
        let log = try log()
        try expect("synced")
        let synced = try lsn()
        try expect("disk")
        let disk = try disk()
        let starts = try take("starts", else: 1) { try $0.count() }
        let witness = try take("witness", else: Stage.witness) { try $0.witness() }
        return Join(log: log, synced: synced, disk: disk, starts: starts, witness: witness)
    }

    /// `10#1`: its id, and the number of the choice.
    private mutating func witness() throws -> WitnessChoice {
        let word = try next("witness")
        let parts = word.split(separator: "#").compactMap { UInt64($0) }
        guard parts.count == 2 else { throw unreadable(word, "witness and number") }
        return WitnessChoice(RandomID(high: Stage.witness.id.high, low: parts[0]), number: parts[1])
    }
}

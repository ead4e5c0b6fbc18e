import Planted

/// The witness as a pure value: one register for each pair, changed by compare-and-set, and nothing else.
///
/// An answer, to a read too, is given only once the record that it rests on is synced (rule R12): effects hold answers
/// back until `recordSaved` says so.
public struct Witness: Equatable, Sendable {
    public struct Record: Equatable, Sendable {
        public var id: RandomID
        public var registers: [Pair]
        public init(id: RandomID, registers: [Pair] = []) { (self.id, self.registers) = (id, registers) }
    }

    public struct Pair: Equatable, Sendable {
        public var id: RandomID
        /// As in its certificates. Two pairs of one name would be one too many.
        public var name: String
        public var register: Register
        public init(id: RandomID, name: String, register: Register) {
            (self.id, self.name, self.register) = (id, name, register)
        }
    }

    public enum Effect: Equatable, Sendable {
        /// Write and sync, then call `recordSaved`.
        case save(Record)
        case answer(client: UInt64, RegisterAnswer)
    }

    public private(set) var record: Record
    /// A request meant for an earlier start is refused. Drawn at random: a count would repeat itself on a disk that was
    /// put back.
    public let start: UInt64
    /// Pairs whose register can't be trusted before their nodes were heard: the machine has rebooted since it was
    /// written, and may have lost what was synced.
    public private(set) var cautious: Set<RandomID>
    private var testimonies: [RandomID: PerNode<Testimony?>] = [:]
    private var savesUnderWay = 0
    private var held: [(afterSave: Int, answer: Effect)] = []

    /// `record` is on disk.
    public init(record: Record, start: UInt64, machineRebooted: Bool) {
        (self.record, self.start) = (record, start)
        cautious = machineRebooted && !planted("trustTheWitnessAfterAReboot") ? Set(record.registers.map(\.id)) : []
    }

    public func register(of pair: RandomID) -> Register? { record.registers.first { $0.id == pair }?.register }

    /// A request of a node of this pair, meant for the start of the witness that it names.
    /// - Parameter name: the pair's, as the asker's certificate says.
    public mutating func receive(
        _ request: RegisterRequest, pair: RandomID, named name: String, start: UInt64, client: UInt64
    ) -> [Effect] {
        guard start == self.start || planted("obeyARequestToAnEarlierStart") else {
            return answer(request, .refused(.earlierStart), client)
        }
        if case .install(let register) = request.action {
            return install(Pair(id: pair, name: name, register: register), request, client)
        }
        // An id is no secret: who asks must also be of the pair of that name.
        guard let known = record.registers.first(where: { $0.id == pair }), known.name == name else {
            return answer(request, .refused(.unknownPair), client)
        }
        let register = known.register
        switch request.action {
        case .read:
            return answer(request, .current(register), client)
        case .testify(let testimony):
            let effects = hear(testimony, pair)
            guard !cautious.contains(pair) else { return answer(request, .refused(.cautious), client) }
            return effects + answer(request, .current(self.register(of: pair) ?? register), client)
        case .compareAndSet(let version, var next):
            guard !cautious.contains(pair) else { return answer(request, .refused(.cautious), client) }
            guard version == register.version || planted("setWhateverTheVersion"), next.epoch >= register.epoch else {
                return answer(request, .lost(register), client)
            }
            next.version = register.version + 1
            return set(next, pair) + answer(request, .won(next), client)
        case .install:
            return answer(request, .refused(.alreadyInstalled), client)
        }
    }

    /// The first register of a new pair, or the one that a leader installs (rule R12). A leader that comes back to a
    /// witness which its pair had left finds an older register there, which nobody goes by any more.
    private mutating func install(_ new: Pair, _ request: RegisterRequest, _ client: UInt64) -> [Effect] {
        if let index = record.registers.firstIndex(where: { $0.id == new.id || $0.name == new.name }) {
            let old = record.registers[index]
            guard old.id == new.id, old.name == new.name, old.register.version < new.register.version,
                old.register.epoch <= new.register.epoch
            else { return answer(request, .refused(.alreadyInstalled), client) }
            record.registers[index] = new
        } else {
            record.registers.append(new)
        }
        cautious.remove(new.id)
        testimonies[new.id] = nil
        return save() + answer(request, .won(new.register), client)
    }

    /// The oldest record under way is on disk.
    public mutating func recordSaved() -> [Effect] {
        precondition(savesUnderWay > 0, "nothing was being saved")
        savesUnderWay -= 1
        let ready = held.filter { $0.afterSave <= 1 }.map(\.answer)
        held = held.filter { $0.afterSave > 1 }.map { ($0.afterSave - 1, $0.answer) }
        return ready
    }

    private mutating func set(_ register: Register, _ pair: RandomID) -> [Effect] {
        guard let index = record.registers.firstIndex(where: { $0.id == pair }) else { return [] }
        record.registers[index].register = register
        return save()
    }

    private mutating func save() -> [Effect] {
        savesUnderWay += 1
        return [.save(record)]
    }

    private mutating func answer(
        _ request: RegisterRequest, _ outcome: RegisterAnswer.Outcome, _ client: UInt64
    ) -> [Effect] {
        let effect = Effect.answer(client: client, RegisterAnswer(number: request.number, outcome: outcome))
        guard savesUnderWay > 0, !planted("witnessAnswersBeforeSync") else { return [effect] }
        held.append((savesUnderWay, effect))
        return []
    }

    /// After a reboot: both nodes, or one that leads, tell more than a disk that may have forgotten. The highest
    /// version and epoch heard count.
    private mutating func hear(_ testimony: Testimony, _ pair: RandomID) -> [Effect] {
        guard cautious.contains(pair), let own = register(of: pair) else { return [] }
        var heard = testimonies[pair] ?? PerNode(a: nil, b: nil)
        heard[testimony.node] = testimony
        testimonies[pair] = heard
        guard testimony.leads || (heard.a != nil && heard.b != nil) || planted("oneTestimonyIsEnough")
        else { return [] }
        let known = [own] + [heard.a, heard.b].compactMap { $0?.register }
        var highest = known.max { ($0.epoch, $0.version) < ($1.epoch, $1.version) } ?? own
        highest.version = (known.map(\.version).max() ?? own.version) + 1
        cautious.remove(pair)
        testimonies[pair] = nil
        return set(highest, pair)
    }

    public static func == (left: Witness, right: Witness) -> Bool {
        left.record == right.record && left.start == right.start && left.cautious == right.cautious
            && left.testimonies == right.testimonies && left.savesUnderWay == right.savesUnderWay
            && left.held.elementsEqual(right.held) { $0 == $1 }
    }
}

import Planted
import Replication
import Tickets
import Wire

/// Reads on their way: first a round to the standby (rule R9), then the database must hold all that was committed when
/// the read came; then they go to the reader together.
struct Reads {
    private var waitingForRound: [(round: UInt64, needs: LSN, read: PendingRead)] = []
    private var waitingForApply: [(needs: LSN, read: PendingRead)] = []
    /// Answers to repeated requests: they rest on what the database holds, and wait for a round as well.
    var answers: [(round: UInt64, answers: [WriteAnswer])] = []

    mutating func add(_ read: PendingRead, round: UInt64, needs lsn: LSN) { waitingForRound.append((round, lsn, read)) }
    mutating func add(_ read: PendingRead, needs lsn: LSN) { waitingForApply.append((lsn, read)) }

    mutating func confirmed(
        through round: UInt64, applied: LSN, _ reader: any ReadWorker, _ deliver: ([WriteAnswer]) -> Void
    ) {
        // Rounds only rise along the list.
        let count = waitingForRound.firstIndex { $0.round > round } ?? waitingForRound.count
        waitingForApply.append(contentsOf: waitingForRound[..<count].map { ($0.needs, $0.read) })
        waitingForRound.removeFirst(count)
        self.applied(through: applied, reader)
        while let first = answers.first, first.round <= round {
            deliver(first.answers)
            answers.removeFirst()
        }
    }

    mutating func applied(through lsn: LSN, _ reader: any ReadWorker) {
        guard !waitingForApply.isEmpty else { return }
        let lsn = planted("readBeforeApplied") ? LSN(.max) : lsn
        let ready = waitingForApply.filter { $0.needs <= lsn }.map(\.read)
        guard !ready.isEmpty else { return }
        waitingForApply.removeAll { $0.needs <= lsn }
        reader.read(ready)
    }

    /// The role is lost.
    mutating func abandon() -> [ReadAnswer] {
        let lost = waitingForRound.map(\.read) + waitingForApply.map(\.read)
        (waitingForRound, waitingForApply) = ([], [])
        return lost.map { $0.answered(.notNow(.notPrimary)) }
    }

    mutating func abandonAnswers() -> [WriteAnswer] {
        defer { answers = [] }
        return answers.flatMap(\.answers).map(\.notPrimary)
    }
}

extension NodeEngine {
    /// Reads that came together share a round.
    package func read(_ requests: [PendingRead]) {
        work &+= 1
        guard requests.allSatisfy({ $0.level == .latest && !$0.query.isChanges }) else {
            let changes = requests.filter(\.query.isChanges)
            if !changes.isEmpty { follow(changes) }
            let others = requests.filter { !$0.query.isChanges }
            for request in others where !isLatest(request.level) { readHere(request) }
            let latest = others.filter { isLatest($0.level) }
            return latest.isEmpty ? () : readLatest(latest)
        }
        readLatest(requests)
    }

    /// What was committed stays so, whoever leads: no round is needed to tell of it.
    private func follow(_ requests: [PendingRead]) {
        guard replica.serves || replica.isFollowing else {
            return deliver(requests.map { $0.answered(.notNow(.notPrimary)) })
        }
        reader.read(requests)
    }

    /// Without asking the other node: what this one has applied, if that is enough. Else the seat asks again, here or
    /// there, so that nothing waits here that nobody waits for any more.
    private func readHere(_ request: PendingRead) {
        guard has(request.level) else { return deliver([request.answered(.notNow(.notPrimary))]) }
        var request = request
        request.age = age
        if case .standby(let limit?) = request.level, age.map({ $0 > limit * 1_000_000 }) ?? true {
            return deliver([request.answered(.notNow(.tooOld))])
        }
        reader.read([request])
    }

    /// A primary has no age: who asks for a young standby and finds that it leads now wants what is newest.
    private func isLatest(_ level: SeatRead.Level) -> Bool {
        if case .standby(.some) = level { return replica.serves }
        return level == .latest
    }

    private func has(_ level: SeatRead.Level) -> Bool {
        switch level {
        case .latest: return false
        case .standby: return replica.isFollowing
        case .atLeast(let position):
            guard position.lsn <= replica.applied else { return false }
            // One that parted from this log is in nothing that this node will ever apply.
            return position.lsn < replica.log.base.lsn || replica.log.epoch(at: position.lsn) == position.epoch
        }
    }

    private func readLatest(_ requests: [PendingRead]) {
        var wait: Replica.ReadWait?
        run {
            guard let (found, effects) = $0.read() else { return [] }
            wait = found
            return effects
        }
        guard let wait else { return deliver(requests.map { $0.answered(.notNow(.notPrimary)) }) }
        let needs = replica.committed
        switch wait {
        case .none:
            for request in requests { reads.add(request, needs: needs) }
            reads.applied(through: replica.applied, reader)
        case .round(let round):
            for request in requests { reads.add(request, round: round, needs: needs) }
        }
    }
}

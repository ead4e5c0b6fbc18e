import Synchronization

/// All that a drill found.
struct DrillReport: Equatable, Sendable {
    /// As in "a pair of its own in namespaces" or "pair hotline".
    var subject: String
    /// When it began, as people write it.
    var began: String
    var version: String
    var seats: Int
    var faults: [FaultRecord] = []
    var seconds = 0.0
    /// At the end, of everything that was ever acknowledged. Nil: it could not be looked up, or nothing was written.
    var audit: SeatAudit?
    var acknowledged = 0
    var reads = 0
    /// What both nodes' tables say of each other, or why they could not be compared. Nil: nobody came to it.
    var copies: Copies?
    /// What the checkers say of all that was asked and told.
    var history: HistoryReport?
    /// Why the drill could not go on.
    var trouble: String?
    /// Whether tickets were written, so that lost ones can be told.
    var writes = true

    enum Copies: Equatable, Sendable {
        /// The digest that either node computed anew from its tables, at one entry.
        case equal(String)
        /// With a sentence.
        case different(String), unknown(String)
    }

    init(subject: String, began: String, version: String, seats: Int) {
        (self.subject, self.began, self.version, self.seats) = (subject, began, version, seats)
    }

    /// Counts what the seats were told, and holds it against what the pair has.
    mutating func lookUp(in pair: DrilledPair) async throws {
        let operations = pair.seats.journal.operations
        acknowledged = operations.count { $0.acknowledged != nil }
        reads = operations.count(where: \.isRead)
        if writes { audit = try await SeatAudit.of(operations, in: pair) }
    }

    /// Both nodes walk through their tables at one entry, whoever else writes meanwhile: what they say of their last
    /// entries in passing agrees by luck alone on a pair that is in use.
    mutating func compare(_ view: PairView) async {
        let line = Mutex(VerifyProgress())
        let verification = PairVerification(view: view) { progress in line.withLock { $0.show(progress) } }
        do {
            let found = try await verification.run()
            copies =
                switch found.verdict {
                case .equal: .equal(found.nodes[.a]?.computed ?? "")
                case .wrong, .logsDiffer: .different(found.sentence)
                case .onlyOne: .unknown(found.sentence)
                }
        } catch let error as Unavailable {
            copies = .unknown(error.reason)
        } catch { copies = .unknown("\(error)") }
        line.withLock { $0.finish() }
    }

    mutating func check(_ record: RunHistory) {
        do { history = HistoryReport(try record.finish()) } catch { trouble = trouble ?? "\(error)" }
    }

    var isGood: Bool {
        trouble == nil && faults.allSatisfy(\.isGood) && copiesAreEqual
            && (!writes || audit.map { $0.lost == 0 && $0.duplicated == 0 } == true)
            && history?.verdict.isGood == true
    }

    var copiesAreEqual: Bool { if case .equal = copies { true } else { false } }

    var verdict: String {
        guard !isGood else {
            return "nothing lost, nothing twice, no error but where two were lost at once; paired again after each"
        }
        let isWrong = history?.verdict.isGood == false
        let bad = faults.filter { !$0.isGood }.map(\.name) + (isWrong ? ["the history"] : [])
        return "NOT GOOD" + (bad.isEmpty ? "" : ": \(bad.joined(separator: ", "))")
    }

    /// What is not as it should be, and what seats were told while two were lost.
    var notes: [String] {
        var notes: [String] = []
        for fault in faults {
            if let trouble = fault.trouble { notes.append("\(fault.name): FAILED: \(trouble)") }
            if let refusal = fault.refusal { notes.append("\(fault.name): \(refusal)") }
            if fault.losesTwo, fault.refusal == nil, fault.trouble == nil {
                notes.append("\(fault.name): NOT REFUSED: a seat was answered while two were lost")
            }
            notes += fault.examples.map { "\(fault.name): \($0)" }
        }
        notes += audit?.examples ?? []
        switch copies {
        case .different(let sentence), .unknown(let sentence): notes.append("copies: \(sentence)")
        case .equal, nil: break
        }
        if let history, !history.verdict.isGood { notes.append(history.text) }
        if let trouble { notes.append("FAILED: \(trouble)") }
        return notes
    }
}

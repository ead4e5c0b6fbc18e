import Testing

/// Steps a replica through every role, phase, age of epoch and kind of fact, and compares with `Transitions.txt`: a
/// reviewer sees the whole table, refusals included, and with every change of the protocol a difference of it.
struct TransitionTableTests {
    @Test("every transition is as in the reviewed table")
    func reviewed() throws {
        try Golden.compare(TransitionTable.text, with: "Transitions.txt")
    }
}

import Testing

@testable import Commands

/// The list of faults, and how they are chosen.
@Suite struct DrillFaultTests {
    @Test("every fault has a name of its own, and the list says which are usual")
    func names() {
        let names = DrillFault.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" } })
        let lines = DrillFault.list.split(separator: "\n")
        #expect(lines.count == names.count + 1)
        #expect(lines.count { $0.hasPrefix("* ") && !$0.contains("when none") } == DrillFault.usual.count)
    }

    @Test("faults are done in the order in which they are named")
    func chosen() throws {
        #expect(
            try DrillFault.named("wipe-node, kill-primary,kill-primary").map(\.name)
                == ["wipe-node", "kill-primary", "kill-primary"])
        let failure = #expect(throws: Failure.self) { try DrillFault.named("kill-primary,nonsense") }
        #expect(failure?.description == "'nonsense' is no fault; see twinline drill --list")
    }

    @Test(
        "options that don't go together are refused",
        arguments: [
            ["--faults", "kill-primary", "--all"], ["--faults", "nonsense"], ["--seats", "0"], ["--stop", "a=true"],
            ["--tickets"], ["--config", "x", "--all"], ["--config", "x", "--faults", "kill-primary"],
            ["--config", "x", "--faults", "stop-primary"], ["--config", "x", "--stop", "c=true"],
            ["--config", "x", "--stop", "a="], ["--config", "x", "--stop", "a=true", "--stop", "a=false"],
        ])
    func refused(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try DrillCommand.parse(arguments) }
    }

    @Test("both ways of a link, and each alone, can be cut")
    func links() {
        let names = Set(DrillFault.all.map(\.name))
        for (one, other) in [
            ("primary", "standby"), ("primary", "witness"), ("standby", "witness"), ("seats", "primary"),
            ("seats", "standby"),
        ] {
            #expect(
                names.isSuperset(of: [
                    "cut-\(one)-\(other)", "cut-\(one)-to-\(other)", "cut-\(other)-to-\(one)",
                ]))
        }
    }
}

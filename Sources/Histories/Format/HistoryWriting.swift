import Tickets

extension HistoryFormat {
    /// Appends the line of an invocation.
    static func write(_ call: Call, by process: Int, at time: Int64, to bytes: inout [UInt8]) {
        var line = LineWriter(process, "invoke", call.name)
        line.write(call)
        line.end(time, &bytes)
    }

    /// Appends the line of an answer, or of its absence.
    static func write(_ outcome: Outcome, of call: Call, by process: Int, at time: Int64, to bytes: inout [UInt8]) {
        var line = LineWriter(process, outcome.name, call.name)
        switch (outcome, call) {
        case (.ok(let answer), _): line.write(answer, to: call)
        case (.failed(let state?), .command(let ticket, _)): line.pair(ticket) { $0.write(state) }
        case (.failed, _), (.unknown, _): line.write(call)
        }
        line.end(time, &bytes)
    }

    /// All lines of a history. Of an operation without an outcome there is the invocation only.
    package static func lines(of history: History) -> [UInt8] {
        var events: [(line: Int, time: Int64, operation: Operation, isAnswer: Bool)] = []
        for operation in history.operations {
            events.append((operation.invoked.line, operation.invoked.time, operation, false))
            if let end = operation.completed { events.append((end.line, end.time, operation, true)) }
        }
        var bytes: [UInt8] = []
        for (_, time, operation, isAnswer) in events.sorted(by: { $0.line < $1.line }) {
            if isAnswer {
                write(operation.outcome, of: operation.call, by: operation.process, at: time, to: &bytes)
            } else {
                write(operation.call, by: operation.process, at: time, to: &bytes)
            }
        }
        return bytes
    }
}

/// One line in the making.
private struct LineWriter {
    private var text: String

    init(_ process: Int, _ type: String, _ f: String) {
        text = #"{"process":\#(process),"type":"\#(type)","f":"\#(f)","value":"#
    }

    mutating func end(_ time: Int64, _ bytes: inout [UInt8]) {
        text += ",\"time\":\(time)}\n"
        bytes.append(contentsOf: text.utf8)
    }

    mutating func write(_ call: Call) {
        switch call {
        case .command(let ticket, let step): pair(ticket) { $0.quote(step.detail) }
        case .show(let ticket, _), .history(let ticket): pair(ticket) { $0.text += "null" }
        case .list, .balances: text += "null"
        case .add(let set, let element): pair(set) { $0.write(element) }
        case .elements(let set): pair(set) { $0.text += "null" }
        case .accounts(let balances): write(balances)
        case .transfer(let from, let to, let amount):
            text += "{\"from\":"
            quote(from)
            text += ",\"to\":"
            quote(to)
            text += ",\"amount\":\(amount)}"
        case .transaction(let steps): list(steps) { $0.write($1) }
        }
    }

    mutating func write(_ answer: Answer, to call: Call) {
        switch (answer, call) {
        case (.advanced(let state, let revision), .command(let ticket, _)):
            pair(ticket) { $0.text += #"{"state":"\#(state)","revision":\#(revision)}"# }
        case (.ticket(let sighting), .show(let ticket, _)): pair(ticket) { $0.write(sighting) }
        case (.rows(let rows), .history(let ticket)):
            pair(ticket) { line in
                line.list(rows) { line, row in
                    line.text += "[\"\(row.action)\","
                    line.quote(row.detail)
                    line.text += "]"
                }
            }
        case (.tickets(let tickets), _): list(tickets) { $0.text += "\"\($1)\"" }
        case (.elements(let elements), .elements(let set)): pair(set) { $0.list(elements) { $0.write($1) } }
        case (.balances(let balances), _): write(balances)
        case (.transaction(let steps), _): list(steps) { $0.write($1) }
        case (.done, _), (.advanced, _), (.ticket, _), (.rows, _), (.elements, _): write(call)
        }
    }

    mutating func write(_ state: RefusedState) {
        text += "{\"refused\":\"\(state.name)\""
        if case .notInState(let state) = state { text += ",\"state\":\"\(state)\"" }
        text += "}"
    }

    mutating func pair(_ ticket: TicketID, _ second: (inout LineWriter) -> Void) {
        text += "[\"\(ticket)\","
        second(&self)
        text += "]"
    }

    private mutating func pair(_ first: Label, _ second: (inout LineWriter) -> Void) {
        text += "["
        write(first)
        text += ","
        second(&self)
        text += "]"
    }

    private mutating func write(_ sighting: Sighting) {
        var members: [String] = []
        if let progress = sighting.progress {
            var unit = LineWriter.empty
            unit.quote(progress.unit)
            members.append("\"state\":\"\(progress.state)\",\"unit\":\(unit.text),\"revision\":\(progress.revision)")
        }
        if let age = sighting.age { members.append("\"age\":\(age)") }
        if let position = sighting.position { members.append("\"position\":[\(position.epoch),\(position.lsn)]") }
        text += members.isEmpty ? "null" : "{\(members.joined(separator: ","))}"
    }

    private mutating func write(_ step: ListStep) {
        switch step {
        case .append(let key, let value):
            text += "[\"append\","
            write(key)
            text += ","
            write(value)
        case .read(let key, let elements):
            text += "[\"r\","
            write(key)
            text += ","
            if let elements { list(elements) { $0.write($1) } } else { text += "null" }
        }
        text += "]"
    }

    private mutating func write(_ balances: [String: Int64]) {
        text += "{"
        for (number, account) in balances.keys.sorted().enumerated() {
            if number > 0 { text += "," }
            quote(account)
            text += ":\(balances[account] ?? 0)"
        }
        text += "}"
    }

    private mutating func write(_ label: Label) {
        switch label {
        case .number(let number): text += "\(number)"
        case .text(let text): quote(text)
        }
    }

    private mutating func list<Element>(_ elements: [Element], _ one: (inout LineWriter, Element) -> Void) {
        text += "["
        for (number, element) in elements.enumerated() {
            if number > 0 { text += "," }
            one(&self, element)
        }
        text += "]"
    }

    private static var empty: LineWriter {
        var line = LineWriter(0, "", "")
        line.text = ""
        return line
    }

    private mutating func quote(_ plain: String) {
        text += "\""
        if plain.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            text += plain
        } else {
            for scalar in plain.unicodeScalars {
                switch scalar {
                case "\"", "\\": text += "\\\(scalar)"
                case "\n": text += "\\n"
                case ..<" ":
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}

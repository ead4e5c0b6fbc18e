import Tickets

extension Call {
    init(name: String, value: JSON) throws(ShapeError) {
        if let action = HistoryFormat.actions[name] {
            let pair = try value.pair()
            self = .command(try pair.0.ticket(), TicketStep(action, try pair.1.text()))
            return
        }
        switch name {
        case "show": self = .show(try value.about(), .latest)
        case "standby-show": self = .show(try value.about(), .standby)
        case "history": self = .history(try value.about())
        case "list":
            try value.nothing()
            self = .list
        case "add":
            let pair = try value.pair()
            self = .add(set: try pair.0.label(), try pair.1.label())
        case "read":
            let pair = try value.pair()
            try pair.1.nothing()
            self = .elements(set: try pair.0.label())
        case "accounts": self = .accounts(try value.balances())
        case "transfer":
            self = .transfer(
                from: try value.member("from").text(), to: try value.member("to").text(),
                amount: try value.member("amount").integer())
        case "balances":
            try value.nothing()
            self = .balances(.latest)
        case "standby-balances":
            try value.nothing()
            self = .balances(.standby)
        case "txn": self = .transaction(try value.steps(answered: false))
        default: throw .shape("f is \(JSON.string(name).short), which this format does not have")
        }
    }
}

extension Outcome {
    init(type: String, value: JSON, of call: Call) throws(ShapeError) {
        switch type {
        case "ok": self = .ok(try Answer(value, to: call))
        case "fail":
            guard case .command(let ticket, _) = call, let pair = try? value.pair(), case .object = pair.1 else {
                self = .failed(nil)
                return
            }
            try pair.0.isTicket(ticket)
            self = .failed(try pair.1.refused())
        default: self = .unknown
        }
    }
}

extension Answer {
    fileprivate init(_ value: JSON, to call: Call) throws(ShapeError) {
        switch call {
        case .command(let ticket, _):
            let pair = try value.pair()
            try pair.0.isTicket(ticket)
            self = .advanced(state: try pair.1.member("state").state(), revision: try pair.1.member("revision").count())
        case .show(let ticket, _):
            let pair = try value.pair()
            try pair.0.isTicket(ticket)
            self = .ticket(try pair.1.sighting())
        case .history(let ticket):
            let pair = try value.pair()
            try pair.0.isTicket(ticket)
            self = .rows(
                try pair.1.list().map { row throws(ShapeError) in
                    let pair = try row.pair()
                    guard let action = HistoryFormat.actions[try pair.0.text()] else {
                        throw .shape("\(pair.0.short) is no action")
                    }
                    return TicketStep(action, try pair.1.text())
                })
        case .list: self = .tickets(try value.list().map { id throws(ShapeError) in try id.ticket() })
        case .elements(let set):
            let pair = try value.pair()
            guard try pair.0.label() == set else { throw .shape("the answer is about the set \(pair.0.short)") }
            self = .elements(try pair.1.list().map { label throws(ShapeError) in try label.label() })
        case .balances: self = .balances(try value.balances())
        case .transaction(let asked):
            let steps = try value.steps(answered: true)
            guard steps.map(\.question) == asked else { throw .shape("the answer has other steps than the invocation") }
            self = .transaction(steps)
        case .add, .accounts, .transfer:
            guard try Call(name: call.name, value: value) == call else {
                throw .shape("the answer has another value than the invocation")
            }
            self = .done
        }
    }
}

extension ListStep {
    /// As it was before it had an answer.
    fileprivate var question: ListStep { if case .read(let key, _) = self { .read(key: key, nil) } else { self } }
}

extension JSON {
    /// For messages.
    fileprivate var short: String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .integer(let integer): "\(integer)"
        case .string(let text): "\"\(text.prefix(40))\(text.count > 40 ? "…" : "")\""
        case .array: "a list"
        case .object: "an object"
        }
    }

    fileprivate func list() throws(ShapeError) -> [JSON] {
        guard case .array(let elements) = self else { throw .shape("\(short) stands where a list has to be") }
        return elements
    }

    fileprivate func pair() throws(ShapeError) -> (JSON, JSON) {
        guard case .array(let elements) = self, elements.count == 2 else {
            throw .shape("\(short) stands where a list of two has to be")
        }
        return (elements[0], elements[1])
    }

    fileprivate func member(_ key: String) throws(ShapeError) -> JSON {
        guard let value = try optional(key) else { throw .shape("\"\(key)\" is missing in the value") }
        return value
    }

    private func optional(_ key: String) throws(ShapeError) -> JSON? {
        guard case .object(let members) = self else { throw .shape("\(short) stands where an object has to be") }
        return members.last { $0.key == key }?.value
    }

    fileprivate func nothing() throws(ShapeError) {
        guard self == .null else { throw .shape("\(short) stands where null has to be") }
    }

    fileprivate func text() throws(ShapeError) -> String {
        guard case .string(let text) = self else { throw .shape("\(short) stands where a text has to be") }
        return text
    }

    fileprivate func integer() throws(ShapeError) -> Int64 {
        guard case .integer(let integer) = self else { throw .shape("\(short) stands where a number has to be") }
        return integer
    }

    fileprivate func count() throws(ShapeError) -> Int64 {
        let number = try integer()
        guard number >= 0 else { throw .shape("\(number) stands where a number from 0 has to be") }
        return number
    }

    fileprivate func label() throws(ShapeError) -> Label {
        switch self {
        case .integer(let number): return .number(number)
        case .string(let text): return .text(text)
        case .null, .bool, .array, .object: throw .shape("\(short) stands where a number or a text has to be")
        }
    }

    fileprivate func ticket() throws(ShapeError) -> TicketID {
        guard case .string(let text) = self, let id = TicketID(text) else {
            throw .shape("\(short) stands where a ticket's 32 hexadecimal digits have to be")
        }
        return id
    }

    fileprivate func isTicket(_ ticket: TicketID) throws(ShapeError) {
        let found = try self.ticket()
        guard found == ticket else { throw .shape("the answer is about ticket \(found)") }
    }

    fileprivate func about() throws(ShapeError) -> TicketID {
        let pair = try pair()
        try pair.1.nothing()
        return try pair.0.ticket()
    }

    fileprivate func state() throws(ShapeError) -> Ticket.State {
        guard let state = HistoryFormat.states[try text()] else { throw .shape("\(short) is no state of a ticket") }
        return state
    }

    fileprivate func refused() throws(ShapeError) -> RefusedState {
        switch try member("refused").text() {
        case "no such ticket": return .noSuchTicket
        case "ticket exists": return .ticketExists
        case "not in state": return .notInState(try member("state").state())
        default: throw .shape("\(try member("refused").short) is no reason for a refusal")
        }
    }

    fileprivate func sighting() throws(ShapeError) -> Sighting {
        if self == .null { return Sighting(nil) }
        var sighting = Sighting(nil)
        if try optional("state") != nil {
            sighting.progress = Ticket.Progress(
                state: try member("state").state(), unit: try member("unit").text(),
                revision: try member("revision").count())
        }
        sighting.age = try optional("age").map { age throws(ShapeError) in try age.count() }
        sighting.position = try optional("position").map { position throws(ShapeError) in
            let pair = try position.pair()
            return SeenPosition(epoch: try pair.0.integer(), lsn: try pair.1.integer())
        }
        return sighting
    }

    fileprivate func balances() throws(ShapeError) -> [String: Int64] {
        guard case .object(let members) = self else { throw .shape("\(short) stands where an object has to be") }
        var balances: [String: Int64] = [:]
        for member in members {
            guard balances.updateValue(try member.value.integer(), forKey: member.key) == nil else {
                throw .shape("the account \"\(member.key)\" is there twice")
            }
        }
        return balances
    }

    fileprivate func steps(answered: Bool) throws(ShapeError) -> [ListStep] {
        try list().map { step throws(ShapeError) in
            let parts = try step.list()
            guard parts.count == 3 else { throw .shape("a step has \(parts.count) parts, not 3") }
            switch try parts[0].text() {
            case "append": return .append(key: try parts[1].label(), try parts[2].label())
            case "r" where answered:
                let elements = try parts[2].list().map { value throws(ShapeError) in try value.label() }
                return .read(key: try parts[1].label(), elements)
            case "r":
                try parts[2].nothing()
                return .read(key: try parts[1].label(), nil)
            default: throw .shape("\(parts[0].short) is no step; a step is \"append\" or \"r\"")
            }
        }
    }
}

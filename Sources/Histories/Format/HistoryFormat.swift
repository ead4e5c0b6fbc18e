import Tickets

/// A history as a file: JSON lines, one event a line, in the order in which they happened. It is Jepsen's form of a
/// history, in JSON.
///
///     {"process":4,"type":"invoke","f":"note","value":["0132…","called again"],"time":81250312}
///     {"process":4,"type":"ok","f":"note","value":["0132…",{"state":"open","revision":3}],"time":83114007}
///
///     field    value
///     process  0 to 2^31 - 1; one that asks for one thing at a time
///     type     "invoke": it asks; "ok": done; "fail": it did not happen and will not; "info": nobody knows
///     f        what for, see below
///     value    what exactly; after "ok" what it was told
///     time     nanoseconds of a monotonic clock, from 0; it never descends
///
///     f                 value when invoked      value when ok
///     open … note       [TICKET, DETAIL]        [TICKET, {"state":STATE,"revision":N}]
///     show              [TICKET, null]          [TICKET, {"state":STATE,"unit":UNIT,"revision":N}], or [TICKET, null]
///     standby-show      [TICKET, null]          the same, beside it "age":NANOSECONDS, "position":[EPOCH,LSN], or none
///     history           [TICKET, null]          [TICKET, [[ACTION, DETAIL], …]]
///     list              null                    [TICKET, …]
///     add               [SET, ELEMENT]          [SET, ELEMENT]
///     read              [SET, null]             [SET, [ELEMENT, …]]
///     accounts          {ACCOUNT:BALANCE, …}    the same
///     transfer          {"from":ACCOUNT,"to":ACCOUNT,"amount":N}    the same
///     balances          null                    {ACCOUNT:BALANCE, …}
///     standby-balances  null                    {ACCOUNT:BALANCE, …}
///     txn               [["append",KEY,VALUE],["r",KEY,null], …]    the same, a list of values in place of each null
///
/// "open … note" are the six actions on a ticket: open, dispatch, accept, return, complete, note. DETAIL is the unit of
/// a dispatch, else the text. TICKET is 32 hexadecimal digits; STATE open, dispatched, accepted, returned or completed;
/// ELEMENT, SET, KEY and VALUE are integers or strings; all numbers are integers of 64 bits. No ticket after
/// "standby-show" is [TICKET, {"age":…}] where an age or position is told. The value after "fail" is that of the
/// invocation, or for an action [TICKET, {"refused":"no such ticket"}], "ticket exists", or "not in state" with "state"
/// beside it; after "info" it is that of the invocation.
///
/// A file is valid if and only if
/// (1) each line is a JSON object (RFC 8259) in UTF-8 of at most 16 MiB, nested at most eight deep, that ends in a
///     newline;
/// (2) it has each of the five fields once, with a value as above; other fields are allowed, and mean nothing;
/// (3) no time is lower than the one of the line before;
/// (4) a process is invoked when it is not under way, and "ok", "fail" and "info" come to one that is, with the same f
///     and the same ticket, set, or steps;
/// (5) a process does nothing after "info".
///
/// For Elle: the lines with f "txn", as they are (list-append). For Knossos: the lines with one ticket or set, whose
/// values are the pairs of `jepsen.independent`, and a model of 20 lines. For Porcupine: invoke's value is Input, ok's
/// is Output, the two times are Call and Return, process is ClientId, "fail" is left out, "info" returns at the end.
package enum HistoryFormat {
    static let lineLimit = 16 << 20
    static let depthLimit = 8
    static let highestProcess: Int64 = (1 << 31) - 1

    static let actions = names(HistoryRow.Action.allCases), states = names(Ticket.State.allCases)

    private static func names<Value>(_ values: [Value]) -> [String: Value] {
        Dictionary(uniqueKeysWithValues: values.map { ("\($0)", $0) })
    }
}

extension Call {
    /// Its name in a file.
    package var name: String {
        switch self {
        case .command(_, let step): "\(step.action)"
        case .show(_, .latest): "show"
        case .show(_, .standby): "standby-show"
        case .history: "history"
        case .list: "list"
        case .add: "add"
        case .elements: "read"
        case .accounts: "accounts"
        case .transfer: "transfer"
        case .balances(.latest): "balances"
        case .balances(.standby): "standby-balances"
        case .transaction: "txn"
        }
    }
}

extension Outcome {
    /// Its name in a file.
    package var name: String {
        switch self {
        case .ok: "ok"
        case .failed: "fail"
        case .unknown: "info"
        }
    }
}

extension RefusedState {
    var name: String {
        switch self {
        case .noSuchTicket: "no such ticket"
        case .ticketExists: "ticket exists"
        case .notInState: "not in state"
        }
    }
}

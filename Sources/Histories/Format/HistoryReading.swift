extension HistoryFormat {
    /// - Throws: `HistoryError`, with the line.
    package static func read(_ bytes: [UInt8]) throws(HistoryError) -> History {
        var history = History()
        var start = bytes.startIndex
        var line = 1
        while start < bytes.endIndex {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { throw .cutOff(line: line) }
            try read(bytes[start..<end], line, into: &history)
            start = end + 1
            line += 1
        }
        return history
    }

    private static func read(
        _ bytes: ArraySlice<UInt8>, _ line: Int, into history: inout History
    ) throws(HistoryError) {
        guard bytes.count <= lineLimit else {
            throw .malformed(line: line, column: lineLimit, "the line is longer than 16 MiB")
        }
        let event: EventFields
        do throws(JSONError) {
            event = try EventFields(try JSONReader.value(bytes))
        } catch {
            throw .malformed(line: line, column: error.offset + 1, error.reason)
        }
        do throws(ShapeError) {
            switch event.type {
            case "invoke":
                let call = try Call(name: event.name, value: event.value)
                try add(&history) { history throws(HistoryError) in
                    try history.invoke(call, by: event.process, at: event.time)
                }
            default:
                guard let call = history.openCall(of: event.process) else {
                    throw .history(
                        .disorder(line: line, "process \(event.process) is answered and has asked for nothing"))
                }
                guard call.name == event.name else {
                    throw .shape("process \(event.process) has asked for \(call.name), not for \(event.name)")
                }
                let outcome = try Outcome(type: event.type, value: event.value, of: call)
                try add(&history) { history throws(HistoryError) in
                    try history.complete(outcome, by: event.process, at: event.time)
                }
            }
        } catch {
            switch error {
            case .shape(let reason): throw .malformed(line: line, column: 1, reason)
            case .history(let error): throw error
            }
        }
    }

    private static func add(
        _ history: inout History, _ event: (inout History) throws(HistoryError) -> Void
    ) throws(ShapeError) {
        do throws(HistoryError) { try event(&history) } catch { throw .history(error) }
    }
}

/// What is wrong with a value that is right as JSON.
enum ShapeError: Error {
    case shape(String)
    case history(HistoryError)
}

/// The five fields of a line.
private struct EventFields {
    var process: Int
    var type: String
    var name: String
    var value: JSON
    var time: Int64

    init(_ json: JSON) throws(JSONError) {
        guard case .object(let members) = json else { throw JSONError(offset: 0, reason: "the line is no object") }
        func field(_ key: String) throws(JSONError) -> JSON {
            let found = members.filter { $0.key == key }
            guard found.count == 1 else {
                throw JSONError(offset: 0, reason: "the field \(key) is there \(found.count) times, not once")
            }
            return found[0].value
        }
        guard case .integer(let process) = try field("process"), (0...HistoryFormat.highestProcess).contains(process)
        else { throw JSONError(offset: 0, reason: "process is no number from 0 to 2^31 - 1") }
        guard case .string(let type) = try field("type"), ["invoke", "ok", "fail", "info"].contains(type) else {
            throw JSONError(offset: 0, reason: "type is none of invoke, ok, fail and info")
        }
        guard case .string(let name) = try field("f") else { throw JSONError(offset: 0, reason: "f is no text") }
        guard case .integer(let time) = try field("time"), time >= 0 else {
            throw JSONError(offset: 0, reason: "time is no number from 0")
        }
        (self.process, self.type, self.name, self.time) = (Int(process), type, name, time)
        value = try field("value")
    }
}

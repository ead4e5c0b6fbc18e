import Tickets

/// An answer as the table `answers` holds it. All integers are big-endian; strings are UTF-8 with a 4-byte length.
///
///     byte 0  kind; then
///          1  done            ticket (16), state (1), revision (8)
///          2  noSuchTicket    ticket (16)
///          3  ticketExists    ticket (16)
///          4  notInState      ticket (16), state (1), action (1)
///          5  textTooLong     field (string), bytes (8), limit (8)
///          6  missing         field (string)
///          7  notAllowed      actor (string), action (1)
///          8  executed        results (4: how many), each: changes (8), columns (4: how many, then strings),
///                             rows (4: how many), each a value for each column, see below
///          9  schemaChanged   version (4)
///         10  guardNotMet     statement (4), expected (8), found (8)
///         11  statementFailed statement (4), reason (string)
///         12  resultTooLarge  statement (4), limit (8)
///         13  changesTooLarge statement (4), limit (8)
///         14  tookTooLong     statement (4), milliseconds (8)
///         15  withdrawn
///
/// A value begins with SQLite's type: 1 integer (8), 2 real (8, IEEE 754), 3 text (string), 4 blob (4: its length, then
/// its bytes), 5 NULL.
///
/// It is valid if and only if the kind is known, each part has a value of its type, and nothing follows.
extension Answer {
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(26)
        switch self {
        case .done(let done):
            bytes.append(1)
            bytes.append(done.ticket)
            bytes.append(UInt8(done.state.rawValue))
            bytes.append(word: UInt64(bitPattern: done.revision))
        case .executed(let results):
            bytes.append(8)
            bytes.append(results)
        case .schemaChanged(let version):
            bytes.append(9)
            bytes.append(half: version)
        case .refused(let refusal): refusal.encode(into: &bytes)
        }
        return bytes
    }

    package init?(encoded bytes: UnsafeRawBufferPointer) {
        var reader = AnswerReader(bytes: bytes)
        guard let answer = reader.answer(), reader.isAtEnd else { return nil }
        self = answer
    }
}

extension Refusal {
    fileprivate func encode(into bytes: inout [UInt8]) {
        switch self {
        case .noSuchTicket(let id):
            bytes.append(2)
            bytes.append(id)
        case .ticketExists(let id):
            bytes.append(3)
            bytes.append(id)
        case .notInState(let id, let state, let action):
            bytes.append(4)
            bytes.append(id)
            bytes.append(UInt8(state.rawValue))
            bytes.append(UInt8(action.rawValue))
        case .textTooLong(let field, let length, let limit):
            bytes.append(5)
            bytes.append(string: field)
            bytes.append(word: UInt64(clamping: length))
            bytes.append(word: UInt64(clamping: limit))
        case .missing(let field):
            bytes.append(6)
            bytes.append(string: field)
        case .notAllowed(let actor, let action):
            bytes.append(7)
            bytes.append(string: actor)
            bytes.append(UInt8(action.rawValue))
        case .withdrawn: bytes.append(15)
        case .guardNotMet, .statementFailed, .resultTooLarge, .changesTooLarge, .tookTooLong:
            encodeSQL(into: &bytes)
        case .unknownSession, .windowExpired, .malformed, .needsService:
            preconditionFailure("\(self) is said, but never stored")
        }
    }
}

extension [UInt8] {
    mutating func append(word: UInt64) {
        Swift.withUnsafeBytes(of: word.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ id: TicketID) {
        append(word: id.high)
        append(word: id.low)
    }

    mutating func append(half: UInt32) {
        Swift.withUnsafeBytes(of: half.bigEndian) { append(contentsOf: $0) }
    }

    mutating func append(string: String) {
        append(half: UInt32(string.utf8.count))
        append(contentsOf: string.utf8)
    }
}

struct AnswerReader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0

    var isAtEnd: Bool { offset == bytes.count }

    mutating func answer() -> Answer? {
        guard let kind = byte() else { return nil }
        if kind == 1 {
            guard let id = ticketID(), let state: Ticket.State = value(), let revision = word() else { return nil }
            return .done(Done(ticket: id, state: state, revision: Int64(bitPattern: revision)))
        }
        if kind == 8 { return results().map { .executed($0) } }
        if kind == 9 { return half().map { .schemaChanged(version: $0) } }
        return refusal(kind).map { .refused($0) }
    }

    private mutating func refusal(_ kind: UInt8) -> Refusal? {
        switch kind {
        case 2: return ticketID().map { .noSuchTicket($0) }
        case 3: return ticketID().map { .ticketExists($0) }
        case 4:
            guard let id = ticketID(), let state: Ticket.State = value(), let action: HistoryRow.Action = value()
            else { return nil }
            return .notInState(id, state: state, action: action)
        case 5:
            guard let field = string(), let length = word(), let limit = word() else { return nil }
            return .textTooLong(field: field, bytes: Int(clamping: length), limit: Int(clamping: limit))
        case 6: return string().map { .missing(field: $0) }
        case 7:
            guard let actor = string(), let action: HistoryRow.Action = value() else { return nil }
            return .notAllowed(actor: actor, action: action)
        case 15: return .withdrawn
        default: return refusalOfSQL(kind)
        }
    }

    mutating func byte() -> UInt8? {
        guard offset < bytes.count else { return nil }
        offset += 1
        return bytes[offset - 1]
    }

    mutating func word() -> UInt64? {
        guard bytes.count - offset >= 8 else { return nil }
        offset += 8
        return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset - 8, as: UInt64.self))
    }

    private mutating func value<Value: RawRepresentable<Int64>>() -> Value? {
        byte().flatMap { Value(rawValue: Int64($0)) }
    }

    private mutating func ticketID() -> TicketID? {
        guard let high = word(), let low = word() else { return nil }
        return TicketID(high: high, low: low)
    }

    mutating func half() -> UInt32? {
        guard bytes.count - offset >= 4 else { return nil }
        offset += 4
        return UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset - 4, as: UInt32.self))
    }

    /// Four bytes of length, and so many bytes.
    mutating func piece() -> Slice<UnsafeRawBufferPointer>? {
        guard let length = half(), Int(length) <= bytes.count - offset else { return nil }
        offset += Int(length)
        return bytes[offset - Int(length)..<offset]
    }

    mutating func string() -> String? { piece().flatMap { String(validating: $0, as: UTF8.self) } }
}

import Replication
import Tickets

/// One change of one ticket, as an entry of the log tells it.
package struct TicketChange: Equatable, Sendable {
    package var row: HistoryRow
    /// What the ticket was before; nil: it did not exist.
    package var before: Place?

    /// What tells which lists a ticket is on, but for its deadline, which never changes.
    package struct Place: Equatable, Sendable {
        package var state: Ticket.State
        package var unit: String
        package init(_ state: Ticket.State, unit: String) { (self.state, self.unit) = (state, unit) }
    }

    package init(row: HistoryRow, before: Place?) { (self.row, self.before) = (row, before) }

    /// After it.
    package var place: Place { Place(row.state, unit: row.state == .returned ? "" : row.unit) }
}

extension TicketChange {
    /// Those of an entry, in its order. Each command writes its ticket's row and then a row of its history
    /// (`TicketWriter`): the first says what was, the second what is.
    /// - Throws: `malformedEntry`.
    package static func all(in entry: Entry) throws(StoreError) -> [TicketChange] {
        guard entry.kind == .changes else { return [] }
        let result = entry.payload.withUnsafeBytes { bytes in
            Result<[TicketChange], ChangesetReader.Malformed> { () throws(ChangesetReader.Malformed) in
                var walk = Walk(bytes)
                return try walk.changes()
            }
        }
        do throws(ChangesetReader.Malformed) { return try result.get() } catch {
            throw .malformedEntry(position: entry.position, offset: error.offset)
        }
    }

    private struct Walk {
        enum Table { case tickets, history, other }
        private var reader: ChangesetReader
        private var table = Table.other
        private var columns = 0
        /// What the ticket whose row was changed last had been.
        private var before: (ticket: TicketID, place: Place?, state: Ticket.State?, unit: String?)?
        private var found: [TicketChange] = []

        init(_ bytes: UnsafeRawBufferPointer) { reader = ChangesetReader(bytes) }

        mutating func changes() throws(ChangesetReader.Malformed) -> [TicketChange] {
            let values = UnsafeMutablePointer<CellValue>.allocate(capacity: 2 * ReplicatedTable.columnLimit)
            values.initialize(repeating: .undefined, count: 2 * ReplicatedTable.columnLimit)
            defer { values.deallocate() }
            let new = values + ReplicatedTable.columnLimit
            while true {
                let step = try reader.next()
                switch step {
                case .end: return found
                case .table(let header): enter(header)
                case .insert:
                    try reader.values(new, columns: columns)
                    try inserted(new)
                case .delete: try reader.values(values, columns: columns)
                case .update:
                    try reader.values(values, columns: columns)
                    try reader.values(new, columns: columns)
                    try updated(values)
                }
            }
        }

        /// - Parameter header: 'T', the number of columns, a byte for each, the name, a zero. Twinline's own tables
        ///   have fewer columns than need a second byte.
        private mutating func enter(_ header: UnsafeRawBufferPointer) {
            columns = header.count > 1 ? Int(header[1] & 0x7f) : 0
            if header.count > 2, header[1] & 0x80 != 0 { columns = columns << 7 | Int(header[2]) }
            let name = header.dropFirst(2 + columns).dropLast()
            table =
                name.elementsEqual("tickets".utf8) && columns == 13
                ? .tickets : name.elementsEqual("history".utf8) && columns == 8 ? .history : .other
        }

        private mutating func updated(_ old: UnsafeMutablePointer<CellValue>) throws(ChangesetReader.Malformed) {
            guard case .tickets = table else { return }
            let state = old[1].integer.flatMap { Ticket.State(rawValue: $0) }
            before = (try ticket(old[0]), nil, state, old[10].string)
        }

        private mutating func inserted(_ new: UnsafeMutablePointer<CellValue>) throws(ChangesetReader.Malformed) {
            switch table {
            case .other: break
            case .tickets: before = nil
            case .history:
                let row = try historyRow(new)
                let after = TicketChange(row: row, before: nil).place
                var change = TicketChange(row: row, before: nil)
                if row.action != .open {
                    // What is not told has not changed.
                    let known = before?.ticket == row.ticket ? before : nil
                    change.before = Place(known?.state ?? after.state, unit: known?.unit ?? after.unit)
                }
                found.append(change)
            }
        }

        private func historyRow(
            _ values: UnsafeMutablePointer<CellValue>
        ) throws(ChangesetReader.Malformed) -> HistoryRow {
            guard let revision = values[1].integer, let at = values[2].integer, let actor = values[3].string,
                let action = values[4].integer.flatMap({ HistoryRow.Action(rawValue: $0) }),
                let state = values[5].integer.flatMap({ Ticket.State(rawValue: $0) }),
                let unit = values[6].string, let note = values[7].string
            else { throw malformed }
            return HistoryRow(
                ticket: try ticket(values[0]), revision: revision, at: at, actor: actor, action: action, state: state,
                unit: unit, note: note)
        }

        private func ticket(_ value: CellValue) throws(ChangesetReader.Malformed) -> TicketID {
            guard case .blob(let bytes) = value, bytes.count == 16 else { throw malformed }
            return TicketID(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }

        private var malformed: ChangesetReader.Malformed { ChangesetReader.Malformed(offset: reader.offset) }
    }
}

extension CellValue {
    fileprivate var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    fileprivate var string: String? {
        if case .text(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
}

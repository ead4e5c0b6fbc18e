import Replication

extension ReplicatedDatabase {
    /// The digest of the tables as they are, to be compared with `digest`. Reads every row: a second for each million
    /// or so.
    package func recomputeDigest() throws(StoreError) -> Digest {
        try connection.access { _ throws(StoreError) in try computeDigest() }
    }

    func computeDigest() throws(StoreError) -> Digest {
        var digest = Digest.zero
        for table in tables { digest.add(try table.sum(on: connection)) }
        return digest
    }
}

extension ReplicatedTable {
    /// The part of the digest that all its rows make, as a connection sees them.
    /// - Parameter row: called after each row.
    func sum(on connection: Connection, row: () -> Void = {}) throws(StoreError) -> UInt128 {
        let values = UnsafeMutablePointer<CellValue>.allocate(capacity: Self.columnLimit)
        defer { values.deallocate() }
        let names = columns.map { quoted($0.name) }.joined(separator: ", ")
        let select = try Statement(connection, "SELECT \(names) FROM \(quoted(name))")
        var sum: UInt128 = 0
        while try select.step() {
            for index in columns.indices { values[index] = CellValue(select, column: Int32(index)) }
            sum &+= digest(of: values)
            row()
        }
        return sum
    }
}

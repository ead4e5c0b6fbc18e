import Replication

extension ReplicatedDatabase {
    /// The digest of the tables as they are, to be compared with `digest`. Reads every row: a second for each million
    /// or so.
    package func recomputeDigest() throws(StoreError) -> Digest {
        try connection.access { _ throws(StoreError) in try computeDigest() }
    }

    func computeDigest() throws(StoreError) -> Digest {
        var digest = Digest.zero
        let values = UnsafeMutablePointer<CellValue>.allocate(capacity: ReplicatedTable.columnLimit)
        defer { values.deallocate() }
        for table in tables {
            let names = table.columns.map { quoted($0.name) }.joined(separator: ", ")
            let select = try Statement(connection, "SELECT \(names) FROM \(quoted(table.name))")
            while try select.step() {
                for index in table.columns.indices { values[index] = CellValue(select, column: Int32(index)) }
                digest.add(table.digest(of: values))
            }
        }
        return digest
    }
}

import Planted

/// What a row's values add to the digest.
extension ReplicatedTable {
    /// All of a row.
    func digest(of values: UnsafeMutablePointer<CellValue>) -> UInt128 {
        let hash = hash(ofKeyIn: values)
        var sum = hash.row
        for index in columns.indices where !columns[index].isKey {
            sum &+= hash.cell(columns[index].hash, values[index])
        }
        return sum
    }

    /// The difference that an UPDATE of these columns makes.
    func digest(
        of changed: UInt64, _ old: UnsafeMutablePointer<CellValue>, _ new: UnsafeMutablePointer<CellValue>
    ) -> UInt128 {
        let hash = hash(ofKeyIn: old)
        var sum: UInt128 = 0
        for index in columns.indices where changed >> index & 1 == 1 {
            sum &+= hash.cell(columns[planted("digestOfTheWrongColumn") ? 0 : index].hash, new[index])
            sum &-= hash.cell(columns[index].hash, old[index])
        }
        return sum
    }

    private func hash(ofKeyIn values: UnsafeMutablePointer<CellValue>) -> CellHash {
        var hash = hash
        for index in columns.indices where columns[index].isKey { hash.feed(key: values[index]) }
        return hash
    }
}

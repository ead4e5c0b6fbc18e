/// The payload of an entry of the kind `schema`. All integers are big-endian.
///
///     offset  size  field
///          0     4  length of the SQL, n, from 1
///          4     n  the SQL, UTF-8 without a zero: statements that define tables, indexes, triggers and views
///        4+n     8  signature of the definitions that it must lead to (see `ReplicatedDatabase.signature`)
///       12+n     …  a changeset (see `ChangesetBuffer`), to be applied after it: the answer, and what else of its
///                   session changes with it
///
/// It is valid if and only if it is at least 13 bytes long, 12 + n is within it, the SQL is what is said here, and the
/// changeset is valid.
package struct SchemaChange: Equatable, Sendable {
    package var sql: String
    var signature: UInt64
    var changeset: [UInt8]

    private static let lengthSize = 4, signatureSize = 8

    init(sql: String, signature: UInt64, changeset: [UInt8]) {
        (self.sql, self.signature, self.changeset) = (sql, signature, changeset)
    }

    /// Nil: it is not valid. The changeset is not looked at.
    package init?(payload: [UInt8]) {
        guard payload.count > Self.lengthSize + Self.signatureSize else { return nil }
        let length = payload.withUnsafeBytes { Int(UInt32(bigEndian: $0.loadUnaligned(as: UInt32.self))) }
        guard length > 0, length <= payload.count - Self.lengthSize - Self.signatureSize else { return nil }
        let text = payload[Self.lengthSize..<Self.lengthSize + length]
        guard !text.contains(0), let sql = String(validating: text, as: UTF8.self) else { return nil }
        self.sql = sql
        let rest = Self.lengthSize + length
        signature = payload.withUnsafeBytes {
            UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: rest, as: UInt64.self))
        }
        changeset = Array(payload[(rest + Self.signatureSize)...])
    }

    var payload: [UInt8] {
        var bytes: [UInt8] = []
        let sql = Array(sql.utf8)
        bytes.reserveCapacity(Self.lengthSize + sql.count + Self.signatureSize + changeset.count)
        withUnsafeBytes(of: UInt32(sql.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes += sql
        withUnsafeBytes(of: signature.bigEndian) { bytes.append(contentsOf: $0) }
        return bytes + changeset
    }
}
